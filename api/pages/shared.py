"""Pages that a whole city may open at once: each is made once a second at most for all callers, and tagged like any page.

Parameters of an address that such a page does not know are dropped, so that no address becomes another page by them.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from msgspec import Struct

from api.http.conditional import has_any, has_it

if TYPE_CHECKING:
    from collections.abc import Callable

LIFETIME_S: Final = 1.0
PARAMETERS: Final = ("period", "lang", "csv", "tur")
COPIES_MOST: Final = 64
"""The most addresses cached: those of two languages and the periods that people look at."""


class _Copy(Struct):
    until_s: float
    body: bytes
    headers: dict[str, str]


class SharedPages:
    """Copies of pages by address and caller. A refusal is never cached."""

    def __init__(self) -> None:
        self._copies: dict[tuple[str, ...], _Copy] = {}
        self._lock = threading.Lock()

    def answer(self, request: Request, caller: str, make: Callable[[Request], Response]) -> Response:
        """The page, or 304 to a caller who has it. ``make`` gets the request as if the caller had no copy."""
        request = _shared(request)
        key = (request.url.path, request.url.query, caller)
        with self._lock:
            copy = self._copies.get(key)
            if copy is None or copy.until_s < time.monotonic():
                page = make(_without_tag(request))
                if page.status_code != HTTPStatus.OK:
                    return page
                self._copies.pop(key, None)
                copy = self._copies[key] = _Copy(time.monotonic() + LIFETIME_S, bytes(page.body), dict(page.headers))
                while len(self._copies) > COPIES_MOST:
                    del self._copies[next(iter(self._copies))]
        conditions = request.headers.getlist("if-none-match")
        if has_any(conditions) or has_it(conditions, copy.headers["etag"]):
            kept_headers = {name: value for name, value in copy.headers.items() if not name.startswith("content-")}
            return Response(status_code=304, headers=kept_headers)
        return Response(copy.body, 200, copy.headers)


def _shared(request: Request) -> Request:
    """The request with the parameters of its address that a shared page knows."""
    query = [(name, request.query_params[name]) for name in PARAMETERS if name in request.query_params]
    return Request({**request.scope, "query_string": urlencode(query).encode()}, request.receive)


def _without_tag(request: Request) -> Request:
    headers = [pair for pair in request.scope["headers"] if pair[0] != b"if-none-match"]
    return Request({**request.scope, "headers": headers}, request.receive)
