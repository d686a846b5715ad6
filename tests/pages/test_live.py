"""The board moves while it is looked at: the row, not the page; paused, cut off and come back, it misses nothing."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from api.page_views import anchor_of
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import FAST, SMALL, settle_in
from tests.serving import Assembled, Listening, event, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

MARK: Final = "document.body.dataset.mark"
TAG: Final = "document.querySelector('#langsung .tag').textContent"
BUTTON: Final = "document.querySelector('#langsung button')"
_number: Final = itertools.count()


@pytest.fixture
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    with Assembled(tmp_path_factory.mktemp("moving") / "data") as assembled:
        settle_in(assembled)
        yield assembled


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def received(dinas: str) -> dict[str, Any]:
    """An application that is open."""
    case = f"M-{next(_number)}"
    said = {"dinas": dinas, "service": "ktp-el", "case": case, "received_at": "2026-11-24T08:00:00+07:00"}
    return event("permit-received", f"m-{case}", said)


def opened(dinas: str) -> str:
    """What the row of a dinas says of open files."""
    return f"document.querySelector('#{anchor_of(dinas)} .op').firstChild.textContent.trim()"


def look(browser: Browser, url: str) -> None:
    """Open the board, and wait until it is live; the mark is gone if the page is loaded anew."""
    browser.screen(1440)
    browser.open(f"{url}/?period=2026-11")
    until(lambda: browser.ask(TAG) == "● langsung", "the board is live", within_s=60)
    browser.ask(f"{MARK} = 'here'")


def test_a_row_moves_after_a_post_and_the_others_stand(city: Assembled, browser: Browser) -> None:
    """Its figures, its tint and its sign; the tint goes after a while, and the position on the page is the served one."""
    with Listening(city) as listening:
        look(browser, listening.url)
        before = int(browser.ask(opened(FAST)))
        city.record(received(FAST), received(FAST))
        until(lambda: int(browser.ask(opened(FAST))) == before + 2, "the row has moved")
        moved = "[...document.querySelectorAll('tr.moved')].map(row => row.id)"
        assert browser.ask(moved) == [anchor_of(FAST)]
        assert browser.ask(f"document.querySelector('#{anchor_of(FAST)} .mv').textContent") == "•"
        position = f"{city.journal.head():,}".replace(",", ".")
        assert browser.ask("document.querySelector('#posisi b').textContent") == position
        until(lambda: browser.ask(moved) == [], "the tint goes", within_s=15)
        assert (browser.ask(MARK), browser.said()) == ("here", [])


def test_a_score_that_falls_is_seen_to_fall_and_ranks_are_drawn_anew(city: Assembled, browser: Browser) -> None:
    """The order of rows is that of a board read now."""
    late = {
        "dinas": FAST,
        "service": "ktp-el",
        "received_at": "2026-11-01T08:00:00+07:00",
        "completed_at": "2026-11-23T08:00:00+07:00",
    }
    with Listening(city) as listening:
        look(browser, listening.url)
        rank = "row.querySelector('.rk').firstChild.textContent.trim()"
        rows = f"[...document.querySelectorAll('#papan tr[id]')].map(row => [row.id, {rank}])"
        before = browser.ask(rows)
        city.record(*(event("permit-processed", f"late-{n}", {**late, "case": f"late-{n}"}) for n in range(400)))
        mark = f"(document.querySelector('#{anchor_of(FAST)} .mv') || {{}}).textContent"
        until(lambda: browser.ask(mark) == "▼", "its score falls")
        after = browser.ask(rows)
        browser.open(f"{listening.url}/?period=2026-11")
        assert browser.ask(rows) == after != before


def test_paused_it_stands_and_says_how_much_waits(city: Assembled, browser: Browser) -> None:
    with Listening(city) as listening:
        look(browser, listening.url)
        before = int(browser.ask(opened(SMALL)))
        browser.ask(f"{BUTTON}.click()")
        city.record(received(SMALL))
        until(lambda: browser.ask(TAG) == "❚❚ dijeda, 1 perubahan menunggu", "it says what waits")
        assert (int(browser.ask(opened(SMALL))), browser.ask(f"{BUTTON}.textContent")) == (before, "Lanjutkan")
        browser.ask(f"{BUTTON}.click()")
        until(lambda: browser.ask(f"{opened(SMALL)}") == str(before + 1), "it goes on with what waited")


def test_what_stands_beside_the_rows_moves_with_them(city: Assembled, browser: Browser) -> None:
    """The sums of the aside are those of a board read now."""
    aside = "document.querySelector('#papan-neraca').innerText"
    with Listening(city) as listening:
        look(browser, listening.url)
        before = browser.ask(aside)
        late = received(SMALL)
        late["data"] |= {"received_at": "2026-11-01T08:00:00+07:00", "due_at": "2026-11-02T08:00:00+07:00"}
        city.record(late)
        until(lambda: browser.ask(aside) != before, "the aside moves")
        moved = browser.ask(aside)
        browser.open(f"{listening.url}/?period=2026-11")
        assert browser.ask(aside) == moved


def test_the_board_of_a_city_without_an_event_is_live_and_fills(tmp_path: Path, browser: Browser) -> None:
    with Assembled(tmp_path / "data") as city, Listening(city) as listening:
        look(browser, listening.url)
        browser.said()  # of servers of other tests, which are gone
        assert browser.ask("!document.querySelector('#papan-tabel')")
        city.record(event("dinas-registered", "satu", {"dinas": "satu", "name": "Dinas Satu"}), received("satu"))
        until(
            lambda: browser.ask(f"(document.querySelector('#{anchor_of('satu')}') || {{}}).id"),
            "its first row is there",
        )
        assert (browser.ask(MARK), browser.ask(TAG), browser.said()) == ("here", "● langsung", [])


def test_cut_off_it_says_so_and_comes_back_without_loss(tmp_path: Path, browser: Browser) -> None:
    """What was recorded while the server was away is on the board when it is there again; the page was never left."""
    with Assembled(tmp_path / "data") as city:
        settle_in(city)
        with Listening(city) as listening:
            url = listening.url
            look(browser, url)
            before = int(browser.ask(opened(SMALL)))
        until(lambda: browser.ask(TAG) == "○ terputus, mencoba lagi", "it says that it is cut off")
        city.record(received(SMALL))
    with Assembled(tmp_path / "data") as city, Listening(city, int(url.rpartition(":")[2])):
        until(lambda: browser.ask(opened(SMALL)) == str(before + 1), "it has what it missed", within_s=60)
        until(lambda: browser.ask(TAG) == "● langsung", "it is live again")
        assert browser.ask(MARK) == "here"


def test_whoever_follows_is_sent_the_table_first_and_an_unknown_period_is_refused(city: Assembled) -> None:
    with (
        Listening(city) as listening,
        httpx.stream("GET", f"{listening.url}/live/board?period=2026-11", timeout=10) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        first = next(line for line in answer.iter_lines() if line.startswith("data:"))
        assert first.count("<hx-partial ") == 2
        assert 'id="papan-tabel"' in first
    assert city.get("/live/board?period=2026-13").status_code == 422
