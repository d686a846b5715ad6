"""Guards: the headers that every answer has, whoever made it, and what a browser may keep of an answer for one caller."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import MutableHeaders

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
GUARDS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # without any, a form sent over plain HTTP names no origin, and is refused
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""No other site frames an answer, embeds it, or runs anything in it."""
_RAW: Final = [(name.encode(), value.encode()) for name, value in GUARDS.items()]
FOR_ONE: Final = "private, no-store"
"""The caching of an answer that rests on the rights of its caller: nobody finds it in a browser after signing out."""
_IN_SCOPE: Final = "neraca.for_one"
_REFUSED: Final = 400


def mark_for_one(scope: Mapping[str, Any]) -> None:
    """Note that the answer to a request rests on the rights of its caller."""
    note: dict[str, bool] = scope.get(_IN_SCOPE, {})
    note["noted"] = True


class Guarded:
    """ASGI middleware, the outermost: no answer leaves without its guards."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the guards, which nothing within the app sets.

        Raises: ``ValueError`` for anything but a request of HTTP, so that nothing within the app meets it.
        """
        if scope["type"] != "http":
            message = f"only HTTP is served, not {scope['type']}"
            raise ValueError(message)
        note: dict[str, bool] = {}  # the parts of the app hand on copies of the scope, which share it

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_RAW]}
                if note:
                    MutableHeaders(raw=message["headers"])["cache-control"] = FOR_ONE
                elif message["status"] >= _REFUSED:
                    MutableHeaders(raw=message["headers"]).setdefault("cache-control", "no-store")
            await send(message)

        await self._app({**scope, _IN_SCOPE: note}, receive, send_guarded)
