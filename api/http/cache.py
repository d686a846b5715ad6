"""Fresh answers: a public read is answered again from memory while nothing that it rests on has moved.

This comes before the framework, so a repeated read costs next to nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.datastructures import Headers

from api.http.conditional import has_any, has_it

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from projections.reading.reader import Reader
    from projections.reading.version import Version

KEPT: Final = 256


class Answer(NamedTuple):
    """An answer, and the version of the balances it rests on."""

    version: Version
    until_us: int | None
    etag: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answers:
    """Recent answers to public reads, by address."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._answers: dict[tuple[str, bytes], Answer] = {}
        self._making: dict[tuple[str, bytes], asyncio.Lock] = {}

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
        self._answers[path, query] = Answer(version, until_us, etag, headers, body)

    def making(self, path: str, query: bytes) -> asyncio.Lock:
        """The lock of an answer that is being made: another caller of the same address waits for it, and holds no thread."""
        if len(self._making) >= KEPT:
            self._making.clear()
        return self._making.setdefault((path, query), asyncio.Lock())

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
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        answer = self._answers.fresh(scope["path"], scope["query_string"])
        if answer is None:
            await self._app(scope, receive, send)
            return
        conditions = Headers(scope=scope).getlist("if-none-match")
        if has_any(conditions) or has_it(conditions, answer.etag):
            kept_headers = [
                header for header in answer.headers if header[0] not in (b"content-length", b"content-type")
            ]
            await send({"type": "http.response.start", "status": 304, "headers": kept_headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
