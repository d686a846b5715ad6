"""A web server before an intake that breaks in a chosen way: it reads real requests, and cuts, refuses or loses them."""

from __future__ import annotations

import http.client
import socket
import socketserver
import struct
import threading
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

Break = "Callable[[Handler, bytes], bool]"
"""Does to a request what it does; false lets the intake answer it."""
RESET: Final = struct.pack("ii", 1, 0)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        """Break a request, or hand it on."""
        proxy, length = self.server.proxy, int(self.headers["content-length"])
        if proxy.takes is not None and length > proxy.takes:
            self.close_connection = True  # as nginx does, it answers before the body is read
            return self.answer(413, b"<h1>413 Request Entity Too Large</h1>")
        body = self.rfile.read(length)
        proxy.requests.append(body)
        breaks = proxy.breaks.pop(0) if proxy.breaks else None
        if breaks is None or not breaks(self, body):
            self.answer(*self.handed_on(body))
        return None

    def handed_on(self, body: bytes) -> tuple[int, bytes]:
        """The intake's own answer."""
        connection = http.client.HTTPConnection(self.server.proxy.netloc)
        try:
            headers = {name: self.headers[name] for name in ("content-type", "authorization") if self.headers[name]}
            connection.request("POST", self.path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Answer."""
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def reset(self) -> None:
        """Cut the connection so that its other end notices."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    proxy: BrokenProxy

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that was cut is no news."""


class BrokenProxy:
    """Serves at an address of its own; each request meets the next of ``breaks``, then they all reach the intake."""

    def __init__(self, intake_url: str) -> None:
        self.netloc = urlsplit(intake_url).netloc
        self.breaks: list[Callable[[Handler, bytes], bool]] = []
        self.takes: int | None = None
        self.requests: list[bytes] = []
        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.proxy = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        """Serve until the end of a ``with``."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def page(status: int, body: bytes = b"<h1>Silakan masuk</h1>", **headers: str) -> Callable[[Handler, bytes], bool]:
    """Answer with a page of its own, and hand nothing on."""

    def breaks(handler: Handler, _: bytes) -> bool:
        handler.answer(status, body, **headers)
        return True

    return breaks


def cut_in_the_request(handler: Handler, _: bytes) -> bool:
    """Cut before anything is handed on."""
    handler.reset()
    return True


def cut_in_the_answer(handler: Handler, body: bytes) -> bool:
    """Hand the request on, and lose the answer."""
    handler.handed_on(body)
    handler.reset()
    return True


def half_an_answer(handler: Handler, body: bytes) -> bool:
    """Hand the request on, and break off in the midst of the answer."""
    status, content = handler.handed_on(body)
    handler.send_response(status)
    handler.send_header("content-length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True
    return True


def half_a_document(handler: Handler, body: bytes) -> bool:
    """Hand the request on, and answer with half of the document as if it were whole."""
    status, content = handler.handed_on(body)
    handler.answer(status, content[: len(content) // 2])
    return True


def account_of_fewer(handler: Handler, body: bytes) -> bool:
    """Hand the request on, and answer with an account of nothing."""
    handler.handed_on(body)
    handler.answer(200, b'{"accepted": 0, "duplicates": 0, "rejected": []}')
    return True
