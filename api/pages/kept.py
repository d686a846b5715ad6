"""Pages that a whole city may open at once: each made once a second at most, whoever asks, and tagged like any other.

What such a page does not know of an address is left out of it, so that no address is another page.
"""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request, Response
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT_S: Final = 1.0
KNOWN: Final = ("period", "lang", "csv", "tur")
KEPT_MOST: Final = 64
"""Addresses: two languages of the periods that people look at."""


class _Kept(Struct):
    until_s: float
    body: bytes
    headers: dict[str, str]


class KeptPages:
    """Answers by address and by who asks; only what was a page is kept, never a refusal."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], _Kept] = {}
        self._making = threading.Lock()

    def answer(self, request: Request, who: str, make: Callable[[Request], Response]) -> Response:
        """The page, or 304 to who holds the same. ``make`` is asked as if the caller held nothing."""
        request = _known(request)
        key = (request.url.path, request.url.query, who)
        with self._making:
            held = self._kept.get(key)
            if held is None or held.until_s < time.monotonic():
                made = make(_without_tag(request))
                if made.status_code != HTTPStatus.OK:
                    return made
                self._kept.pop(key, None)
                held = self._kept[key] = _Kept(time.monotonic() + KEPT_S, bytes(made.body), dict(made.headers))
                while len(self._kept) > KEPT_MOST:
                    del self._kept[next(iter(self._kept))]
        if held.headers["etag"] in request.headers.get("if-none-match", ""):
            said = {name: value for name, value in held.headers.items() if not name.startswith("content-")}
            return Response(status_code=304, headers=said)
        return Response(held.body, 200, held.headers)


def _known(request: Request) -> Request:
    said = [(name, request.query_params[name]) for name in KNOWN if name in request.query_params]
    return Request({**request.scope, "query_string": urlencode(said).encode()}, request.receive)


def _without_tag(request: Request) -> Request:
    headers = [pair for pair in request.scope["headers"] if pair[0] != b"if-none-match"]
    return Request({**request.scope, "headers": headers}, request.receive)
