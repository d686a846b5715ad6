"""Starts a worker's process again whenever it ends: ending is the cure for everything."""

from __future__ import annotations

import enum
import logging
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Final

from streams.retrying import PATIENT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

LOG: Final = logging.getLogger("neraca.supervisor")
CALM_S: Final = 30.0
"""A process that lived this long was well: the pause after it is short again."""
ENDING_S: Final = 15.0
"""The time a process gets to end by itself before it is killed."""


class Exit(enum.IntEnum):
    """The exit codes of a worker's process."""

    ENDED = 0
    FAILED = 70
    READ_AGAIN = 71
    WATCHDOG = 75
    OVERTAKEN = 78
    REFUSED = 79


FINAL: Final = frozenset({Exit.ENDED, Exit.REFUSED})
"""Ends that a new start does not cure: the process was asked to end, or its journal is another one.

A process that was overtaken starts again, and then waits for its name.
"""


def next_pause(pause_s: float, lived_s: float) -> float:
    """The pause before the next start: longer each time, and the first again after a process that was well for a while."""
    return PATIENT.after(0.0 if lived_s > CALM_S else pause_s)


class Supervisor:
    """Runs one command again and again, until SIGTERM or SIGINT, or until an end that is final."""

    def __init__(self, command: Sequence[str], ending_s: float = ENDING_S) -> None:
        self._command = list(command)
        self._ending_s = ending_s
        self._ending = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self) -> int:
        """The exit code: 0 when it was asked to end, or the process ended well; else 1."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        pause_s = 0.0
        while True:
            began = time.monotonic()
            self._process = subprocess.Popen(self._command)  # noqa: S603 - our own command line
            if self._ending.is_set():
                self._process.terminate()
            code = self._wait()
            if self._ending.is_set():
                return 0
            if code in FINAL:
                return 0 if code == Exit.ENDED else 1
            pause_s = next_pause(pause_s, time.monotonic() - began)
            LOG.warning("the worker ended with %d; starting it again", code)
            if self._ending.wait(pause_s):
                return 0

    def _wait(self) -> int:
        """The exit code of the process; one that does not end in time when asked to is killed."""
        process = self._process
        assert process is not None, "just started"  # noqa: S101 - for the type checker
        deadline: float | None = None
        while True:
            if deadline is None and self._ending.is_set():
                deadline = time.monotonic() + self._ending_s
            try:
                return process.wait(0.5 if deadline is None else max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                if deadline is not None:
                    process.kill()

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ending.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
