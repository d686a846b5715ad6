"""WCAG 2.2 AA by axe-core on every page, in light and dark, from phone to wall; and all of it by keyboard alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pytest

from tests.pages.axe_rules import AXE, FOUND, broken_on, day_and_night
from tests.pages.board import BUTTON, TAG, look, received
from tests.pages.browser import press, until
from tests.pages.city import ANSWERED, BUSY, FAST, LONG, ODD, REPLAYED, SMALL
from tests.pages.every import ADDRESSES
from tests.pages.messages import ID
from tests.serving import Assembled, Listening

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

PAGES: Final = (
    *ADDRESSES.values(),
    "/?lang=en",
    f"/dinas/{FAST}?order=score",
    f"/dinas/{SMALL}",
    f"/dinas/{quote(ODD, safe='')}",
    f"/dinas/{LONG}",
    f"/dinas/{FAST}/events?measure=permits",
    f"/dinas/{FAST}/files?state=overdue",
    f"/dinas/{FAST}/late?kind=tasks",
    f"/asn/{BUSY}/late?kind=tasks",
    "/?period=2026-10",
    "/dinas/tak-ada",
    REPLAYED,
    "/auditor/journal/1028",
    f"/loket?dinas={FAST}",
    f"/loket?dinas={quote(ODD, safe='')}&lang=en",
    f"/loket/warga?dinas={FAST}&service=ktp-el&case=K-1",
    "/loket/warga?lang=en",
)
MAIN: Final = ("/", f"/dinas/{FAST}", f"/asn/{BUSY}", "/auditor", f"/loket?dinas={FAST}", "/publik")
SCREENS: Final = day_and_night((390, 844), (1920, 1080))
BETWEEN: Final = ((768, 1024, True), (1366, 768, False))
"""A tablet and a small laptop."""
TINTED: Final = """(wait => { setTimeout = (f, ms, ...more) => ms === 8000 ? 0 : wait(f, ms, ...more); })(setTimeout)"""
"""A row that moved is not let go."""
CONTROLS: Final = """[...document.querySelectorAll('a[href], button, select, input:not([type=hidden]), summary')]
  .filter(e => !e.disabled && e.checkVisibility())"""
LEFT: Final = f"""{CONTROLS}.filter(e => !('reached' in e.dataset) && !(
  e.type === 'radio' && [...document.getElementsByName(e.name)].some(one => 'reached' in one.dataset))).map(e => e.outerHTML)"""
"""Controls that were never in focus; of radio buttons of one name the arrows reach the others."""


@pytest.mark.parametrize("path", [pytest.param("/", marks=pytest.mark.speed("test")), *PAGES[1:]], ids=PAGES)
def test_a_page_breaks_no_rule_of_accessibility(small_url: str, page: Page, path: str) -> None:
    page.goto(small_url + path)
    until(page, ANSWERED, "a replay has ended")
    assert broken_on(page, [*SCREENS, *BETWEEN], path) == []


@pytest.mark.usefixtures("hasty")
def test_a_board_that_moves_breaks_none_nor_one_that_is_paused(own_small: Assembled, own_url: str, page: Page) -> None:
    """Its row stays marked as moved while it is looked at; a paused board shows the changes that wait."""
    page.add_init_script(TINTED)
    look(page, own_url)
    own_small.record(received(FAST))
    until(page, "!!document.querySelector('tr.moved .mv')", "a row has moved")
    assert broken_on(page, SCREENS, "moved") == []
    assert page.evaluate("!!document.querySelector('tr.moved .mv')")
    page.evaluate(f"{BUTTON}.click()")
    own_small.record(received(FAST))
    until(page, f"{TAG} === '{ID('live.paused', n=1)}'", "it says what waits")
    assert broken_on(page, SCREENS, "paused") == []


def test_axe_sees_what_is_broken(small_url: str, page: Page) -> None:
    """The same call, on a page with an unnamed picture, faint words and a small target."""
    page.goto(small_url + "/")
    page.evaluate("""() => {
      document.querySelector('main').innerHTML =
        '<img src="data:,"><p id=p>pudar</p><p><button class=s>a</button><button class=s>b</button></p>';
      document.querySelector('#p').style.color = '#ccc';
      for (const b of document.querySelectorAll('.s')) b.style.cssText = 'all:unset;width:9px;height:9px';
    }""")
    page.evaluate(AXE)
    _, violations = page.evaluate(FOUND)
    rules = {violation.partition(":")[0] for violation in violations}
    assert {"image-alt", "color-contrast", "target-size"} <= rules


def focused(page: Page) -> dict[str, Any]:
    """The element in focus, marked as reached; around the button in a field for a date the browser draws its own ring."""
    return dict(
        page.evaluate("""(() => { const e = document.activeElement, s = getComputedStyle(e); e.dataset.reached = ''; return {
      tag: e.tagName, text: e.textContent.trim(), href: e.getAttribute('href'), name: e.getAttribute('name'),
      seen: s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || e.type === 'datetime-local' && !e.matches(':focus'),
      body: e === document.body}; })()""")
    )


@pytest.mark.parametrize("path", [*MAIN, "/masuk", "/auditor/journal"])
def test_every_control_is_reached_by_tab_and_shows_that_it_is(small_url: str, page: Page, path: str) -> None:
    page.goto(small_url + path)
    until(page, "!document.querySelector('#kerja[hidden]')", "the counter is there")
    page.evaluate("document.querySelector('.skip').focus()")
    focused(page)
    for _ in range(2 * page.evaluate(f"{CONTROLS}.length") + 20):  # a date has a stop for each of its parts
        press(page, "Tab")
        at = focused(page)
        if at["body"]:
            break
        assert at["seen"], f"no ring around {at}"
    assert page.evaluate(LEFT) == []


def test_a_leader_gets_from_the_board_to_an_event_without_a_mouse(small_url: str, page: Page) -> None:
    """Skip link, then a dinas, then its reasons: by Tab and Enter alone."""
    page.goto(f"{small_url}/?period=2026-11")
    page.evaluate("document.activeElement.blur()")
    press(page, "Tab", "Enter")
    assert page.evaluate("location.hash") == "#isi"
    for step in (f"/dinas/{FAST}?period=2026-11", f"/dinas/{FAST}/events?period=2026-11&measure=capaian_n"):
        tab_to(page, f"e.getAttribute('href') === '{step}'")
        press(page, "Enter")
        until(page, f"location.pathname + location.search === '{step}'", "the link is followed")
    until(page, "document.querySelectorAll('tbody tr').length === 50", "the events are listed")


def tab_to(page: Page, condition: str) -> None:
    """Press Tab until the focused element, ``e`` in the condition, meets the condition."""
    for _ in range(120):
        press(page, "Tab")
        if page.evaluate(f"(e => !!({condition}))(document.activeElement)"):
            return
    pytest.fail(f"not reached by Tab: {condition}")


def test_an_auditor_asks_for_a_replay_and_reads_its_answer_without_a_mouse(
    october: tuple[Assembled, dict[str, Any]], page: Page
) -> None:
    """A position typed into the form, Enter, and the answer is there; from it to the indicators of one unit."""
    with Listening(october[0]) as listening:
        page.goto(f"{listening.url}/auditor?period=2026-10")
        tab_to(page, "e.name === 'position'")
        page.keyboard.type("100")
        press(page, "Enter")
        until(page, "!!document.querySelector('#beda')", "the replay has ended", within_s=60)
        tab_to(page, "e.closest('#hasil th') && e.href")
        press(page, "Enter")
        until(page, "!!document.querySelector('#rinci')", "the unit is told in full")
        assert page.evaluate("location.hash") == "#rinci"
        tab_to(page, "e.closest('[aria-labelledby=rinci]') && e.href && e.href.includes('csv=indicators')")
