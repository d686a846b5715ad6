"""A board that is left open over the end of its period shows what a page read then would show, and says the same."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from tests.pages.board import MARK, TAG, received
from tests.pages.browser import screen, until
from tests.serving import Assembled, Listening, event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.serving import Clock

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("hasty")]

MIDNIGHT: Final = "2026-12-01T00:00:00+07:00"
NEW_YEAR: Final = "2027-01-01T00:00:00+07:00"
HOLLOW: Final = "document.querySelectorAll('.sp .open').length"
SHOWN: Final = """[document.title, document.querySelector('main').innerText, location.search,
  document.querySelector('select[name=period]').innerHTML, document.querySelector('.head form a.button').href,
  document.querySelector('.mast a[hreflang]').search]"""
"""All that names the period on a page."""


@contextmanager
def messages(url: str, query: str) -> Iterator[Iterator[str]]:
    """The HTML that a reader of the stream is sent."""
    with httpx.stream("GET", f"{url}/live/board{query}", timeout=30) as answer:
        lines, signs = answer.iter_lines(), ("event: alive", "event: behind")
        before = [""]

        def html() -> Iterator[str]:
            for line in lines:
                if line.startswith("data: ") and before[0] not in signs:
                    yield line.removeprefix("data: ")
                before[0] = line

        yield html()


def parts_of(message: str) -> dict[str, str]:
    """The parts of a message by the places that they are for."""
    return dict(re.findall(r'<hx-partial hx-target="#([^"]+)"[^>]*>(.*?)</hx-partial>', message))


def heading(message: str) -> str:
    """The period in a message's title."""
    match = re.search(r"<title>.*?, (.*?) –", message)
    return match[1] if match else ""


@pytest.mark.speed("test")
@pytest.mark.parametrize(
    ("query", "ends", "title", "notice"),
    [
        ("", MIDNIGHT, "November 2026", "bulan penuh terakhir: data Desember 2026"),
        ("?period=2026-11&follow=1", MIDNIGHT, "November 2026", "bulan penuh terakhir: data Desember 2026"),
        ("?period=2026-Q4&follow=1", NEW_YEAR, "Triwulan IV 2026", "periode penuh terakhir: data Triwulan I 2027"),
        ("?period=2026-S2&follow=1", NEW_YEAR, "Semester II 2026", "periode penuh terakhir: data Semester I 2027"),
        ("?period=2026&follow=1", NEW_YEAR, "Tahun 2026", "periode penuh terakhir: data Tahun 2027"),
        ("?period=2026-10", MIDNIGHT, "Oktober 2026", ""),
    ],
)
def test_whoever_follows_over_the_end_of_a_period_is_sent_the_board_of_a_page_read_then(
    own_small: Assembled, own_url: str, clock: Clock, query: str, ends: str, title: str, notice: str
) -> None:
    """Nothing is recorded meanwhile: the clock alone turns the page. An ended period that was asked for stays."""
    with messages(own_url, query) as html:
        before = next(html)
        assert (heading(before), "penuh terakhir" in before) == (title, False)
        clock.set(ends)
        turn = next(html)
    assert heading(turn) == title
    assert notice in turn
    assert ("penuh terakhir" in turn) == bool(notice)
    assert 'class="open"' not in turn, "every month of a line has ended"
    address = "/" if notice.startswith("bulan") else f"/{query.partition('&')[0]}"
    page, parts = own_small.get(address).text.replace("\n", ""), parts_of(turn)
    assert [place for place in ("periode", "data-json", "posisi", "papan") if parts[place] not in page] == []


@pytest.mark.speed("test")
def test_a_new_month_that_is_not_thin_is_shown_from_its_first_moment(tmp_path: Path, clock: Clock) -> None:
    """A city without an earlier month shows the running one."""
    with Assembled(tmp_path / "data", clock=clock) as city, Listening(city) as listening:
        city.record(event("dinas-registered", "satu", {"dinas": "satu", "name": "Dinas Satu"}))
        clock.set("2026-11-30T23:59:59.999999+07:00")
        with messages(listening.url, "") as html:
            assert heading(next(html)) == "November 2026"
            clock.set(MIDNIGHT)
            turn = next(html)
        assert heading(turn) == "Desember 2026"
        assert 'value="2026-12" selected>Desember 2026 (berjalan)' in turn
        assert 'href="/dinas/satu?period=2026-12"' in turn


@pytest.mark.parametrize(("address", "ends"), [("/", MIDNIGHT), ("/?lang=en", MIDNIGHT), ("/", NEW_YEAR)])
def test_a_page_left_open_over_the_end_is_a_page_read_then(
    own_small: Assembled, own_url: str, clock: Clock, page: Page, console: list[str], address: str, ends: str
) -> None:
    """Its title, notice, rows, marks, selector and links; it was never left, and goes on to move."""
    screen(page, 1440)
    page.goto(f"{own_url}{address}")
    until(page, f"{TAG}.startsWith('●')", "the board is live", within_s=60)
    page.evaluate(f"{MARK} = 'here'")
    before = page.evaluate("document.querySelector('select[name=period]').innerHTML")
    assert page.evaluate(HOLLOW) > 0
    clock.set(ends)
    until(
        page,
        lambda: page.evaluate("document.querySelector('select[name=period]').innerHTML") != before,
        "the page turns",
    )
    until(page, f"{TAG}.startsWith('●')", "the board is live")
    own_small.record(received("cepat"))
    until(page, "!!document.querySelector('tr.moved')", "it moves on")
    until(page, "!document.querySelector('tr.moved')", "the mark goes", within_s=20)
    turn = page.evaluate(SHOWN)
    assert (page.evaluate(MARK), page.evaluate(HOLLOW), console) == ("here", 0, [])
    page.goto(f"{own_url}{address}")
    until(page, f"{TAG}.startsWith('●')", "the board is live")
    assert page.evaluate(SHOWN) == turn


def test_a_page_of_a_period_that_has_ended_asks_for_no_stream(own_url: str, page: Page, console: list[str]) -> None:
    """Its board stands, with no month that still runs."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(f"{own_url}/?period=2026-10")
    page.wait_for_load_state("networkidle")
    assert addresses == [f"{own_url}/?period=2026-10", *[url for url in addresses if "/static/neraca.css" in url]]
    assert (page.evaluate(HOLLOW), page.locator("#langsung").count(), console) == (0, 0, [])


def test_a_page_of_a_quarter_that_runs_goes_on_with_the_next_and_its_address_follows(
    tmp_path: Path, clock: Clock, page: Page
) -> None:
    with Assembled(tmp_path / "data", clock=clock) as city, Listening(city) as listening:
        city.record(event("dinas-registered", "satu", {"dinas": "satu", "name": "Dinas Satu"}))
        page.goto(f"{listening.url}/?period=2026-Q4&lang=en")
        until(page, f"{TAG} === '● live'", "the board is live", within_s=60)
        clock.set(NEW_YEAR)
        until(page, "document.title.includes('Quarter 1 of 2027')", "it turns")
        until(
            page, "new URLSearchParams(location.search).get('period') === '2027-Q1'", "its address is of what it shows"
        )
        assert "period=2027-Q1" in page.evaluate("document.querySelector('.mast a[hreflang]').href")
