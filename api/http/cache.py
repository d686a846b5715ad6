"""Fresh answers: a public read is answered again from memory while nothing that it rests on has moved.

This comes before the framework, so a repeated read costs next to nothing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request

from api.http.conditional import has_any, has_it
from api.http.disclosure import PUBLIC, View, view_to
from api.http.guards import mark_for_one
from api.http.operator import takes_look_up

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from api.http.access import Access
    from projections.reading.reader import Reader
    from projections.reading.version import Version

KEPT: Final = 256


class Answer(NamedTuple):
    """An answer, the version of the balances it rests on, and an instant beyond which it is another one, if there is one."""

    version: Version
    until_us: int | None
    etag: str
    headers: list[tuple[bytes, bytes]]
    body: bytes


Key = tuple[str, bytes, View]
"""The path and the query of an address, and the part of the figures that its caller is served."""


def key_of(scope: Mapping[str, Any], view: View) -> Key:
    """The key of the answer to a request."""
    return scope["path"], scope["query_string"], view


class Answers:
    """Recent answers to public reads."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._answers: dict[Key, Answer] = {}
        self._making: dict[Key, asyncio.Lock] = {}

    def keep(self, key: Key, answer: Answer) -> None:
        """Remember an answer."""
        if len(self._answers) >= KEPT:
            self._answers.clear()
        self._answers[key] = answer

    def making(self, key: Key) -> asyncio.Lock:
        """The lock of an answer that is being made: another caller of the same address waits for it, and holds no thread."""
        if len(self._making) >= KEPT:
            self._making.clear()
        return self._making.setdefault(key, asyncio.Lock())

    def fresh(self, key: Key) -> Answer | None:
        """An earlier answer, if nothing it rests on has moved."""
        answer = self._answers.get(key)
        if answer is None or (answer.until_us is not None and self._reader.now_us() >= answer.until_us):
            return None
        return answer if self._reader.is_current(answer.version) else None


class FreshAnswers:
    """ASGI middleware over an app's reads."""

    def __init__(self, app: ASGIApp, answers: Answers, access: Access) -> None:
        self._app = app
        self._answers = answers
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a fresh read at once; pass everything else on."""
        if scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if "authorization" in headers or "cookie" in headers:  # whose they are takes a look-up, which is not done here
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if takes_look_up(request):
            view = await run_in_threadpool(view_to, self._access, request)
        else:
            view = view_to(self._access, request)
        answer = self._answers.fresh(key_of(scope, view))
        if answer is None:
            await self._app(scope, receive, send)
            return
        if view != PUBLIC:
            mark_for_one(scope)
        conditions = headers.getlist("if-none-match")
        if has_any(conditions) or has_it(conditions, answer.etag):
            kept_headers = [
                header for header in answer.headers if header[0] not in (b"content-length", b"content-type")
            ]
            await send({"type": "http.response.start", "status": 304, "headers": kept_headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})
