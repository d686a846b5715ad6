"""Fresh answers: a public read is answered again from memory while nothing that it rests on has moved.

Also HEAD, which is GET without a body. It comes before the framework, so a repeated read costs next to nothing.
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
"""The time in which the answer to a HEAD may end by itself once its body has begun."""


class Answer(NamedTuple):
    """An answer, and the version of the balances it rests on."""

    version: Version
    until_us: int | None
    etag: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answers:
    """Recent answers to public reads, by address."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._answers: dict[tuple[str, bytes], Answer] = {}
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
        if len(self._answers) >= KEPT:
            self._answers.clear()
        self._answers[path, query] = Answer(version, until_us, etag.encode(), headers, body)

    def making(self, path: str, query: bytes) -> threading.Lock:
        """The lock of an answer that is being made: another caller of the same address waits for that answer."""
        if len(self._making) >= KEPT:
            self._making.clear()
        return self._making.setdefault((path, query), threading.Lock())

    def fresh(self, path: str, query: bytes) -> Answer | None:
        """An earlier answer, if nothing it rests on has moved."""
        answer = self._answers.get((path, query))
        if answer is None or (answer.until_us is not None and self._reader.now_us() >= answer.until_us):
            return None
        return answer if self._reader.is_current(answer.version) else None


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
        answer = self._answers.fresh(scope["path"], scope["query_string"])
        if answer is None:
            await self._app(scope, receive, send)
            return
        if any(name == b"if-none-match" and answer.etag in value for name, value in scope["headers"]):
            headers = [header for header in answer.headers if header[0] not in (b"content-length", b"content-type")]
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})


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
