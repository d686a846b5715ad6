"""Serves a built app with uvicorn until a signal ends it; streams end first, so that nothing has to be waited for."""

import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import uvicorn

from api.app import Built
from api.http.peers import PeerProtocol

SETTINGS: Final[dict[str, Any]] = {
    "http": PeerProtocol,
    "proxy_headers": False,  # `Arrivals` believes those alone that NERACA_PROXIES names
    "log_level": "warning",
    "lifespan": "off",
}
"""The settings by which every app is served, in tests too."""


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


def serve(app: Built, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Listen on an address until SIGTERM or SIGINT. Raises: ``OSError`` when it is taken."""
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
    name = f"[{host}]" if family == socket.AF_INET6 else host
    config = uvicorn.Config(app.app, access_log=False, timeout_graceful_shutdown=5, backlog=2048, **SETTINGS)
    ready(f"http://{name}:{listener.getsockname()[1]}/")
    _Server(config, app).run(sockets=[listener])
