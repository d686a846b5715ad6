"""Processes under measurement: each says a word on standard output when something has happened, and none outlives the ``with``."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Self

from benchmarks.harness import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import psycopg

    from benchmarks.scaled.ground import Ground

LOOK_S = 0.02
PATIENCE_S = 500.0
"""The longest wait for one measurement, or for one word of a process; shorter than the time at which a test is ended."""


class Pace(NamedTuple):
    """Events a second: from the first record consumed to the last one committed, and over the second half of them."""

    whole: float
    later: float


class Stopwatch:
    """Runs from the first record; told again and again how many are done."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._begun = time.perf_counter()
        self._half: tuple[float, int] | None = None

    def pace(self, exit_result: Callable[[], int], look_s: float = LOOK_S) -> Pace:
        """Look until all are done. Raises: ``TimeoutError``."""
        while True:
            number, now = exit_result(), time.perf_counter()
            if self._half is None and number >= self._total / 2:
                self._half = now, number
            if number >= self._total:
                break
            if now - self._begun > PATIENCE_S:
                message = f"{number} of {self._total} after {PATIENCE_S:.0f} s"
                raise TimeoutError(message)
            time.sleep(look_s)
        half_at, half = self._half or (self._begun, 0)
        later = (self._total - half) / (now - half_at) if self._total > half else 0.0
        return Pace(self._total / (now - self._begun), later)


@contextmanager
def speaking(words: list[str], errors: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is spoken with; what it says on standard error is in a file."""
    with errors.open("wb") as log:
        process = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
        )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def heard(process: subprocess.Popen[str], word: str, errors: Path) -> None:
    """Wait for a line that ends with a word.

    Raises: ``RuntimeError`` with what the process said, when it ends before or stays silent; then it is killed.
    """
    assert process.stdout is not None
    end = threading.Timer(PATIENCE_S, process.kill)
    end.start()
    try:
        for line in process.stdout:
            if line.strip().endswith(word):
                return
    finally:
        end.cancel()
    message = f"waited for {word!r}: {errors.read_text(errors='replace')[-2000:]}"
    raise RuntimeError(message)


class Product:
    """A process of the real command line over one database and one broker, until the end of a ``with``."""

    def __init__(self, ground: Ground, url: str, *words: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
        self.log = ground.folder / f"{words[0]}.log"
        environment |= {"NERACA_DATABASE_URL": url, "NERACA_KAFKA": ground.kafka.bootstrap}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command(*words), cwd=ROOT, env=environment, stdout=log, stderr=log)

    def wait_for(self, word: str) -> str:
        """The line that has a word, once it is said. Raises: ``RuntimeError`` when it ends before, or says nothing."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            for line in self.log.read_text(errors="replace").splitlines():
                if word in line:
                    return line
            time.sleep(0.005)
        message = f"{word!r} was not said: {self.log.read_text(errors='replace')[-2000:]}"
        raise RuntimeError(message)

    def __enter__(self) -> Self:
        """It runs."""
        return self

    def __exit__(self, *_: object) -> None:
        """It is told to end, as an operator does."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            print(f"{self.log.stem} had to be killed", file=sys.stderr)
            self.process.kill()


def positions(db: psycopg.Connection[tuple[object, ...]]) -> dict[int, int]:
    """How far each partition of the generation served first is folded."""
    rows = db.execute("SELECT source, position FROM neraca_1.sources WHERE source LIKE '%/%'").fetchall()
    return {int(str(source).partition("/")[2]): int(str(position)) for source, position in rows}
