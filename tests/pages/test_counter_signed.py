"""A counter's page is its token's own, also where a link from elsewhere opened it or its cookie has ended meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.pages.counter import SERVICES, UNIT, Clerk, entries
from tests.pages.line import Line, answered

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.serving import Assembled

pytestmark = pytest.mark.browser
PAGE: Final = f"/loket?dinas={UNIT}"
SCREEN: Final = f"/loket/warga?dinas={UNIT}&service={SERVICES[2]}&case=K-1"
OWN: Final = "/loket/tiga"
ALLOWED: Final = "document.getElementById('loket').dataset.sources"
NOBODYS: Final = "document.getElementById('loket').dataset.nobody"
ELSEWHERE: Final = "http://portal.example/"
"""A page of another site."""


@pytest.fixture
def clerk(counter: Assembled, page: Page, line: Line) -> Clerk:
    """Beyond the machine, signed in with a token that speaks under one name; the worker has kept the page."""
    clerk = Clerk(page, line.away)
    clerk.sign_in(counter.token("tiga", "fact", sources=[OWN]))
    clerk.open(f"?dinas={UNIT}&loket=3")
    page.route(ELSEWHERE, answered(200, "Warta kota"))
    return clerk


def kept(clerk: Clerk) -> str:
    """The page that opens without a network."""
    name = f"{clerk.url}{PAGE}"
    return str(clerk.ask(f"caches.match('{name}', {{ignoreVary: true}}).then(held => held.text())"))


def led_to(clerk: Clerk, path: str) -> None:
    """Follow a link of another site."""
    clerk.page.goto(ELSEWHERE)
    clerk.ask(f"location.href = '{clerk.url}{path}'")
    clerk.until(f"location.origin === '{clerk.url}' && !!document.getElementById('loket')", "the page is there")


def test_a_link_from_elsewhere_leads_to_the_counters_own_page(counter: Assembled, clerk: Clerk) -> None:
    """The browser sends no cookie along such a link: the page opens itself once more, and what is pressed there is taken."""
    led_to(clerk, PAGE)
    clerk.working()
    assert clerk.ask(f"[{ALLOWED}, {NOBODYS} ?? null]") == [f'["{OWN}"]', None]
    assert OWN in kept(clerk)
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    clerk.until(lambda: len(entries(counter)) == 2, "both are in the journal")
    assert {entry["source"] for entry in entries(counter)} == {OWN}
    led_to(clerk, SCREEN)
    clerk.until("!document.getElementById('layar').hidden", "the citizen's screen asks")
    assert clerk.ask(ALLOWED) == f'["{OWN}"]'


def test_a_cookie_that_has_ended_takes_no_kept_page_and_no_name_away(
    counter: Assembled, line: Line, clerk: Clerk
) -> None:
    """There is nobody to open the page for: it stays, says so, and keeps presses under the name that the counter had."""
    counter.tokens.revoke("tiga", "2026-11-24T00:00:00Z")
    for _ in range(2):
        led_to(clerk, PAGE)
        clerk.working()
        assert clerk.ask(f"[{ALLOWED}, {NOBODYS}]") == ["[]", ""]
    assert "data-nobody" not in kept(clerk)
    clerk.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ belum masuk · 1 belum terkirim")
    line.cut()
    clerk.page.goto(f"{clerk.url}{PAGE}")
    clerk.working()
    assert clerk.ask(ALLOWED) == f'["{OWN}"]'
    line.mend()
    clerk.sign_in(counter.token("tiga-lagi", "fact", sources=[OWN]))
    clerk.until(lambda: entries(counter), "it is taken at once")
    clerk.sees("#tanda", "posisi")
    assert [(entry["source"], entry["recorded_by"]) for entry in entries(counter)] == [(OWN, "tiga-lagi")]


def test_the_code_to_type_is_never_that_of_the_file_before(clerk: Clerk) -> None:
    """While the ticket of the file decided last has not come, none stands under its picture."""
    code = "document.getElementById('kode').textContent"
    clerk.press("Alt+3")
    for step in ("F2", "F8"):
        clerk.step("K-1", step)
    clerk.until(f"{code}.length > 20", "the first file's code is written")
    clerk.page.route("**/loket/tiket?*", answered(503, "{}"))
    for step in ("F2", "F8"):
        clerk.step("K-2", step)
    clerk.until("document.querySelector('#qr img').dataset.of.includes('K-2')", "the second file's code is asked for")
    assert clerk.ask(code) == ""
