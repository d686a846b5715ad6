"""Reads a page as a person does: rows of cells, words without tags, links, and the figures as Indonesian writes them."""

from __future__ import annotations

import itertools
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final

from tests.pages.city import BUSY, FAST
from tests.serving import ELSEWHERE

if TYPE_CHECKING:
    from tests.serving import Assembled

PERSONAL: Final[dict[str, dict[str, Any]]] = {
    "personnel": {},
    "leader": {"dinas": [FAST]},
    "asn": {"asn": BUSY},
}
"""The roles that see a busy ASN and are no auditor's, with the limits of their tokens."""
FAR: Final[dict[str, Any]] = {"caller": ELSEWHERE, "host": "neraca.example"}
"""Asked from another machine, by the city's own name: there a token matters."""
_number: Final = itertools.count()
_CELLS = frozenset({"td", "th", "dt", "dd", "caption", "h1", "h2", "p", "option", "code"})


class Page(HTMLParser):
    """A page taken apart: ``rows`` of cell texts, ``texts`` of every block by its tag, ``links``, ``tags`` with attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.bodies: list[int] = []
        self.texts: list[tuple[str, str]] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block."""
        self.tags.append((tag, dict(attrs)))
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag == "tbody":
            self.bodies.append(len(self.rows))
        if tag == "tr":
            self.rows.append([])
        if tag in _CELLS:
            self._open.append((tag, []))

    def handle_data(self, data: str) -> None:
        """Words belong to every block around them."""
        for _, words in self._open:
            words.append(data)

    def handle_endtag(self, tag: str) -> None:
        """End a block."""
        if self._open and self._open[-1][0] == tag:
            _, words = self._open.pop()
            text = " ".join(" ".join(words).split())
            self.texts.append((tag, text))
            if tag in ("td", "th") and self.rows:
                self.rows[-1].append(text)

    def all(self, tag: str) -> list[str]:
        """The texts of every block of a kind."""
        return [text for name, text in self.texts if name == tag]

    def row(self, name: str) -> list[str]:
        """The first row with a cell that begins with a name."""
        return next(row for row in self.rows if any(cell.startswith(name) for cell in row))

    def has(self, *steps: tuple[str, str]) -> bool:
        """True if the pairs of dt and dd are on the page."""
        return set(steps) <= set(zip(self.all("dt"), self.all("dd"), strict=False))


def as_role(city: Assembled, role: str) -> dict[str, Any]:
    """The options of ``ask`` for a caller with a new token of one role, which sees what the role shows of a busy ASN."""
    token = city.token(f"{role}-{next(_number)}", role, **PERSONAL.get(role, {}))
    return {"headers": {"authorization": token}}


def page(city: Assembled, path: str, status: int = 200, **options: Any) -> Page:  # noqa: ANN401 - the keywords of ``ask``
    """A page as it is answered, taken apart."""
    answer = city.get(path, **options)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Page(answer.text)


def journal_rows(view: Page) -> list[list[str]]:
    """The rows of the journal's table, as it is drawn."""
    return [row for row in view.rows if len(row) == 7][1:]


def older(view: Page) -> str:
    """The address of the journal's page of older entries, if there is one."""
    return next((link for link in view.links if "cursor=" in link and "lang=" not in link), "")


def figure(value: float | None, places: int = 2) -> str:
    """A figure as Indonesian writes it, made here apart from the pages."""
    if value is None:
        return "–"
    whole, _, decimals = f"{abs(value):.{places}f}".partition(".")
    groups = []
    while whole:
        groups.append(whole[-3:])
        whole = whole[:-3]
    text = ".".join(reversed(groups)) + ("," + decimals if decimals else "")
    return f"−{text}" if value < 0 else text
