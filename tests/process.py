"""``neraca up`` as a process of its own, started as an operator starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final, Self

import httpx

from tests.serving import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_URL: Final = re.compile(r" at (http://\S+)/  \(API")


class Process:
    """``neraca up`` as a process of its own on a free port, over a data directory that outlives it."""

    def __init__(
        self, data: Path, *options: str, environment: Mapping[str, str] | None = None, is_open: bool = True
    ) -> None:
        """``is_open``: this machine is the operator, by ``--open``."""
        self._said = data.parent / f"{data.name}.stderr"
        in_front = "NERACA_PROXIES" in (environment or {})
        self._headers = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http"} if in_front else {}
        own_environment = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
        with self._said.open("ab") as file:
            self._from = file.tell()
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "neraca",
                    "up",
                    "--port",
                    "0",
                    "--data",
                    str(data),
                    *["--open"][:is_open],
                    *options,
                ],
                cwd=ROOT,
                env={**own_environment, "NERACA_UNKNOWN": "open", **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        try:
            self.url = until(self._address, "the process says where it serves")
            until(self._ready, "the process is ready")
        except BaseException:
            self.kill()
            raise

    @property
    def port(self) -> int:
        """The port on which it serves."""
        return int(self.url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def output(self) -> str:
        """All its output since it was started."""
        return self._said.read_bytes()[self._from :].decode(errors="replace")

    def _address(self) -> str | None:
        if self._process.poll() is not None:
            message = f"neraca up ended with {self._process.returncode}: {self.output()}"
            raise RuntimeError(message)
        match = _URL.search(self.output())
        return match[1] if match else None

    def _ready(self) -> bool:
        return httpx.get(f"{self.url}/readyz", headers=self._headers).status_code == httpx.codes.OK

    def head(self) -> int:
        """The position of the journal's last entry."""
        return int(httpx.get(f"{self.url}/readyz", headers=self._headers).json()["head"])

    def settle(self) -> None:
        """Wait until balances have reached the journal's head."""
        until(self._ready, "balances at the journal's head")

    def stop(self, within_s: float = 20.0) -> int:
        """End it as an operator does, by SIGTERM; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(within_s)

    def kill(self) -> None:
        """End it by SIGKILL, with no chance to put anything in order."""
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        """Serve until the end of a ``with``."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, if it still runs."""
        if self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()
                raise
