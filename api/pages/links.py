"""Addresses of the pages: they carry the language on, and contain ids verbatim, percent-encoded."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Collection

    from fastapi import Request

    from api.pages.catalog import Code


class Links:
    """Addresses in one language; with the request for the page at hand, also addresses of that page.

    ``scopes`` are those of the caller: a link that would end in a refusal is not offered.
    """

    def __init__(self, code: Code, request: Request | None = None, scopes: Collection[str] = ()) -> None:
        self._request = request
        self._code = code
        self._scopes = frozenset(scopes)

    def opens(self, scope: str) -> bool:
        """True if pages that need a scope open to the caller."""
        return scope in self._scopes

    @property
    def guest(self) -> bool:
        """True if the caller holds no right at all: signing in may open more."""
        return not self._scopes

    def __call__(self, *steps: str, **query: str) -> str:
        """The address of a page."""
        query |= {"lang": "en"} if self._code == "en" else {}
        path = "/" + "/".join(quote(step, safe="") for step in steps)
        return f"{path}?{urlencode(query)}" if query else path

    def data(self, *steps: str, **query: str) -> str:
        """The address of the same figures in the API."""
        path = f"/v1/{'/'.join(quote(step, safe='') for step in steps)}"
        return f"{path}?{urlencode(query)}" if query else path

    @property
    def tour(self) -> str:
        """The step of a tour that shows the page at hand; a form of the page passes it on."""
        return "" if self._request is None else self._request.query_params.get("tur", "")

    @property
    def toured(self) -> dict[str, str]:
        """The step of a tour as the query of a link that goes on with it."""
        return {"tur": self.tour} if self.tour else {}

    def here(self, code: Code) -> str:
        """The page at hand, in a language."""
        return self._here(code)

    def table(self, name: str) -> str:
        """A table of the page at hand for a spreadsheet; a paged list starts from its beginning."""
        return self._here(self._code, csv=name)

    def rest(self, name: str, cursor: str, page: tuple[str, ...]) -> str:
        """The address of the rest of a table that is too long for one file; ``page`` names another page that lists it."""
        if not page:
            return self._here(self._code, csv=name, cursor=cursor)
        period = "" if self._request is None else self._request.query_params.get("period", "")
        return self(*page, csv=name, cursor=cursor, **({"period": period} if period else {}))

    def _here(self, code: Code, **parameters: str) -> str:
        assert self._request is not None, "there is a page at hand"  # noqa: S101 - for the type checker
        left_out = {"lang", *parameters, *(("cursor",) if parameters else ())}
        query = [(name, value) for name, value in self._request.query_params.multi_items() if name not in left_out]
        query += [*parameters.items(), *([("lang", "en")] if code == "en" else [])]
        path = quote(self._request.scope["path"])
        return f"{path}?{urlencode(query)}" if query else path


def code_of(request: Request) -> Code:
    """The language that a request asks for."""
    return "en" if request.query_params.get("lang") == "en" else "id"


def anchor_of(dinas: str) -> str:
    """The anchor of a dinas on a page: its id may hold any character, an anchor may not."""
    return f"d-{hashlib.sha256(dinas.encode()).hexdigest()[:12]}"
