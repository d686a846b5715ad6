"""HEAD is GET without a body: the same headers, those of a compressed answer too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BEGUN_S: Final = 0.5
"""The time in which the answer to a HEAD may end by itself once its body has begun."""


class Heads:
    """ASGI middleware that answers HEAD with the headers of GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything but HEAD on as it is."""
        if scope["method"] == "HEAD":
            await _without_body(self._app, {**scope, "method": "GET"}, receive, send)
        else:
            await self._app(scope, receive, send)


async def _without_body(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """The headers of GET; a body that has only begun, such as that of the stream, is not waited for."""
    first_byte = asyncio.Event()

    async def headers_only(message: Message) -> None:
        if first_byte.is_set():
            return
        if message["type"] == "http.response.body":
            first_byte.set()
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    answering = asyncio.ensure_future(app(scope, receive, headers_only))
    waiting = asyncio.ensure_future(first_byte.wait())
    try:
        await asyncio.wait({answering, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            await asyncio.wait({answering}, timeout=BEGUN_S)
    finally:
        is_over = answering.done()
        answering.cancel()
        waiting.cancel()
        await asyncio.wait({answering, waiting})
    if is_over:
        answering.result()
