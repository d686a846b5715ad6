"""Nothing moves under the finger: the page stands while its figures change, and a row stays where a pointer is on it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest

from api.pages.links import anchor_of
from domain.clock import local_month
from tests.pages.board import TAG, look, moves, open_files, received
from tests.pages.browser import screen, until
from tests.pages.city import FAST, SMALL
from tests.pages.test_live import LATE, fall
from tests.process import Process
from tests.serving import ZONE, event

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.pages.conftest import Windows
    from tests.serving import Assembled

pytestmark = [pytest.mark.browser]

SCREENS: Final = ((390, 844), (768, 1024), (1366, 768), (1920, 1080))
MOST: Final = 0.05
"""The most that may shift, as browsers measure it, in a minute."""
WATCH: Final = """window.shifts = [];
  new PerformanceObserver((list) => shifts.push(...list.getEntries().map((one) => [one.value, one.sources.map(
    (source) => source.node && (source.node.id || source.node.className || source.node.nodeName))])))
    .observe({type: 'layout-shift', buffered: true});"""
SHIFT: Final = "shifts.reduce((sum, [value]) => sum + value, 0)"
ORDER: Final = "[...document.querySelectorAll('#papan tr[id]')].map((row) => row.id)"
WAITS: Final = "!document.querySelector('#urutan').hidden"
SECONDS: Final = int(os.environ.get("NERACA_STILL_S", "60"))


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("size", SCREENS, ids=str)
def test_the_page_stands_while_its_figures_change(
    own_small: Assembled, own_url: str, page: Page, size: tuple[int, int]
) -> None:
    """Entries come in long and short, a number gets a digit, and a row its first overdue file."""
    page.add_init_script(WATCH)
    screen(page, *size)
    page.goto(f"{own_url}/?period=2026-11")
    until(page, f"{TAG} === '● langsung'", "the board is live", within_s=60)
    before = open_files(page, SMALL)
    for number in range(1, 12):
        own_small.record(received(SMALL))
        moves(page, SMALL, before + number)
    late = received(SMALL)
    late["data"] |= {"received_at": "2026-11-01T08:00:00+07:00", "due_at": "2026-11-02T08:00:00+07:00"}
    own_small.record(late, event("permit-processed", "still", {**LATE, "case": "still"}))
    moves(page, SMALL, before + 12)
    until(page, f"document.querySelector('#{anchor_of(FAST)}').matches('.moved')", "the other row moves")
    page.evaluate("document.querySelector('#langsung button').click()")
    until(page, f"{TAG}.includes('dijeda')", "it is paused")
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate(SHIFT) < MOST, page.evaluate("shifts")


@pytest.mark.usefixtures("hasty")
def test_a_row_stays_under_a_pointer_until_it_has_gone(own_small: Assembled, own_url: str, page: Page) -> None:
    """Its figures and those of the others move at once, and the page says that their order waits."""
    look(page, own_url)
    row, order = page.locator(f"#{anchor_of(FAST)} .rk"), page.evaluate(ORDER)
    row.hover()
    fall(own_small)
    until(page, f"(document.querySelector('#{anchor_of(FAST)} .mv')?.innerText || '').startsWith('▼')", "it falls")
    assert (page.evaluate(ORDER), page.evaluate(WAITS), page.evaluate(TAG)) == (order, True, "● langsung")
    page.mouse.down()
    own_small.record(received(FAST))
    until(page, f"document.querySelector('#{anchor_of(FAST)}').matches(':hover')", "the pointer is on it")
    assert page.evaluate(ORDER) == order
    page.mouse.up()
    page.mouse.move(5, 5)
    until(page, lambda: page.evaluate(ORDER) != order, "the rows are in their order")
    assert page.evaluate(WAITS) is False
    after = page.evaluate(ORDER)
    page.goto(f"{own_url}/?period=2026-11")
    assert page.evaluate(ORDER) == after


@pytest.mark.usefixtures("hasty")
def test_a_row_stays_under_a_finger_until_it_is_lifted(
    own_small: Assembled, own_url: str, open_window: Windows
) -> None:
    """A screen that is touched has no pointer that hovers."""
    page = open_window(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    page.goto(f"{own_url}/?period=2026-11")
    until(page, f"{TAG} === '● langsung'", "the board is live", within_s=60)
    order, row = page.evaluate(ORDER), f"document.querySelector('#{anchor_of(FAST)} .rk')"
    page.evaluate(f"{row}.dispatchEvent(new PointerEvent('pointerdown', {{bubbles: true, pointerType: 'touch'}}))")
    fall(own_small)
    until(page, WAITS, "the order waits")
    assert page.evaluate(ORDER) == order
    page.evaluate(f"{row}.dispatchEvent(new PointerEvent('pointerup', {{bubbles: true, pointerType: 'touch'}}))")
    until(page, lambda: page.evaluate(ORDER) != order, "the rows are in their order")


@pytest.mark.usefixtures("hasty")
def test_an_entry_stays_under_a_pointer_until_it_has_gone(own_small: Assembled, own_url: str, page: Page) -> None:
    look(page, own_url)
    entries = (
        "[...document.querySelectorAll('#baru-isi time')].map((one) => one.dateTime + one.parentElement.innerText)"
    )
    page.locator("#baru-isi li").first.hover()
    before, files = page.evaluate(entries), open_files(page, SMALL)
    own_small.record(received(SMALL))
    moves(page, SMALL, files + 1)
    assert page.evaluate(entries) == before
    page.mouse.move(5, 5)
    until(page, lambda: page.evaluate(entries) != before, "the entries are those of now")


@pytest.mark.speed("soak")
def test_a_minute_of_a_busy_city_shifts_next_to_nothing(tmp_path: Path, open_window: Windows) -> None:
    """The running month of the demo, on four screens at once; nothing that a browser reports is left out."""
    with Process(tmp_path / "demo", "--demo") as process:
        pages = [open_window(viewport={"width": width, "height": height}) for width, height in SCREENS]
        for page in pages:
            page.add_init_script(WATCH)
            page.goto(f"{process.url}/?period={local_month(time.time_ns() // 1000, ZoneInfo(ZONE))}")
        pages[0].wait_for_timeout(1000 * SECONDS)
        shifts = {width: page.evaluate(SHIFT) for (width, _), page in zip(SCREENS, pages, strict=True)}
        print(shifts)  # noqa: T201 - the figures are the report
        assert max(shifts.values()) < MOST, shifts
