"""Addresses of the pages: they carry the language on, and contain ids verbatim, percent-encoded."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, urlencode

from domain.access.policy import allowed
from domain.access.subjects import SOME, Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastapi import Request

    from api.pages.catalog import Code
    from domain.access.grant import Grant
    from domain.access.policy import Action


class Caller(NamedTuple):
    """The grant of a caller, and the instant of the call."""

    grant: Grant | None
    now_us: int


class Links:
    """Addresses in one language; with the request for the page at hand, also addresses of that page.

    A link that would end in a refusal is not offered to the caller.
    """

    def __init__(self, code: Code, request: Request | None = None, caller: Caller | None = None) -> None:
        self._request = request
        self._code = code
        self._caller = caller or Caller(None, 0)

    def opens(self, action: Action, dinas: str = "") -> bool:
        """True if the caller may do an action: to a dinas, if one is named, else to some subject."""
        return allowed(self._caller.grant, action, Unit(dinas) if dinas else SOME, self._caller.now_us)

    def leads(self, steps: Sequence[str]) -> bool:
        """True if the page of a file or a task, by the steps of its address, opens to the caller."""
        kind, subject, _ = steps
        return self.opens("read-files", subject) if kind == "dinas" else self.opens("read-person")

    @property
    def guest(self) -> bool:
        """True if the caller holds no grant: signing in may open more."""
        return self._caller.grant is None

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
