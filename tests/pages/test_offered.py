"""No page offers a link or a form that ends in a refusal: to a guest, and to a token that does not cover it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from api.app import build
from tests.pages.city import BUSY, FAST, MONTH, RARE, REPLAYED, TWIN, settle_in
from tests.pages.every import ADDRESSES
from tests.pages.reading import FAR, Page, page
from tests.serving import Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTS: Final = (
    *(address for address in ADDRESSES.values() if not address.startswith("/nilai")),
    f"/?{MONTH}",
    f"/publik?{MONTH}",
    f"/dinas/{TWIN}?{MONTH}",
    f"/dinas/{FAST}?{MONTH}&lang=en",
    f"/?{MONTH}&lang=en",
    "/dinas/tidak-ada",
    "/latihan",
    "/latihan/petugas-1",
    "/latihan/asn-1",
    "/latihan/pimpinan-3",
    "/latihan/auditor-1",
    "/?tur=pimpinan-3",
    REPLAYED,
)
REFUSALS: Final = (401, 403)
PERSONS: Final = tuple(f"/asn/{asn}" for asn in (BUSY, RARE))
"""The pages of persons of the city; tours of practice lead to others, of a city of its own."""
TYPED: Final = {"asn": BUSY, "dinas": FAST, "q": FAST, "case": "B-0", "service": "ktp-el", "until": "400"}
"""The words that a visitor types into a field that has none yet."""
SIGNS_IN: Final = frozenset({"/masuk", "/masuk/tautan", "/keluar"})
"""Forms about the token itself, and the operator's link."""


class Forms(HTMLParser):
    """The forms of a page: method, address, and the fields that a browser sends."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, dict[str, str]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, or take a field."""
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((has.get("method", "get"), has.get("action", ""), {}))
        elif tag in ("input", "select") and "name" in has and self.found:
            self.found[-1][2][has["name"]] = has.get("value") or TYPED.get(has["name"], "")


def is_refusal(answer: httpx.Response) -> bool:
    """True of a refusal; a person who is not shown to a caller is refused as nobody is."""
    return answer.status_code in REFUSALS or (answer.status_code == 404 and answer.url.path.startswith(PERSONS))


class Visit:
    """A caller who goes to every link and sends every form that the pages offer, and notes those that are refused."""

    def __init__(self, city: Assembled, token: str = "") -> None:
        self._city = city
        self._options: dict[str, Any] = {**FAR, "headers": {"authorization": token} if token else {}}
        self.checked: set[tuple[str, str, str]] = set()
        self.refused: list[tuple[str, str, str]] = []

    def look(self, address: str) -> None:
        """Try all that the page at an address offers; the page of a refusal offers the ways on from it, beside itself."""
        answer = self._ask("GET", address, {})
        address = answer.url.raw_path.decode()
        if not answer.headers.get("content-type", "").startswith("text/html"):
            return
        offers: list[tuple[str, str, dict[str, str]]] = [("GET", link, {}) for link in Page(answer.text).links]
        offers += [(method.upper(), action or address, fields) for method, action, fields in Forms(answer.text).found]
        here = urlsplit(address).path
        for method, target, fields in offers:
            absolute = urljoin(address, target)
            if not (is_refusal(answer) and urlsplit(absolute).path == here):
                self._try(address, method, absolute, fields)

    def _try(self, origin: str, method: str, target: str, fields: dict[str, str]) -> None:
        parts = urlsplit(target)
        offer = (method, target.partition("#")[0], urlencode(fields))
        if offer in self.checked or not target.startswith("/") or (method == "POST" and parts.path in SIGNS_IN):
            return
        self.checked.add(offer)
        if is_refusal(self._ask(method, offer[1], fields)):
            self.refused.append((origin, method, target))

    def _ask(self, method: str, target: str, fields: dict[str, str]) -> httpx.Response:
        path, _, query = target.partition("?")
        content = None
        options = dict(self._options)
        if method == "POST":
            content = urlencode(fields).encode()
            options["headers"] = {**options["headers"], "content-type": "application/x-www-form-urlencoded"}
        elif fields:
            query = urlencode([*parse_qsl(query), *fields.items()])
        answer = self._city.ask(method, f"{path}?{query}" if query else path, content=content, **options)
        if answer.status_code in (302, 303):
            return self._ask("GET", answer.headers["location"], {})
        return answer


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """The small city with everything that pages can offer, practice too; practice begun anew does nothing."""
    with Assembled(tmp_path_factory.mktemp("offered") / "data") as neraca:
        settle_in(neraca)
        neraca.built = build(replace(neraca.parts, reset=lambda: None))
        yield neraca


CALLERS: Final[dict[str, tuple[tuple[str, ...], dict[str, Any]]]] = {
    "guest": ((), {}),
    "counter": (("counter",), {"dinas": [FAST], "sources": ["/loket/1"]}),
    "asn": (("asn",), {"asn": BUSY}),
    "leader": (("leader",), {"dinas": [FAST]}),
    "leader of all": (("leader",), {}),
    "personnel": (("personnel",), {}),
    "auditor": (("auditor",), {}),
    "rules": (("rules",), {}),
    "correct": (("correct",), {"dinas": [FAST]}),
    "rate": (("rate",), {"dinas": [FAST]}),
    "close": (("close",), {}),
    "keys": (("keys",), {}),
    "rules of a dinas": (("rules",), {"dinas": [FAST]}),
    "rules and correct": (("rules", "correct"), {}),
    "counter and correct": (("counter", "correct"), {"dinas": [FAST], "sources": ["/loket/2"]}),
}


@pytest.mark.parametrize(("roles", "limits"), CALLERS.values(), ids=CALLERS)
def test_no_page_offers_what_ends_in_a_refusal(city: Assembled, roles: tuple[str, ...], limits: dict[str, Any]) -> None:
    visit = Visit(city, city.token("-".join(("t", *roles, *limits)), *roles, **limits) if roles else "")
    for address in STARTS:
        visit.look(address)
    assert visit.refused == []
    assert len(visit.checked) > len(STARTS)


def test_a_guest_is_told_what_signing_in_would_give(city: Assembled) -> None:
    """With one way there in the head of the page; at the machine everything is offered, and nothing told."""
    view = page(city, f"/dinas/{FAST}", **FAR)
    assert len([link for link in view.links if link.startswith("/masuk")]) == 1
    assert [text for text in view.all("p") if "terbuka setelah masuk" in text]
    assert [text for text in page(city, "/asn", **FAR).all("p") if "terbuka setelah masuk" in text]
    assert not [text for text in page(city, f"/dinas/{FAST}").all("p") if "setelah masuk" in text]
    assert f"/dinas/{FAST}/why?{MONTH}" in page(city, f"/?{MONTH}").links


def test_a_page_that_is_the_same_for_all_offers_each_caller_their_own(city: Assembled) -> None:
    """Also where the token comes in a header, within the second for which the page is kept."""
    auditor = {**FAR, "headers": {"authorization": city.token("audit-publik", "audit")}}
    for _ in range(2):
        assert "/auditor" in page(city, "/publik", **auditor).links
        assert "/auditor" not in page(city, "/publik", **FAR).links


def test_the_moving_board_offers_each_reader_what_its_page_does(city: Assembled) -> None:
    """A row that is sent has the reasons of its score for those to whom they open, and for nobody else."""
    reader = {"authorization": city.token("papan", "read"), "x-forwarded-for": FAR["caller"]}
    with Listening(city) as listening:
        for headers, count in (({"x-forwarded-for": FAR["caller"]}, 0), (reader, 1), ({}, 1)):
            with httpx.stream("GET", f"{listening.url}/live/board?{MONTH}", headers=headers, timeout=30) as stream:
                whole = next(line for line in stream.iter_lines() if FAST in line)
            assert whole.count(f"/dinas/{FAST}/why") == count
