"""The router's list of pages is all there is: each page has an address, and answers there with a page of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from fastapi.responses import HTMLResponse
from fastapi.routing import iter_route_contexts
from msgspec.structs import replace

from api.app import build
from api.http.tickets import Case
from api.pages.router import PAGES
from tests.pages.city import FAST, settle_in
from tests.pages.every import ADDRESSES
from tests.pages.reading import Page
from tests.serving import Assembled

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """The small city with everything that pages can offer, practice too."""
    with Assembled(tmp_path_factory.mktemp("every") / "data") as neraca:
        settle_in(neraca)
        neraca.built = build(replace(neraca.parts, reset=lambda: None))
        yield neraca


def test_the_routers_list_names_every_page_that_is_served(city: Assembled) -> None:
    """Also those that a section serves by routes of its own."""
    rows = [
        context.path or ""
        for context in iter_route_contexts(city.framework.routes)
        if getattr(context.original_route, "response_class", None) is HTMLResponse
    ]
    assert sorted(rows) == sorted(PAGES)


def test_each_page_answers_at_its_address_in_both_languages(city: Assembled) -> None:
    """With one heading, in the language asked for."""
    case = urlencode(Case(FAST, "ktp-el", "B-0")._asdict())
    addresses = {**ADDRESSES, "/nilai": f"/nilai?{case}", "/latihan": "/latihan"}
    assert addresses.keys() == PAGES.keys()
    for path, address in addresses.items():
        for language in ("id", "en"):
            answer = city.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
            assert answer.status_code == 200, f"{path}: {answer.text[:200]}"
            assert f'<html lang="{language}">' in answer.text, path
            assert len(Page(answer.text).all("h1")) == 1, path


def test_no_link_ends_with_a_question_that_asks_nothing(city: Assembled) -> None:
    """An address has a question mark only before a query."""
    for path, address in ADDRESSES.items():
        links = Page(city.get(address).text).links
        assert [link for link in links if link.endswith(("?", "&")) or "?&" in link or "?#" in link] == [], path
