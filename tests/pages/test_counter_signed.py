"""A counter's page is its token's own, also where a link from elsewhere opened it or its cookie has ended meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.pages.browser import MISSING, Browser, installed
from tests.pages.cable import Cable, portal
from tests.pages.counter import SERVICES, UNIT, Clerk, entries, signed_in
from tests.serving import Assembled, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]
PAGE: Final = f"/loket?dinas={UNIT}"
SCREEN: Final = f"/loket/warga?dinas={UNIT}&service={SERVICES[2]}&case=K-1"
OWN: Final = "/loket/tiga"
ALLOWED: Final = "document.getElementById('loket').dataset.sources"
NOBODYS: Final = "document.getElementById('loket').dataset.nobody"


@pytest.fixture
def clerk(city: Assembled, browser: Browser, cable: Cable) -> Clerk:
    """Beyond the machine, signed in with a token that speaks under one name; the worker has kept the page."""
    clerk = Clerk(browser, f"http://loket.localhost:{cable.url.rpartition(':')[2]}")
    signed_in(browser, clerk.url, city.token("tiga", "fact", sources=[OWN]), PAGE)
    clerk.open(f"?dinas={UNIT}&loket=3")
    return clerk


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A page of another site: a portal, a chat."""
    with portal() as address:
        yield address


def kept(clerk: Clerk) -> str:
    """The page that opens without a network."""
    name = f"{clerk.url}{PAGE}"
    return str(clerk.browser.promised(f"caches.match('{name}', {{ignoreVary: true}}).then(held => held.text())"))


def led_to(clerk: Clerk, elsewhere: str, page: str) -> None:
    """Follow a link of another site."""
    clerk.browser.open(elsewhere)
    clerk.browser.run(f"location.href = '{clerk.url}{page}'")
    until(
        lambda: clerk.browser.ask(f"location.origin === '{clerk.url}' && !!document.getElementById('loket')"),
        "the page is there",
    )


def test_a_link_from_elsewhere_leads_to_the_counters_own_page(city: Assembled, clerk: Clerk, elsewhere: str) -> None:
    """The browser sends no cookie along such a link: the page opens itself once more, and what is pressed there is taken."""
    led_to(clerk, elsewhere, PAGE)
    clerk.working()
    assert clerk.browser.ask(f"[{ALLOWED}, {NOBODYS} ?? null]") == [f'["{OWN}"]', None]
    assert OWN in kept(clerk)
    clerk.browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.step("K-1", "F8")
    until(lambda: len(entries(city)) == 2, "both are in the journal")
    assert {one["source"] for one in entries(city)} == {OWN}
    led_to(clerk, elsewhere, SCREEN)
    until(lambda: not clerk.browser.ask("document.getElementById('layar').hidden"), "the citizen's screen asks")
    assert clerk.browser.ask(ALLOWED) == f'["{OWN}"]'


def test_a_cookie_that_has_ended_takes_no_kept_page_and_no_name_away(
    city: Assembled, cable: Cable, clerk: Clerk, elsewhere: str
) -> None:
    """There is nobody to open the page for: it stays, says so, and keeps presses under the name that the counter had."""
    city.tokens.revoke("tiga", "2026-11-24T00:00:00Z")
    for _ in range(2):
        led_to(clerk, elsewhere, PAGE)
        clerk.working()
        assert clerk.browser.ask(f"[{ALLOWED}, {NOBODYS}]") == ["[]", ""]
    assert "data-nobody" not in kept(clerk)
    clerk.browser.press("Alt+3")
    clerk.step("K-1", "F2")
    clerk.sees("#keadaan", "▲ belum masuk · 1 belum terkirim")
    cable.pull()
    clerk.browser.open(f"{clerk.url}{PAGE}")
    clerk.working()
    assert clerk.browser.ask(ALLOWED) == f'["{OWN}"]'
    cable.mend()
    signed_in(clerk.browser, clerk.url, city.token("tiga-lagi", "fact", sources=[OWN]), PAGE)
    until(lambda: entries(city), "it is taken at once")
    clerk.sees("#tanda", "posisi")
    assert [(one["source"], one["recorded_by"]) for one in entries(city)] == [(OWN, "tiga-lagi")]
