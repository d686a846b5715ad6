"""Shared pages: a page that many open at once is made once for all callers of one kind, until something it shows has moved.

A caller waits for a page that is being made without holding a thread.
"""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi import Request, Response
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from api.http.conditional import has_any, has_it

if TYPE_CHECKING:
    from collections.abc import Callable

COPIES_MOST: Final = 64
"""The most addresses cached: those of two languages and the periods that people look at."""
Key = tuple[str, str, str]
"""A path, a query and a caller."""


class _Copy(Struct):
    """A page as it was made; ``state`` is that of all it shows, ``until_s`` the time for which it is not even compared."""

    state: object
    until_s: float
    body: bytes
    headers: dict[str, str]


class SharedPages:
    """Copies of pages by address and caller. A refusal is never cached.

    ``state_of`` reads the state of all that pages show.
    """

    def __init__(self, state_of: Callable[[], object]) -> None:
        self._state_of = state_of
        self._copies: dict[Key, _Copy] = {}
        self._making: dict[Key, asyncio.Lock] = {}

    async def answer(
        self, request: Request, caller: str, make: Callable[[Request], Response], lifetime_s: float
    ) -> Response:
        """The page, or 304 to a caller who has it; for ``lifetime_s`` it may be one of a state before.

        ``make`` gets the request as if the caller had no copy.
        """
        key = (request.url.path, request.url.query, caller)
        copy = self._copies.get(key)
        if copy is None or copy.until_s <= time.monotonic():
            if len(self._making) > COPIES_MOST:
                self._making.clear()
            async with self._making.setdefault(key, asyncio.Lock()):
                result = await run_in_threadpool(self._renewed, key, request, make, lifetime_s)
            if isinstance(result, Response):
                return result
            copy = result
        conditions = request.headers.getlist("if-none-match")
        if has_any(conditions) or has_it(conditions, copy.headers["etag"]):
            kept_headers = {name: value for name, value in copy.headers.items() if not name.startswith("content-")}
            return Response(status_code=304, headers=kept_headers)
        return Response(copy.body, 200, copy.headers)

    def _renewed(
        self, key: Key, request: Request, make: Callable[[Request], Response], lifetime_s: float
    ) -> _Copy | Response:
        """The copy, made anew if its state has moved; or a refusal."""
        copy, state = self._copies.get(key), self._state_of()
        if copy is None or (copy.until_s <= time.monotonic() and copy.state != state):
            page = make(_without_tag(request))
            if page.status_code != HTTPStatus.OK:
                return page
            self._copies.pop(key, None)
            copy = self._copies[key] = _Copy(state, 0.0, bytes(page.body), dict(page.headers))
            while len(self._copies) > COPIES_MOST:
                self._copies.pop(next(iter(self._copies)), None)
        copy.until_s = max(copy.until_s, time.monotonic() + lifetime_s)
        return copy


def _without_tag(request: Request) -> Request:
    headers = [pair for pair in request.scope["headers"] if pair[0] != b"if-none-match"]
    return Request({**request.scope, "headers": headers}, request.receive)
