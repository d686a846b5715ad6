"""A cable between a browser and a server that can be pulled, or that loses answers once the server has given them."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WHOLE, PULLED, DEAF, SILENT = "whole", "pulled", "deaf", "silent"
"""Whole it passes everything; pulled, nothing; deaf, requests to the server, and no answer to a POST back; silent, it takes
connections and leads nowhere."""
AT_ONCE: Final = 65_536


class Portal(BaseHTTPRequestHandler):
    """A network's own sign-in page: 200 and the same words, whatever is asked."""

    status = 200

    def do_GET(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b"<!doctype html><title>Wi-Fi</title>Silakan masuk"
        self.send_response(self.status)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - as the server calls it

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Gateway(Portal):
    """A gateway whose server is away: 502, whatever is asked."""

    status = 502


@contextlib.contextmanager
def portal(page: type[Portal] = Portal) -> Iterator[str]:
    """Such a page on a port; its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class Cable:
    """Listens on a port of its own and passes bytes to a server's; ``state`` says how well."""

    def __init__(self, url: str, port: int = 0) -> None:
        self._to = int(url.rpartition(":")[2])
        self._listener = socket.create_server(("127.0.0.1", port))
        self._open: set[socket.socket] = set()
        self.state = WHOLE
        self.lost = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def leads_to(self) -> str:
        """The server it ends at."""
        return f"http://127.0.0.1:{self._to}"

    def lead_to(self, url: str) -> None:
        """Another server from now on."""
        self._to = int(url.rpartition(":")[2])

    def pull(self) -> None:
        """No byte passes from now on, in either direction."""
        self.state = PULLED
        self._cut(tuple(self._open))

    def deafen(self) -> None:
        """What is posted from now on arrives; the answer does not."""
        self.state = DEAF
        self._cut(tuple(self._open))

    def silence(self) -> None:
        """Connections are taken from now on, and nobody ever answers."""
        self.state = SILENT
        self._cut(tuple(self._open))

    def mend(self) -> None:
        """Everything passes again."""
        self.state = WHOLE

    def _cut(self, ends: Iterable[socket.socket]) -> None:
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        if self.state == PULLED:
            near.close()
            return
        if self.state == SILENT:
            self._open.add(near)  # until the cable is pulled
            return
        try:
            far = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            near.close()
            return
        self._open |= {near, far}
        posted = threading.Event()
        back = threading.Thread(target=self._answers, args=(far, near, posted), daemon=True)
        back.start()
        with contextlib.suppress(OSError):
            while asked := near.recv(AT_ONCE):
                if asked.startswith(b"POST"):
                    posted.set()
                far.sendall(asked)
        self._cut((near, far))
        back.join()
        self._open -= {near, far}
        near.close()
        far.close()

    def _answers(self, far: socket.socket, near: socket.socket, posted: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while answered := far.recv(AT_ONCE):
                if self.state == DEAF and posted.is_set():
                    self.lost += 1
                    break
                near.sendall(answered)
        self._cut((near, far))

    def __enter__(self) -> Self:
        """Listen until the end of a ``with``."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Pull it for good."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.pull()
        self._thread.join()
