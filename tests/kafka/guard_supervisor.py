"""A supervisor in a process of its own over a tiny program that notes its starts, and ends by a given code."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final, Self

from tests.serving import ROOT, until

if TYPE_CHECKING:
    from pathlib import Path

SUPERVISE: Final = (
    "import sys; from streams.worker.supervisor import Supervisor; sys.exit(Supervisor({command}, {ending}).run())"
)
WITHOUT: Final = "import subprocess, sys; sys.exit(subprocess.run({command}).returncode)"
"""Planted: when the started process ends, the whole ends."""
CHILD: Final = """
import os, signal, sys, time
said, *codes = sys.argv[1:]
def say(what):
    with open(said, "a") as file:
        file.write(f"{time.monotonic()} {what} {os.getpid()}\\n")
starts = open(said).read().count("start") if os.path.exists(said) else 0
code = codes[min(starts, len(codes) - 1)]
if code == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if code == "slow":
    def slowly(*_):
        say("told")
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            time.sleep(0.05)
        say("ended")
        sys.exit(0)
    signal.signal(signal.SIGTERM, slowly)
say("start")
if code == "killed":
    os.kill(os.getpid(), signal.SIGKILL)
if code in ("deaf", "slow", "waits"):
    while True:
        time.sleep(0.05)
say("end")
sys.exit(int(code))
"""


class Supervised:
    """A supervisor over a program; ``codes`` are the ends of its first, second, … process; the last is repeated."""

    def __init__(self, folder: Path, *codes: int | str, ending_s: float = 15.0, program: str = SUPERVISE) -> None:
        self._said = folder / "said"
        child = [sys.executable, "-c", CHILD, str(self._said), *map(str, codes)]
        words = program.format(command=repr(child), ending=ending_s)
        self._process = subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, start_new_session=True)

    def __enter__(self) -> Self:
        """Supervise until the end of a ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, and the process it started last."""
        self._process.kill()
        self._process.wait()
        for pid in self.alive():
            subprocess.run(["kill", "-9", str(pid)], check=False)

    def output(self, what: str = "start") -> list[tuple[float, int]]:
        """The time at which each process wrote this word, and its pid."""
        if not self._said.exists():
            return []
        words = [line.split() for line in self._said.read_text().splitlines()]
        return [(float(line[0]), int(line[2])) for line in words if len(line) == 3 and line[1] == what]

    def started(self, times: int) -> None:
        """Wait until it has started a process so often."""
        until(lambda: len(self.output()) >= times, f"{times} starts")

    def end(self, number: signal.Signals = signal.SIGTERM, within_s: float = 20.0) -> tuple[int, float]:
        """Tell the supervisor to end: its exit code, and how long it took."""
        began = time.monotonic()
        self._process.send_signal(number)
        return self._process.wait(within_s), time.monotonic() - began

    def code(self, within_s: float = 20.0) -> int:
        """Wait until the supervisor ends by itself; its exit code."""
        return self._process.wait(within_s)

    def alive(self) -> list[int]:
        """The processes it started that still are."""
        pids = {pid for _, pid in self.output()}
        return [
            pid
            for pid in pids
            if subprocess.run(["kill", "-0", str(pid)], check=False, capture_output=True).returncode == 0
        ]
