"""WCAG 2.2 AA by axe-core on every page, in light and dark, from phone to wall; and all of it by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from tests.pages.asking import october
from tests.pages.axe_rules import AXE, FOUND, broken_rules
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import BUSY, FAST, LONG, ODD, SMALL, settle_in
from tests.pages.every import ADDRESSES
from tests.pages.test_live import BUTTON, TAG, look, received
from tests.pages.told import opened
from tests.serving import Assembled, Listening, until

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["october", "opened"]
pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

PAGES: Final = (
    *ADDRESSES.values(), "/?lang=en", f"/dinas/{FAST}?order=score", f"/dinas/{SMALL}", f"/dinas/{quote(ODD, safe='')}",
    f"/dinas/{LONG}", f"/dinas/{FAST}/events?measure=permits", "/dinas/tak-ada",
    f"/auditor?period=2026-11&since=500&until=1028&digest={'0' * 64}&pick={FAST}",
    "/auditor/journal/1028", f"/loket?dinas={FAST}",
    f"/loket?dinas={quote(ODD, safe='')}&lang=en", f"/loket/warga?dinas={FAST}&service=ktp-el&case=K-1", "/loket/warga?lang=en",
)  # fmt: skip
SCREENS: Final = ((390, 844), (1920, 1080))
MAIN: Final = ("/", f"/dinas/{FAST}", f"/asn/{BUSY}", "/auditor", f"/loket?dinas={FAST}", "/publik")
BETWEEN: Final = ((768, 1024, True), (1366, 768, False))
"""A tablet and a small laptop, and whether each is dark."""
TINTED: Final = """(wait => { setTimeout = (f, ms, ...more) => ms === 8000 ? 0 : wait(f, ms, ...more); })(setTimeout)"""
"""A row that moved is not let go."""
CONTROLS: Final = """[...document.querySelectorAll('a[href], button, select, input:not([type=hidden]), summary')]
  .filter(e => !e.disabled && e.checkVisibility())"""
LEFT: Final = f"""{CONTROLS}.filter(e => !('reached' in e.dataset) && !(
  e.type === 'radio' && [...document.getElementsByName(e.name)].some(one => 'reached' in one.dataset))).map(e => e.outerHTML)"""
"""Controls that were never in focus; of radio buttons of one name the arrows reach the others."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("accessible") / "data") as assembled:
        settle_in(assembled)
        yield assembled


@pytest.fixture(scope="module")
def address(city: Assembled) -> Iterator[str]:
    with Listening(city) as listening:
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


@pytest.mark.parametrize("path", MAIN)
def test_a_page_breaks_none_on_a_screen_between(address: str, browser: Browser, path: str) -> None:
    for width, height, dark in BETWEEN:
        browser.screen(width, height, dark=dark)
        assert broken_rules(browser, address + path) == [], f"{path} {width}"


def test_a_board_that_moves_breaks_none_nor_one_that_is_paused(city: Assembled, address: str, browser: Browser) -> None:
    """Its row stays marked as moved for as long as it is looked at; paused, it says what waits."""
    kept = browser.before(TINTED)
    look(browser, address)
    browser.not_before(kept)
    city.record(received(FAST))
    until(lambda: browser.ask("!!document.querySelector('tr.moved .mv')"), "a row has moved")
    unbroken_everywhere(browser, "moved")
    assert browser.ask("!!document.querySelector('tr.moved .mv')")
    browser.ask(f"{BUTTON}.click()")
    city.record(received(FAST))
    until(lambda: browser.ask(TAG) == "❚❚ dijeda, 1 perubahan menunggu", "it says what waits")
    unbroken_everywhere(browser, "paused")


def unbroken_everywhere(browser: Browser, what: str) -> None:
    """Nothing is broken on the page as it stands, on any screen."""
    for width, height in SCREENS:
        for dark in (False, True):
            browser.screen(width, height, dark=dark)
            assert broken_rules(browser) == [], f"{what} {width} {'dark' if dark else 'light'}"


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
    """What is in focus, marked as reached; around the button within a field for a date the browser draws its own ring."""
    return dict(
        browser.ask("""(() => { const e = document.activeElement, s = getComputedStyle(e); e.dataset.reached = ''; return {
      tag: e.tagName, text: e.textContent.trim(), href: e.getAttribute('href'), name: e.getAttribute('name'),
      seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || e.type === 'datetime-local' && !e.matches(':focus'),
      body: e === document.body}; })()""")
    )


@pytest.mark.parametrize("path", [*MAIN, "/masuk", "/auditor/journal"])
def test_every_control_is_reached_by_tab_and_shows_that_it_is(address: str, browser: Browser, path: str) -> None:
    browser.screen(1280)
    browser.open(address + path)
    until(lambda: browser.ask("!document.querySelector('#kerja[hidden]')"), "the counter is there")
    browser.run("document.querySelector('.skip').focus()")
    focused(browser)
    for _ in range(2 * browser.ask(f"{CONTROLS}.length") + 20):  # a date has a stop for each of its parts
        browser.press("Tab")
        at = focused(browser)
        if at["body"]:
            break
        assert at["seen"], f"no ring around {at}"
    assert browser.ask(LEFT) == []


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


def tab_to(browser: Browser, condition: str) -> None:
    """Press Tab until what is in focus, ``e`` in the condition, is what is looked for."""
    for _ in range(120):
        browser.press("Tab")
        if browser.ask(f"(e => !!({condition}))(document.activeElement)"):
            return
    pytest.fail(f"not reached by Tab: {condition}")


def test_an_auditor_asks_for_a_replay_and_reads_its_answer_without_a_mouse(
    october: tuple[Assembled, dict[str, Any]], browser: Browser
) -> None:
    """A position typed into the form, Enter, and the answer is there; from it to the indicators of one unit."""
    browser.screen(1280)
    with Listening(october[0]) as listening:
        browser.open(f"{listening.url}/auditor?period=2026-10")
        tab_to(browser, "e.name === 'position'")
        browser.type("100")
        browser.press("Enter")
        until(lambda: browser.ask("!!document.querySelector('#beda')"), "the replay has ended", within_s=60)
        tab_to(browser, "e.closest('#hasil th') && e.href")
        browser.press("Enter")
        until(lambda: browser.ask("!!document.querySelector('#rinci')"), "the unit is told in full")
        assert browser.ask("location.hash") == "#rinci"
        tab_to(browser, "e.closest('[aria-labelledby=rinci]') && e.href && e.href.includes('csv=indicators')")
