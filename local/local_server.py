"""A server of this machine: a process apart from the terminal, found again by its pid file, and ended whole.

Owns the process and the words for what goes wrong with it; knows no product. Standard library only, and Linux only.
"""

from __future__ import annotations

import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST: Final = "127.0.0.1"
READY_WITHIN_S: Final = 60.0
STOPPED_WITHIN_S: Final = 60.0
LAST_LINES: Final = 20
PORTS: Final = range(15_000, 32_000)
"""Below the ports that the kernel gives to outgoing connections, so a server that is down finds its own still free."""
GUARD: Final = 'read -r _ || kill -KILL "-$1" $(cat "/proc/$1/task/$1/children")'
"""Waits for a line; when the pipe ends without one, its owner is gone, and the server is ended with its children."""


class Missing(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """Something is not installed; the message names the Debian package that brings it."""

    def __init__(self, what: str, package: str) -> None:
        super().__init__(f"{what} is not installed: on Debian and Ubuntu, apt-get install {package}")


class Failed(Exception):  # noqa: N818 - told to a person as it is
    """A server, or a program beside it, ended or hung; the message has the last lines it said."""

    def __init__(self, what: str, output: str) -> None:
        super().__init__("\n".join([what, *output.splitlines()[-LAST_LINES:]]))


def found(program: str, package: str, search: str | None = None) -> str:
    """The path of a program, on PATH or in ``search``. Raises: ``Missing``, naming the package."""
    path = shutil.which(program, path=search)
    if path is None:
        raise Missing(program, package)
    return path


def run(words: Sequence[str], directory: Path, output: str = "") -> None:
    """Run a program to its end; ``said`` is its standard input. Raises: ``Failed``."""
    process = subprocess.run(
        words, cwd=directory, input=output, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if process.returncode:
        what = f"{Path(words[0]).name} ended with {process.returncode}"
        raise Failed(what, process.stdout)


def is_free(port: int) -> bool:
    """True if nobody listens there."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


def free_port(neighbours: int = 0) -> int:
    """A free port followed by so many free neighbours."""
    while True:
        port = secrets.choice(PORTS)
        if all(is_free(port + offset) for offset in range(neighbours + 1)):
            return port


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    pids = [pid]
    for member in pids:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            with suppress(OSError):
                pids += map(int, task.read_text().split())
    return pids


def ended(pidfd: int, within_s: float) -> bool:
    """True if a process ends in time; its descriptor is closed."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    try:
        return bool(poll.poll(within_s * 1000))
    finally:
        os.close(pidfd)


def end_family(pid: int) -> None:
    """SIGKILL a process and all its descendants; all are gone when this returns."""
    pids = []
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)  # so that it neither has another child nor mourns one
    for member in family(pid):
        with suppress(ProcessLookupError):
            pids.append(os.pidfd_open(member))
    for pidfd in pids:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    for pidfd in pids:
        ended(pidfd, STOPPED_WITHIN_S)


class LocalServer(ABC):
    """One server on one port, over a directory that outlives it; ``with`` starts and stops it."""

    told_to_stop: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory.resolve()
        self.port = port
        self._child: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def require(self) -> None:
        """See that all is here that it needs to start. Raises: ``Missing``."""

    @abstractmethod
    def _prepare(self) -> None:
        """Make the directory such that the server can start in it."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The server's program and words, a path inside the directory among them."""

    @abstractmethod
    def _ready(self) -> bool:
        """True if the server answers."""

    @property
    def pid(self) -> int | None:
        """The running server, started by any process; ``None`` when there is none."""
        if self._child is not None and self._child.poll() is None:
            return self._child.pid
        try:
            pid = int(self._pid_file.read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(f"{self.directory}/") in words else None

    @property
    def _pid_file(self) -> Path:
        return self.directory / "pid"

    @property
    def _log(self) -> Path:
        return self.directory / "log"

    def start(self, *, outlives: bool = False) -> None:
        """Start, and return when it answers; where it runs already, do nothing. With ``outlives`` it goes on after this process.

        Raises: ``Missing``, ``Failed``.
        """
        if self.pid is not None:
            return
        self._forget()
        self.require()
        if not is_free(self.port):
            what = f"port {self.port} is taken by another program"
            raise Failed(what, "")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._prepare()
        with self._log.open("wb") as log:
            self._child = subprocess.Popen(
                self._command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(f"{self._child.pid}\n")
        if not outlives:
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", GUARD, "guard", str(self._child.pid)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            self._await(self._child)
        except BaseException:
            self.kill()
            raise

    def _await(self, child: subprocess.Popen[bytes]) -> None:
        between, deadline = threading.Event(), time.monotonic() + READY_WITHIN_S
        while not self._ready():
            if child.poll() is not None or time.monotonic() > deadline:
                how = "is not ready" if child.returncode is None else f"ended with {child.returncode}"
                what = f"{type(self).__name__} {how}; the last of {self._log}:"
                raise Failed(what, self._log.read_text(errors="replace"))
            between.wait(0.02)

    def stop(self) -> None:
        """End it as an operator does. Raises: ``Failed`` when it had to be killed."""
        pid = self.pid
        if pid is not None:
            pidfd = os.pidfd_open(pid)
            os.kill(pid, self.told_to_stop)
            if not ended(pidfd, STOPPED_WITHIN_S):
                self.kill()
                what = f"{type(self).__name__} did not stop; the last of {self._log}:"
                raise Failed(what, self._log.read_text(errors="replace"))
        self._forget()

    def kill(self) -> None:
        """SIGKILL all its processes at once; what the kernel had taken from them survives, as it would not a power cut."""
        pid = self.pid
        if pid is not None:
            end_family(pid)
        self._forget()

    def restart(self) -> None:
        """Stop, where it runs, and start on the same port over the same data."""
        self.stop()
        self.start()

    def _forget(self) -> None:
        """The server is gone: reap it, and let its guard go."""
        if self._child is not None:
            self._child.wait()
        if self._guard is not None:
            self._guard.communicate(b"\n")
        self._child = self._guard = None
        self._pid_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()
