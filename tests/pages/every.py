"""Every page of the router with an address of it in the small city, for tests that look at all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.pages.router import PAGES
from tests.pages.city import BUSY, FAST
from tests.pages.messages import ID

if TYPE_CHECKING:
    from api.pages.page import Page

BLANKS: Final = {"dinas": FAST, "asn": BUSY, "position": "400"}
QUERIES: Final = {"/dinas/{dinas}/file": "service=ktp-el&case=B-0", "/asn/{asn}/task": "at=1019"}
"""The queries without which a page would be a refusal."""
PRACTISED: Final = frozenset({"/latihan"})
"""Pages that are served in practice alone."""


def address(path: str) -> str:
    """An address of a page: its blanks filled, and its query."""
    query = QUERIES.get(path)
    return path.format(**BLANKS) + (f"?{query}" if query else "")


ADDRESSES: Final = {path: address(path) for path in PAGES if path not in PRACTISED}
"""An address for each page that the small city serves, by its path."""


def tables_of(page: type[Page]) -> list[str]:
    """The names of the tables that a page hands over: it knows them before it holds anything."""
    empty = page(**dict.fromkeys(page.__struct_fields__))
    return list(empty.tables(ID))
