"""WCAG 2.2 AA by axe-core on every page, in light and dark, from phone to wall; and all of it by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from tests.pages.axe_rules import AXE, FOUND, broken_rules
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import BUSY, FAST, LONG, ODD, SMALL, settle_in
from tests.serving import Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

PAGES: Final = (
    "/", "/?lang=en", f"/dinas/{FAST}", f"/dinas/{FAST}?order=score", f"/dinas/{SMALL}", f"/dinas/{quote(ODD, safe='')}",
    f"/dinas/{LONG}", f"/dinas/{FAST}/why", f"/dinas/{FAST}/files", f"/dinas/{FAST}/file?service=ktp-el&case=B-0",
    f"/dinas/{FAST}/events?measure=permits", f"/asn/{BUSY}",
    f"/asn/{BUSY}/why", f"/asn/{BUSY}/events", "/publik", "/masuk", "/dinas/tak-ada", "/nilai",
    "/auditor", f"/auditor?period=2026-11&since=500&until=1028&digest={'0' * 64}&pick={FAST}", "/auditor/journal",
    "/auditor/journal/1028", "/loket", f"/loket?dinas={FAST}",
    f"/loket?dinas={quote(ODD, safe='')}&lang=en", f"/loket/warga?dinas={FAST}&service=ktp-el&case=K-1", "/loket/warga?lang=en",
)  # fmt: skip
SCREENS: Final = ((390, 844), (1920, 1080))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Assembled(tmp_path_factory.mktemp("accessible") / "data") as assembled:
        settle_in(assembled)
        with Listening(assembled) as listening:
            yield listening.url


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("path", PAGES)
def test_a_page_breaks_no_rule_of_accessibility(address: str, browser: Browser, path: str) -> None:
    for width, height in SCREENS:
        for dark in (False, True):
            browser.screen(width, height, dark=dark)
            assert broken_rules(browser, address + path) == [], f"{path} {width} {'dark' if dark else 'light'}"


def test_axe_sees_what_is_broken(address: str, browser: Browser) -> None:
    """The same call, on a page with an unnamed picture, faint words and a small target."""
    browser.screen(1280)
    browser.open(address + "/")
    browser.run("""document.querySelector('main').innerHTML =
      '<img src="data:,"><p id=p>pudar</p><p><button class=s>a</button><button class=s>b</button></p>';
      document.querySelector('#p').style.color = '#ccc';
      for (const b of document.querySelectorAll('.s')) b.style.cssText = 'all:unset;width:9px;height:9px';""")
    browser.run(AXE)
    _, found = browser.promised(FOUND)
    rules = {one.partition(":")[0] for one in found}
    assert {"image-alt", "color-contrast", "target-size"} <= rules


def focused(browser: Browser) -> dict[str, Any]:
    return dict(
        browser.ask("""(() => { const e = document.activeElement, s = getComputedStyle(e); return {
      tag: e.tagName, text: e.textContent.trim(), href: e.getAttribute('href'), name: e.getAttribute('name'),
      seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0, body: e === document.body}; })()""")
    )


@pytest.mark.parametrize("path", ["/", f"/dinas/{FAST}", f"/asn/{BUSY}", "/publik", "/masuk", f"/loket?dinas={FAST}"])
def test_every_control_is_reached_by_tab_and_shows_that_it_is(address: str, browser: Browser, path: str) -> None:
    browser.screen(1280)
    browser.open(address + path)
    browser.run("document.querySelector('.skip').focus()")
    wanted = browser.ask("""[...document.querySelectorAll('a[href], button, select, input:not([type=hidden]), summary')]
      .filter(e => !e.disabled && e.checkVisibility()).length""")
    reached = 1
    for _ in range(wanted + 5):
        browser.press("Tab")
        at = focused(browser)
        if at["body"]:
            break
        assert at["seen"], f"no ring around {at}"
        reached += 1
    assert reached >= wanted


def test_a_leader_gets_from_the_board_to_an_event_without_a_mouse(address: str, browser: Browser) -> None:
    """Skip link, then a dinas, then its reasons: by Tab and Enter alone."""
    browser.screen(1280)
    browser.open(f"{address}/?period=2026-11")
    browser.run("document.activeElement.blur()")
    browser.press("Tab", "Enter")
    assert browser.ask("location.hash") == "#isi"
    for step in (f"/dinas/{FAST}?period=2026-11", f"/dinas/{FAST}/events?period=2026-11&measure=capaian_n"):
        for _ in range(80):
            browser.press("Tab")
            if focused(browser)["href"] == step:
                break
        browser.press("Enter")
        assert browser.ask("location.pathname + location.search") == step
    assert browser.ask("document.querySelectorAll('tbody tr').length") == 50
