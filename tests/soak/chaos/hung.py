"""A worker that can be hung; it replaces one of a stack's own for as long as a fault lasts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from local.local_server import GUARD, end_family
from tests.serving import ROOT, until
from tests.soak.chaos.hang import HANG

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.soak.chaos.stack import Stack

_ENDED: Final = re.compile(r"the worker ended with (\d+)")


class Hung:
    """One ``tests.soak.chaos.hang``, its supervisor in a session of its own; a guard ends it with this process."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._file = stack.directory / f"hang-{name}"
        self._log: Path = stack.directory / f"hung-{name}.said"
        environment = stack.scaled.environment | {HANG: str(self._file)}
        with self._log.open("ab") as log:
            self._from = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.chaos.hang", "--name", name],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @classmethod
    @contextmanager
    def replacing(cls, stack: Stack, names: Sequence[str]) -> Iterator[list[Hung]]:
        """Replace the workers of these names; at the end they are started again."""
        for name in names:
            stack.end_worker(name)
        hung = [cls(stack, name) for name in names]
        try:
            for process in hung:
                until(process.is_up, "a worker that can hang is up", within_s=60)
            yield hung
        finally:
            for name, process in zip(names, hung, strict=True):
                process.close()
                stack.start_worker(name)

    def hang(self) -> None:
        """The next fold never returns; this returns when it has begun."""
        self._file.touch()
        until(lambda: not self._file.exists(), "a fold hangs", within_s=60)

    def ended(self, code: int) -> bool:
        """True if its process has ended with a code, and was started again."""
        return str(int(code)) in _ENDED.findall(self.output())

    def output(self) -> str:
        """Its output since it was started."""
        return self._log.read_bytes()[self._from :].decode(errors="replace")

    def is_up(self) -> bool:
        """True if it waits to be hung."""
        return "until it is hung" in self.output()

    def close(self) -> None:
        """End it as an operator does, and kill it if it does not end."""
        if self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(25)
            except subprocess.TimeoutExpired:
                end_family(self._process.pid)
        self._guard.communicate(b"\n")
