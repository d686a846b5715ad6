"""Admission: a request beyond the bounds of connections is answered if its caller has a standing token, else with 503."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request

from api.http.connections import IN_STATE, connection_of
from api.http.doors import caller_address
from api.http.problems import problem_response
from api.http.threads import bound_readers
from domain.access.grant import is_standing
from domain.refusal import Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from api.http.access import Access
    from api.http.connections import Connection, Connections
    from api.http.threads import Threads

BUSY_S = "5"


class Admission:
    """ASGI middleware before everything that costs time."""

    def __init__(self, app: ASGIApp, access: Access, connections: Connections, threads: Threads) -> None:
        self._app = app
        self._access = access
        self._connections = connections
        self._threads = threads
        self._is_bound = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that too many are here."""
        if not self._is_bound:
            self._is_bound = True
            bound_readers()
        address, connection = caller_address(scope), connection_of(scope)
        if connection is not None and connection.address == address:
            await self._admit(connection, scope, receive, send)
            return
        connection = self._connections.open(address)
        connection.head_is_here()
        try:
            state = {**(scope.get("state") or {}), IN_STATE: connection}
            await self._admit(connection, {**scope, "state": state}, receive, send)
        finally:
            self._connections.leave(connection)

    async def _admit(self, connection: Connection, scope: Scope, receive: Receive, send: Send) -> None:
        if not connection.enters() and not await self._threads.admit(self._is_known, Request(scope)):
            refusal = Refusal("unavailable", "too many connections are open, here or from your address; come again")
            headers = {"retry-after": BUSY_S, "connection": "close"}
            await problem_response(refusal, headers)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_known(self, request: Request) -> bool:
        """True if the caller has a standing token or session; it is then counted no more."""
        try:
            grant = self._access.grant(request)
        except Refusal:
            return False
        return grant is not None and is_standing(grant)
