"""Things that stand between a caller and Neraca: a real nginx, and a relay that passes bytes on as they are."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import pytest

from local.local_server import free_port
from tests.serving import until

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM: Final = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CHUNK: Final = 65_536
OWN_ACCOUNT: Final = "user root;\n" if os.geteuid() == 0 else ""
"""Under the superuser nginx gives its workers another account; for the hardest case they have Neraca's own."""


def is_listening(port: int) -> bool:
    """True if something takes connections at a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Nginx:
    """A real nginx with given server blocks; ``{port}`` in them is the free port that it listens on."""

    def __init__(self, folder: Path, servers: str) -> None:
        if PROGRAM is None:
            pytest.skip("needs nginx: apt-get install nginx")
        self.port = free_port()
        folder.mkdir(exist_ok=True)
        paths = "".join(
            f"{kind}_temp_path {folder / kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        configuration = folder / "nginx.conf"
        configuration.write_text(
            f"{OWN_ACCOUNT}daemon off;\npid {folder / 'pid'};\nerror_log {folder / 'error.log'};\nevents {{}}\n"
            f"http {{\naccess_log off;\n{paths}{servers.replace('{port}', str(self.port))}\n}}\n"
        )
        words = [PROGRAM, "-p", str(folder), "-c", str(configuration)]
        self._output = folder / "output"
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def __enter__(self) -> Self:
        """Wait until it listens."""
        until(self._is_up, "nginx listens")
        return self

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self._output.read_text()
        return is_listening(self.port)

    def __exit__(self, *_: object) -> None:
        """End it, and its workers."""
        self._process.terminate()
        self._process.wait(20)


class Relay:
    """Passes the bytes of each connection on, and the answers back; it reads none of them."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Relay."""
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.create_connection(("127.0.0.1", self._target))
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        """Take no more connections."""
        self._listener.close()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(CHUNK):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)


def raw(port: int, request: bytes) -> bytes:
    """The answer to bytes that are sent as a request; the connection is closed by them, or after the answer's head."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer and (chunk := connection.recv(CHUNK)):
            answer += chunk
    return answer


def status_of(answer: bytes) -> int:
    """The status of an answer; 0 for none."""
    words = answer.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
