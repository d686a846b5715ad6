"""The protocol of a connection: a request's head and its body have a bound on their time, and a head one on its length.

The rest of the body of a request that was answered already is read away: it is no head of a next request.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.http.connections import BODY_LEAST, HEAD_MOST, IN_STATE

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from api.http.connections import Connection, Connections

LEFT_MOST: Final = 16 * 2**20
"""The most bytes that are read away once a request is answered: those of the largest request."""
_SLOW: Final = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_LONG: Final = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class _Part(Enum):
    """The part of a request that comes next on a connection."""

    HEAD = "head"
    BODY = "body"


class BoundedProtocol(HttpToolsProtocol):
    """The server's own protocol with these bounds.

    ``connections`` count it, unless its peer is a web server in front: then each request is counted by its true caller.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - the server's own
        connections: Connections,
        is_front: Callable[[str], bool] = lambda _: False,
        **options: Any,  # noqa: ANN401 - the same
    ) -> None:
        super().__init__(*args, **options)
        self._connections = connections
        self._is_front = is_front
        self._connection: Connection | None = None
        self._part = _Part.HEAD
        self._timer: asyncio.TimerHandle | None = None
        self._size = 0
        """The bytes so far of the head that comes, or of the body within its time."""
        self._bare = 0
        """The bytes of a body since its last content: those of a chunk's extension, or of fields behind the last chunk."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base has it
        """Count the connection, and wait for its first head."""
        super().connection_made(transport)
        address = self.client[0] if self.client is not None else ""
        if not self._is_front(address):
            self._connection = self._connections.open(address, transport.abort)
            self.app_state = {**self.app_state, IN_STATE: self._connection}
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self._await_nothing()
        if self._connection is not None:
            self._connections.leave(self._connection)
        super().connection_lost(exc)

    def on_headers_complete(self) -> None:
        """Take what follows for a body; a message without one is complete at once."""
        super().on_headers_complete()
        self._part = _Part.BODY
        if self._connection is not None:
            self._connection.head_is_here()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field of a head; one behind the last chunk of a body is passed over, since nobody here speaks by it."""
        if self._part is _Part.HEAD:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Take content of a body."""
        self._bare = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take what follows for the head of a next request."""
        super().on_message_complete()
        self._part = _Part.HEAD

    def data_received(self, data: bytes) -> None:
        """Take bytes of a request; a head and a body have to end within their bounds."""
        before, part = self.cycle, self._part
        self._bare += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self.cycle is not before or self._part is not part:  # bytes of the read that begins a part are not counted
            self._await_nothing()
        else:
            self._size += len(data)
        if self._part is _Part.BODY:
            self._has_body()
        else:
            self._has_head()

    @property
    def _is_answered(self) -> bool:
        """True if no request of this connection waits for the end of its answer."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # none is there at first

    def _has_head(self) -> None:
        """Bytes of a head are here, or it is awaited: the server's own time for a next request ends when bytes come."""
        if self._is_answered and self._timer is None:
            self._await_head()
        if self._size > HEAD_MOST:
            self._refuse(_LONG)

    def _has_body(self) -> None:
        """Bytes of a body are here; of one that is read away there is an end."""
        if self._timer is None:
            self._await_body()
        if self._bare > HEAD_MOST:
            self._refuse(_LONG)
        if self._size > LEFT_MOST and self._is_answered:
            self.transport.close()

    def _await_nothing(self) -> None:
        self._size = self._bare = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _await_head(self) -> None:
        self._timer = self.loop.call_later(self._connections.head_s, self._refuse, _SLOW)

    def _await_body(self) -> None:
        self._timer = self.loop.call_later(self._connections.body_s, self._look_at_body)

    def _look_at_body(self) -> None:
        """A body's time is over: it goes on if enough of it came, or if it was this side that did not read."""
        if not self._is_answered and (
            self._size >= BODY_LEAST or self.flow.read_paused or self.cycle.waiting_for_100_continue
        ):
            self._size = 0
            self._await_body()
        else:
            self._refuse(_SLOW)

    def _refuse(self, answer: bytes) -> None:
        """End the connection, with an answer unless its request has one already, be it whole or in part."""
        if self.transport.is_closing():
            return
        if (self._part is _Part.HEAD and self._is_answered) or (
            self._part is _Part.BODY and not self.cycle.response_started and not self.pipeline
        ):
            self.transport.write(answer)
        self.transport.close()
