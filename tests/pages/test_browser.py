"""What only a browser can tell: nothing scrolls sideways, targets are big enough, dark is dark, nothing breaks the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import BUSY, FAST, LONG, ODD, SMALL, settle_in
from tests.serving import Assembled, Listening, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

REPLAYED: Final = f"/auditor?period=2026-11&since=500&until=1028&digest={'0' * 64}&pick={FAST}"
PAGES: Final = (
    "/", "/?lang=en", f"/dinas/{FAST}", f"/dinas/{SMALL}", f"/dinas/{quote(ODD, safe='')}", f"/dinas/{LONG}",
    "/publik", "/publik?lang=en", "/auditor", REPLAYED, "/auditor/journal", "/auditor/journal?from=2026-01-01T00:00&lang=en",
    "/auditor/journal/400", "/auditor/journal/1028?lang=en", "/loket", f"/loket?dinas={FAST}", f"/loket?dinas={LONG}",
    f"/loket/warga?dinas={FAST}&service=a&case=1",
    f"/dinas/{FAST}/why", f"/dinas/{LONG}/why", f"/asn/{BUSY}", f"/asn/{BUSY}/why?lang=en",
)  # fmt: skip
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


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Assembled(tmp_path_factory.mktemp("browsed") / "data") as assembled:
        settle_in(assembled)
        until(lambda: "http-equiv" not in assembled.get(REPLAYED).text, "the replay has ended")
        with Listening(assembled) as listening:
            yield listening.url


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_scrolls_sideways(address: str, browser: Browser, width: int) -> None:
    browser.screen(width)
    for path in PAGES:
        browser.open(address + path)
        assert browser.ask("innerWidth") == width
        assert browser.ask(WIDEST) <= 0.5, path
        assert browser.ask(SPILT) <= 0.5, f"{path}: a table is wider than its place"


@pytest.mark.parametrize("path", PAGES)
def test_a_target_is_24_px_high_at_least(address: str, browser: Browser, path: str) -> None:
    browser.screen(1440)
    browser.open(address + path)
    assert browser.ask(SMALLEST_TARGET) >= 24


@pytest.mark.parametrize("path", PAGES)
def test_a_page_breaks_no_policy_and_fetches_only_its_own_parts(address: str, browser: Browser, path: str) -> None:
    browser.open(address + path)
    assert browser.said() == []
    fetched = browser.ask("performance.getEntriesByType('resource').map(e => e.name.split('?')[0])")
    scripts = [f"{address}/static/{name}" for name in ("htmx/htmx.min.js", "htmx/hx-sse.min.js", "live.js")]
    board = scripts if path in ("/", "/?lang=en") else []
    if path.startswith("/loket"):
        asked = [f"{address}/v1/dinas/cepat/file"] if path.startswith("/loket/warga?") else []  # whether it is decided
        assert all(name in asked or name.startswith((f"{address}/static/", f"{address}/healthz")) for name in fetched)
    else:
        waiting = {f"{address}/static/waiting.js"}  # while a replay runs
        assert sorted(set(fetched) - waiting) == sorted([f"{address}/static/neraca.css", *board])


def test_a_figure_stands_on_paper_in_light_and_on_night_in_dark(address: str, browser: Browser) -> None:
    ground = {}
    for dark in (False, True):
        browser.screen(1440, dark=dark)
        browser.open(address + "/")
        ground[dark] = browser.ask("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == {False: "rgb(243, 246, 243)", True: "rgb(15, 22, 19)"}


def test_a_bar_is_drawn_beside_its_target_and_a_dot_on_its_axis(address: str, browser: Browser) -> None:
    browser.screen(1440)
    browser.open(address + "/?period=2026-11")
    over = browser.ask("""(() => { const mark = document.querySelector('tbody .bar svg'), tip = mark.querySelector('rect');
      const m = mark.getBoundingClientRect(), t = tip.getBoundingClientRect();
      return [(t.left - m.left) / m.width, t.width / m.width]; })()""")
    assert over == pytest.approx([0.5, 0.5], abs=0.02), "the fast one reaches the cap of 120: a full bar to the right"
    assert browser.ask("document.querySelectorAll('tbody .w circle, tbody .w text').length") == 4
