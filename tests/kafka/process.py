"""One process of the product among many, in a session of its own; a guard ends it with the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from local.local_server import GUARD, end_family, family
from tests.serving import ROOT

if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from pathlib import Path


class Ended(Exception):  # noqa: N818 - a state of a process
    """A process ended instead of coming up; the message has its output."""


class Running:
    """One process of the product in a session of its own, with its output in a file; a guard ends it with the tests."""

    def __init__(self, words: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._said = log
        with log.open("ab") as into:
            self._from = into.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "neraca", *words],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=into,
                stderr=into,
                start_new_session=True,
            )
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        """The number of the process; a worker's is its supervisor."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code; ``None`` while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """Its output since it was started."""
        return self._said.read_bytes()[self._from :].decode(errors="replace")

    def up(self, sign: re.Pattern[str]) -> re.Match[str] | None:
        """The sign that it is up. Raises: ``Ended``."""
        if self.code is not None:
            message = f"ended with {self.code}: {self.output()}"
            raise Ended(message)
        return sign.search(self.output())

    def signal(self, number: signal.Signals) -> None:
        """A signal to the process and all that descend from it."""
        for pid in family(self.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def stop(self, within_s: float) -> int:
        """End it as an operator does, by SIGTERM; its exit code. Raises: ``subprocess.TimeoutExpired``."""
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(within_s)
        self._guard.communicate(b"\n")
        return code

    def kill(self) -> None:
        """SIGKILL it and all that descend from it."""
        if self.code is None:
            end_family(self.pid)
            self._process.wait()
        if self._guard.poll() is None:
            self._guard.communicate(b"\n")
