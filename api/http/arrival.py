"""Arrival: the first thing that happens to a request. It gets its doors, and from a web server in front its true caller.

Forwarded headers of anybody else say nothing. One in front that sends none has not been configured, and is told so.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers

from api.http.doors import IN_SCOPE
from api.http.problems import problem_response
from domain.refusal import Refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.http.doors import Doors

CALLER: Final = "x-forwarded-for"
SCHEME: Final = "x-forwarded-proto"
HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
"""For a year a browser comes to this name over TLS alone."""


class Arrivals:
    """ASGI middleware around everything that asks who calls."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its true caller and scheme."""
        if self._doors.is_https:
            send = _with_hsts(send)
        try:
            scope = {**scope, **self._caller(scope), IN_SCOPE: self._doors}
        except Refusal as refusal:
            await problem_response(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _caller(self, scope: Scope) -> dict[str, object]:
        """The true caller and scheme, where a web server in front states them. Raises: ``Refusal`` when it does not."""
        peer = scope.get("client")
        if peer is None or not self._doors.believes(peer[0]):
            return {}
        headers = Headers(scope=scope)
        schemes = [text.strip().lower() for text in headers.getlist(SCHEME)]
        if len(schemes) != 1 or schemes[0] not in ("http", "https"):
            raise _unconfigured(SCHEME, "must be http or https, once")
        return {"client": (self._first_stranger(headers), 0), "scheme": schemes[0]}

    def _first_stranger(self, headers: Headers) -> str:
        """The nearest address that is none of the web servers in front; of them alone, the farthest."""
        texts = [text.strip() for line in headers.getlist(CALLER) for text in line.split(",")]
        address = ""
        for text in reversed(texts):
            address = _address(text)
            if not self._doors.believes(address):
                return address
        if not address:
            raise _unconfigured(CALLER, "must name the caller")
        return address


def _address(text: str) -> str:
    """An address without its port and brackets. Raises: ``Refusal``."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    try:
        return str(ipaddress.ip_address(host.partition(":")[0] if host.count(":") == 1 else host))
    except ValueError:
        raise _unconfigured(CALLER, f"{text[:80]!r} is no address") from None


def _unconfigured(header: str, fault: str) -> Refusal:
    detail = f"{header}: {fault}; the web server in front, which NERACA_PROXIES names, must send it"
    return Refusal("malformed-headers", detail)


def _with_hsts(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), HSTS]}
        await send(message)

    return sending
