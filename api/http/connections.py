"""Connections: how many a process holds for callers without a standing token.

A caller with a token always comes in. So a connection beyond the bounds is not refused before its head is read; until then it
waits among a few, and the oldest of these gives way. `api/http/protocol.py` counts them, and bounds the time of a request.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST: Final = 256
"""The most connections of callers without a standing token or session."""
ADDRESS_MOST: Final = 64
"""The most of them from one address: a school or an office behind one."""
BEYOND_MOST: Final = 256
"""The most connections beyond these bounds that wait for the head of a request."""
HEAD_S: Final = 10.0
"""The longest time that the head of a request may take."""
HEAD_MOST: Final = 64 * 2**10
"""The most bytes of a request's head."""
BODY_S: Final = 10.0
"""The longest time in which a body neither ends nor goes on by ``BODY_LEAST`` bytes."""
BODY_LEAST: Final = 10 * 2**10
"""The bytes by which a body goes on within its time on the slowest networks that counters have."""
IN_STATE: Final = "neraca.connection"
"""The name under which a request's state has its connection."""


class Connection:
    """One connection, or one request of a web server in front: the address of its caller, and what it counts as."""

    def __init__(self, connections: Connections, address: str, end: Callable[[], None]) -> None:
        self._connections = connections
        self.address = address
        self.end = end
        self.beyond = False
        """True while the bounds are reached and nothing says that its caller has a token."""
        self.counted = False
        self.waits = True
        """True until the head of its first request is there."""

    def vouch(self) -> None:
        """Its caller has a standing token or session, and is counted no more."""
        if self.counted or self.beyond:
            self._connections.leave(self)
            self.beyond = False

    def enters(self) -> bool:
        """True if it stands within the bounds, or there is room for it by now."""
        return not self.beyond or self._connections.enter(self)

    def head_is_here(self) -> None:
        """The head of a request is there: it does not give way any more."""
        self.waits = False


class Connections:
    """The connections of a process. Thread-safe: a caller's token is looked up beside the event loop."""

    def __init__(
        self, address_most: int = ADDRESS_MOST, most: int = MOST, *, head_s: float = HEAD_S, body_s: float = BODY_S
    ) -> None:
        self._most = most
        self._address_most = address_most
        self.head_s = head_s
        self.body_s = body_s
        self._lock = threading.Lock()
        self._total = 0
        self._by_address = Counter[str]()
        self._beyond = dict[Connection, None]()

    def open(self, address: str, end: Callable[[], None] = lambda: None) -> Connection:
        """A new connection from an address; ``end`` closes it where it has to give way."""
        connection = Connection(self, address, end)
        oldest = None
        with self._lock:
            if self._take_room(connection):
                return connection
            connection.beyond = True
            if len(self._beyond) >= BEYOND_MOST:
                oldest = next((other for other in self._beyond if other.waits), connection)
            self._beyond[connection] = None
        if oldest is not None:
            self.leave(oldest)
            oldest.end()
        return connection

    def enter(self, connection: Connection) -> bool:
        """Count a connection beyond the bounds within them, if there is room by now."""
        with self._lock:
            if not self._take_room(connection):
                return False
            self._beyond.pop(connection, None)
            connection.beyond = False
            return True

    def _take_room(self, connection: Connection) -> bool:
        if self._total >= self._most or self._by_address.get(connection.address, 0) >= self._address_most:
            return False
        connection.counted = True
        self._total += 1
        self._by_address[connection.address] += 1
        return True

    def leave(self, connection: Connection) -> None:
        """Count a connection no more: it has ended, or its caller has a token."""
        with self._lock:
            self._beyond.pop(connection, None)
            if not connection.counted:
                return
            connection.counted = False
            self._total -= 1
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]


def connection_of(scope: Mapping[str, Any]) -> Connection | None:
    """The connection that a request came by; none for one of a web server in front, or without any."""
    connection: Connection | None = (scope.get("state") or {}).get(IN_STATE)
    return connection


def vouch(scope: Mapping[str, Any]) -> None:
    """The caller of a request has a standing token or session."""
    connection = connection_of(scope)
    if connection is not None:
        connection.vouch()
