"""Only a browser can tell: nothing scrolls sideways, targets are big enough, dark is dark, no page breaks its policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from tests.pages.browser import screen, until
from tests.pages.city import ANSWERED, BUSY, FAST, LONG, ODD, REPLAYED, SMALL, TWIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.process import Process

pytestmark = pytest.mark.browser

PAGES: Final = (
    "/",
    "/?lang=en",
    f"/dinas/{FAST}",
    f"/dinas/{SMALL}",
    f"/dinas/{quote(ODD, safe='')}",
    f"/dinas/{LONG}",
    "/publik",
    "/publik?lang=en",
    "/auditor",
    REPLAYED,
    "/auditor/journal",
    "/auditor/journal?from=2026-01-01T00:00&lang=en",
    "/auditor/journal/400",
    "/auditor/journal/1028?lang=en",
    "/loket",
    f"/loket?dinas={FAST}",
    f"/loket?dinas={LONG}",
    f"/loket/warga?dinas={FAST}&service=a&case=1",
    f"/dinas/{FAST}/why",
    f"/dinas/{LONG}/why",
    f"/asn/{BUSY}",
    f"/asn/{BUSY}/why?lang=en",
    f"/dinas/{TWIN}/file?service=ktp-el&case=K-{TWIN}-2026-11-1",
    f"/dinas/{FAST}/file?service=ktp-el&case=K-{FAST}-2026-11-1&lang=en",
    f"/dinas/{TWIN}/late?period=2026-11",
    f"/asn/{BUSY}/task?at=1019",
)
WIDTHS: Final = (320, 390, 641, 1000, 1089, 1345, 1440, 1600, 1824, 1920)
WIDEST: Final = """Math.max(
  document.documentElement.scrollWidth - document.documentElement.clientWidth,
  ...[...document.querySelectorAll('main *, header *, footer *')].filter(e => !e.closest('.sr, svg')).map(
    e => e.getBoundingClientRect().right - document.documentElement.clientWidth))"""
SPILT: Final = """Math.max(0, ...[...document.querySelectorAll('table')].map(
  e => e.getBoundingClientRect().right - e.parentElement.getBoundingClientRect().right))"""
SMALLEST_TARGET: Final = """Math.min(...[...document.querySelectorAll(
  'a:not(.skip), button, select, input:not([type=radio]), .tiles label, .faces label, .unsur label, summary')]
  .filter(e => e.checkVisibility()).map(
  e => e.getBoundingClientRect().height))"""


def opened(page: Page, url: str) -> Iterator[str]:
    """Open each page in turn, the answer of a replay too; the path of the one that is open."""
    for path in PAGES:
        page.goto(url + path)
        until(page, ANSWERED, "the replay has ended")
        yield path


def test_nothing_scrolls_sideways_at_any_width(small_url: str, page: Page) -> None:
    wide = []
    for path in opened(page, small_url):
        for width in WIDTHS:
            screen(page, width)
            inner, widest, spilt = page.evaluate(f"[innerWidth, {WIDEST}, {SPILT}]")
            assert inner == width
            wide += [(path, width, past) for past in (widest, spilt) if past > 0.5]
    assert wide == []


def test_a_board_of_four_indicators_fits_every_width(practice: Process, page: Page) -> None:
    """The city to practise in adopts the scheme that weighs taps, too."""
    page.goto(practice.url)
    assert page.locator("thead th.bar").count() == 4
    wide = []
    for width in WIDTHS:
        screen(page, width)
        wide += [(width, past) for past in page.evaluate(f"[{WIDEST}, {SPILT}]") if past > 0.5]
    assert wide == []


def test_a_target_is_24_px_high_at_least(small_url: str, page: Page) -> None:
    screen(page, 1440)
    low = {path: page.evaluate(SMALLEST_TARGET) for path in opened(page, small_url)}
    assert {path: height for path, height in low.items() if height < 24} == {}


@pytest.mark.speed("test")
def test_a_page_breaks_no_policy_and_fetches_only_its_own_parts(small_url: str, page: Page, console: list[str]) -> None:
    scripts = [f"{small_url}/static/{name}" for name in ("htmx/htmx.min.js", "htmx/hx-sse.min.js", "live.js")]
    waiting = {f"{small_url}/static/waiting.js", f"{small_url}{REPLAYED}".split("?")[0]}
    for path in opened(page, small_url):
        assert console == [], path
        addresses = page.evaluate("performance.getEntriesByType('resource').map(e => e.name.split('?')[0])")
        board = scripts if path in ("/", "/?lang=en") else []
        if path.startswith("/loket"):
            # The citizen's screen asks whether its file is decided.
            requests = [f"{small_url}/v1/dinas/cepat/file"] if path.startswith("/loket/warga?") else []
            own = (f"{small_url}/static/", f"{small_url}/healthz")
            assert [name for name in addresses if name not in requests and not name.startswith(own)] == [], path
        else:
            own_parts = set(addresses) - (waiting if path == REPLAYED else set())
            assert sorted(own_parts) == sorted([f"{small_url}/static/neraca.css", *board]), path


def test_a_figure_stands_on_paper_in_light_and_on_night_in_dark(small_url: str, page: Page) -> None:
    ground = {}
    page.goto(small_url + "/")
    for dark in (False, True):
        screen(page, 1440, dark=dark)
        ground[dark] = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == {False: "rgb(243, 246, 243)", True: "rgb(15, 22, 19)"}


def test_a_bar_is_drawn_beside_its_target_and_a_dot_on_its_axis(small_url: str, page: Page) -> None:
    screen(page, 1440)
    page.goto(small_url + "/?period=2026-11")
    over = page.evaluate("""(() => { const mark = document.querySelector('tbody .bar svg'), tip = mark.querySelector('rect');
      const m = mark.getBoundingClientRect(), t = tip.getBoundingClientRect();
      return [(t.left - m.left) / m.width, t.width / m.width]; })()""")
    assert over == pytest.approx([0.5, 0.5], abs=0.02), "the fast one reaches the cap of 120: a full bar to the right"
    assert page.evaluate("document.querySelectorAll('tbody .w circle, tbody .w text').length") == 4
