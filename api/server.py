"""Serves a built app with uvicorn until a signal ends it; streams end first, so that nothing has to be waited for."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from api.app import Built
from api.http.connections import Connections
from api.http.peers import PeerProtocol
from api.http.protocol import BoundedProtocol


class Protocol(PeerProtocol, BoundedProtocol):
    """The server's own protocol: a request knows the other end of its connection, and its head and body have bounds."""


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: Built) -> None:
        super().__init__(config)
        self._built = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM ends the serving alone: uvicorn would raise it again and end the process before its parts."""
        if sig == signal.SIGTERM:
            self.should_exit = True
        else:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._built.end_streams()
        await super().shutdown(sockets)
        self._built.close()


def config_of(app: Built) -> uvicorn.Config:
    """The settings by which an app is served."""
    return _config(app.app, app.connections, app.is_front)


def _config(app: ASGIApp, connections: Connections, is_front: Callable[[str], bool]) -> uvicorn.Config:
    protocol: Any = partial(Protocol, connections=connections, is_front=is_front)
    return uvicorn.Config(
        app,
        http=protocol,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",  # a package for websockets, where one is installed, would put its own protocol in place of ours
        timeout_graceful_shutdown=5,
        backlog=2048,
        server_header=False,
        proxy_headers=False,  # of whom forwarded addresses are believed is decided by the app
    )


def serve(
    app: Built, host: str, port: int, ready: Callable[[str], None], operations: tuple[str, int] | None = None
) -> None:
    """Listen on an address until SIGTERM or SIGINT; ``operations`` is that of health, readiness and metrics in full.

    Raises: ``OSError`` when one of them is taken.
    """
    listener, name = _listener(host, port)
    with _operations(app, operations):
        ready(f"http://{name}:{listener.getsockname()[1]}/")
        _Server(config_of(app), app).run(sockets=[listener])


@contextmanager
def _operations(app: Built, address: tuple[str, int] | None) -> Iterator[None]:
    """Serve health, readiness and metrics in full on an address of their own meanwhile, in a thread of their own."""
    if address is None:
        yield
        return
    listener, _ = _listener(*address)
    server = uvicorn.Server(_config(app.operations, Connections(), lambda _: False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="neraca-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(5)


def _listener(host: str, port: int) -> tuple[socket.socket, str]:
    """A socket that listens on an address, and the name of its host in an address. Raises: ``OSError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, which is how asyncio knows to send at once: otherwise each answer waits 40 ms for the one before.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)  # whoever reads the address may connect at once
    except OSError as error:
        listener.close()
        message = f"cannot listen on {host}:{port}: {error.strerror}"
        raise OSError(message) from error
    return listener, f"[{host}]" if family == socket.AF_INET6 else host
