"""Fresh answers: a public read once answered is answered again from memory while nothing it rests on has moved.

Also HEAD, which is GET without a body. Sits before the framework, so that a repeated read costs next to nothing.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from projections.reading.reader import Reader
    from projections.reading.version import Version

KEPT: Final = 256
BEGUN_S: Final = 0.5
"""How long a HEAD lets an answer end by itself once its body has begun."""


class _Held(NamedTuple):
    version: Version
    until_us: int | None
    etag: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answers:
    """Recent answers to public reads, by what was asked."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._held: dict[tuple[str, bytes], _Held] = {}
        self._making: dict[tuple[str, bytes], threading.Lock] = {}

    def keep(
        self,
        path: str,
        query: bytes,
        version: Version,
        until_us: int | None,
        etag: str,
        headers: list[tuple[bytes, bytes]],
        body: bytes,
    ) -> None:
        """Remember an answer that rests on ``version``, and no longer than ``until_us``."""
        if len(self._held) >= KEPT:
            self._held.clear()
        self._held[path, query] = _Held(version, until_us, etag.encode(), headers, body)

    def making(self, path: str, query: bytes) -> threading.Lock:
        """Held while an answer is made: who asks the same meanwhile waits for it, and does not make it again."""
        if len(self._making) >= KEPT:
            self._making.clear()
        return self._making.setdefault((path, query), threading.Lock())

    def fresh(self, path: str, query: bytes) -> _Held | None:
        """An earlier answer, if nothing it rests on has moved."""
        held = self._held.get((path, query))
        if held is None or (held.until_us is not None and self._reader.now_us() >= held.until_us):
            return None
        return held if self._reader.is_current(held.version) else None


class FreshAnswers:
    """ASGI middleware over an app's reads."""

    def __init__(self, app: ASGIApp, answers: Answers) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a fresh read at once; pass everything else on."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            await _without_body(self, {**scope, "method": "GET"}, receive, send)
            return
        held = self._answers.fresh(scope["path"], scope["query_string"])
        if held is None:
            await self._app(scope, receive, send)
            return
        if any(name == b"if-none-match" and held.etag in value for name, value in scope["headers"]):
            unchanged = [header for header in held.headers if header[0] not in (b"content-length", b"content-type")]
            await send({"type": "http.response.start", "status": 304, "headers": unchanged})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": held.headers})
        await send({"type": "http.response.body", "body": held.body})


async def _without_body(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """GET's headers; a body that has only begun, as of the stream, is not waited for."""
    begun = asyncio.Event()

    async def headers_only(message: Message) -> None:
        if begun.is_set():
            return
        if message["type"] == "http.response.body":
            begun.set()
            message = {"type": "http.response.body", "body": b""}
        await send(message)

    answering = asyncio.ensure_future(app(scope, receive, headers_only))
    waiting = asyncio.ensure_future(begun.wait())
    try:
        await asyncio.wait({answering, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            await asyncio.wait({answering}, timeout=BEGUN_S)
    finally:
        ended = answering.done()
        answering.cancel()
        waiting.cancel()
        await asyncio.wait({answering, waiting})
    if ended:
        answering.result()
