"""Pages that change while they are looked at: the row, not the page; paused, cut off and come back, nothing is missed.

Nobody is taken from where they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from api.pages.links import anchor_of
from tests.pages.board import BUTTON, HEARD, MARK, TAG, TINT_MS, VOICES, look, moves, open_files, received
from tests.pages.browser import press, screen, until
from tests.pages.city import FAST, SMALL
from tests.pages.line import Line
from tests.pages.messages import ID
from tests.serving import NDJSON, Assembled, Listening, event, ndjson

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("hasty")]

SPARK: Final = "document.querySelector('tbody .sp').getBoundingClientRect()"
SPILT: Final = """[...document.querySelectorAll('.board :is(table, td, th:not(:has(> .sr)))')].filter(one => {
  const table = one.matches('table'), held = document.createRange();
  held.selectNodeContents(one);
  const box = (table ? one : held).getBoundingClientRect(), place = (table ? one.parentElement : one).getBoundingClientRect();
  return box.width && (box.right > place.right + 0.5 || box.left < place.left - 0.5);
}).map(one => one.textContent)"""
"""The texts that do not fit their place."""
PLACES: Final = "[...document.querySelectorAll('.board thead th')].map(one => one.getBoundingClientRect().x)"
UNMOVING: Final = "delete Element.prototype.moveBefore;"
"""A browser that loses the focus of what is moved, as most did."""
PATIENCE_MS: Final = 5_000
"""A page that is not yet connected says nothing for this long."""
LATE: Final = {
    "dinas": FAST,
    "service": "ktp-el",
    "received_at": "2026-11-01T08:00:00+07:00",
    "completed_at": "2026-11-23T08:00:00+07:00",
}


@pytest.mark.speed("test")
def test_a_row_moves_after_a_post_and_the_others_stand(
    own_small: Assembled, own_url: str, page: Page, console: list[str]
) -> None:
    """Its figures, its tint and its sign; the tint goes after a while, and the position on the page is the served one."""
    page.clock.install()
    look(page, own_url)
    before = open_files(page, FAST)
    own_small.record(received(FAST), received(FAST))
    moves(page, FAST, before + 2)
    rows = "[...document.querySelectorAll('tr.moved')].map(row => row.id)"
    assert page.evaluate(rows) == [anchor_of(FAST)]
    assert page.evaluate(f"document.querySelector('#{anchor_of(FAST)} .mv').textContent") == "• berubah"
    position = f"{own_small.journal.head():,}".replace(",", ".")
    assert page.evaluate("document.querySelector('#posisi b').textContent") == position
    page.clock.fast_forward(TINT_MS)
    until(page, lambda: page.evaluate(rows) == [], "the tint goes")
    assert (page.evaluate(MARK), console) == ("here", [])


def fall(city: Assembled) -> None:
    """The first on the board is late, so often that it is the first no more."""
    late = (event("permit-processed", f"late-{n}", {**LATE, "case": f"late-{n}"}) for n in range(400))
    assert city.post(ndjson(late), NDJSON).json()["rejected"] == []
    city.settle()


def test_a_score_that_falls_is_seen_to_fall_and_ranks_are_drawn_anew(
    own_small: Assembled, own_url: str, page: Page
) -> None:
    """By how much is said where it is seen; no column is wider for it, and the order of rows is that of a board read now."""
    page.clock.install()
    look(page, own_url)
    rank = "row.querySelector('.rk').firstChild.textContent.trim()"
    rows = f"[...document.querySelectorAll('#papan tr[id]')].map(row => [row.id, {rank}])"
    before, places = page.evaluate(rows), page.evaluate(PLACES)
    fall(own_small)
    mark = f"(document.querySelector('#{anchor_of(FAST)} .mv') || {{}}).innerText"
    until(page, lambda: re.fullmatch(r"▼ \d+,\d\d", page.evaluate(mark) or ""), "its score falls")
    assert (page.evaluate(SPILT), page.evaluate(PLACES)) == ([], places)
    page.clock.fast_forward(TINT_MS)
    until(page, "!document.querySelector('tr.moved')", "it has fallen")
    after = page.evaluate(rows)
    page.goto(f"{own_url}/?period=2026-11")
    assert page.evaluate(rows) == after != before


def test_twelve_months_are_seen_on_a_laptop_and_on_paper_and_nothing_runs_into_them(small_url: str, page: Page) -> None:
    """Paper is A4 across, between its margins."""
    for width in (1280, 1366, 1440, 1600, 1920):
        screen(page, width)
        page.goto(f"{small_url}/?period=2026-11")
        box = page.evaluate(SPARK)
        assert (box["width"] >= 60, box["height"] >= 12, 0 < box["right"] <= width) == (True, True, True), width
        assert page.evaluate(SPILT) == [], width
    screen(page, 1032)
    page.emulate_media(media="print")
    assert (page.evaluate(SPARK)["width"] >= 45, page.evaluate(SPILT)) == (True, [])


@pytest.mark.parametrize(("link", "before"), [("th a", ""), ("th a", UNMOVING), (".why a", UNMOVING)])
def test_the_focus_stays_in_its_row_however_the_table_moves(
    own_small: Assembled, own_url: str, page: Page, link: str, before: str
) -> None:
    """Its own row moves, and then all of them."""
    own = f"#{anchor_of(FAST)} {link}"
    has_focus = f"document.activeElement === document.querySelector('{own}')"
    page.add_init_script(before)
    look(page, own_url)
    page.evaluate(f"document.querySelector('{own}').focus()")
    count = open_files(page, FAST)
    own_small.record(received(FAST))
    moves(page, FAST, count + 1)
    until(page, has_focus, "it has the focus", within_s=2)
    place = f"[...document.querySelectorAll('#papan tr[id]')].indexOf(document.querySelector('#{anchor_of(FAST)}'))"
    assert page.evaluate(place) == 0
    fall(own_small)
    until(page, f"{place} > 0", "the rows are in another order")
    until(page, has_focus, "it has the focus", within_s=2)
    assert page.evaluate(MARK) == "here"


def test_paused_it_stands_and_says_how_much_waits(
    own_small: Assembled, own_url: str, page: Page, console: list[str]
) -> None:
    """Going on it has what waited; the page was never left, nor the button."""
    look(page, own_url)
    before = open_files(page, SMALL)
    page.evaluate(f"{BUTTON}.focus()")
    press(page, "Enter")
    own_small.record(received(SMALL))
    until(page, f"{TAG} === '{ID('live.paused', n=1)}'", "it says what waits")
    assert (open_files(page, SMALL), page.evaluate(f"{BUTTON}.textContent")) == (before, ID("live.go"))
    assert page.evaluate(f"{BUTTON}.getAttribute('aria-pressed')") is None, "its label changes already"
    press(page, "Enter")
    moves(page, SMALL, before + 1)
    assert page.evaluate(f"document.activeElement === {BUTTON}")
    assert (page.evaluate(MARK), page.evaluate(TAG), console) == ("here", "● langsung", [])
    own_small.record(received(SMALL))
    moves(page, SMALL, before + 2)


def test_a_voice_hears_that_the_board_turned_and_nothing_of_what_moves_on_it(
    own_small: Assembled, own_url: str, page: Page
) -> None:
    """One status, which says live or paused, once; neither rows nor position nor a counter."""
    look(page, own_url)
    assert page.evaluate(f"[...{VOICES}].map(one => one.textContent)") == ["langsung"]
    page.evaluate(HEARD)
    before = open_files(page, SMALL)
    for n in range(3):
        own_small.record(received(SMALL))
        moves(page, SMALL, before + n + 1)
    assert page.evaluate("heard") == []
    page.evaluate(f"{BUTTON}.click()")
    for n in range(2):
        own_small.record(received(SMALL))
        until(page, f"{TAG}.includes(' {n + 1} ')", "it counts what waits")
    assert page.evaluate("heard") == ["dijeda"]
    page.evaluate(f"{BUTTON}.click()")
    moves(page, SMALL, before + 5)
    assert page.evaluate("heard") == ["dijeda", "langsung"]
    assert page.evaluate(f"{VOICES}.length") == 1


def test_a_page_that_is_not_yet_connected_says_nothing_for_a_while(small_url: str, page: Page) -> None:
    page.clock.install()
    page.add_init_script("window.fetch = () => new Promise(() => {});")
    page.goto(f"{small_url}/?period=2026-11")
    texts = f"[{TAG}, {VOICES}[0].textContent]"
    assert page.evaluate(f"[document.querySelector('#langsung .tag').checkVisibility(), {texts}]") == [False, ["", ""]]
    page.clock.fast_forward(PATIENCE_MS)
    cut = ["○ terputus, mencoba lagi", "terputus, mencoba lagi"]
    until(page, lambda: page.evaluate(texts) == cut, "it says that there is no connection")


def test_a_page_whose_first_connection_fails_tries_again(small_url: str, page: Page) -> None:
    """Also where the server is there and cannot answer."""
    page.add_init_script("""const real = window.fetch;
      const first = [() => Promise.reject(new TypeError('away')), async () => new Response('', {status: 503})];
      window.fetch = (...asked) => first.length ? first.shift()() : real(...asked);""")
    look(page, small_url)


def test_what_stands_beside_the_rows_moves_with_them(own_small: Assembled, own_url: str, page: Page) -> None:
    """The sums of the aside are those of a board read now."""
    aside = "document.querySelector('#papan-neraca').innerText"
    look(page, own_url)
    before = page.evaluate(aside)
    late = received(SMALL)
    late["data"] |= {"received_at": "2026-11-01T08:00:00+07:00", "due_at": "2026-11-02T08:00:00+07:00"}
    own_small.record(late)
    until(page, lambda: page.evaluate(aside) != before, "the aside moves")
    rows = page.evaluate(aside)
    page.goto(f"{own_url}/?period=2026-11")
    assert page.evaluate(aside) == rows


def test_the_board_of_a_city_without_an_event_is_live_and_fills(tmp_path: Path, page: Page, console: list[str]) -> None:
    with Assembled(tmp_path / "data") as city, Listening(city) as listening:
        look(page, listening.url)
        assert page.evaluate("!document.querySelector('#papan-tabel')")
        city.record(event("dinas-registered", "satu", {"dinas": "satu", "name": "Dinas Satu"}), received("satu"))
        until(page, f"!!document.querySelector('#{anchor_of('satu')}')", "its first row is there")
        assert (page.evaluate(MARK), page.evaluate(TAG), console) == ("here", "● langsung", [])


def test_cut_off_it_says_so_and_comes_back_without_loss(own_small: Assembled, tmp_path: Path, page: Page) -> None:
    """An entry recorded while the server was away is on the board once another serves there; the page was never left."""
    with Line(own_small) as line:
        look(page, line.url)
        before = open_files(page, SMALL)
        line.cut()
        until(page, f"{TAG} === '○ terputus, mencoba lagi'", "it says that it is cut off")
        own_small.record(received(SMALL))
        own_small.close()
        with Assembled(tmp_path / "small") as again:
            line.mend(again)
            until(page, lambda: open_files(page, SMALL) == before + 1, "it has what it missed", within_s=60)
            until(page, f"{TAG} === '● langsung'", "it is live again")
            assert page.evaluate(MARK) == "here"
            line.cut()


def test_whoever_follows_is_sent_the_table_first_and_an_unknown_period_is_refused(
    small: Assembled, small_url: str
) -> None:
    with httpx.stream("GET", f"{small_url}/live/board?period=2026-11", timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        first = next(line for line in answer.iter_lines() if line.startswith("data:"))
        assert first.count("<hx-partial ") == 3, "the reading, the proof and the table"
        assert 'id="papan-tabel"' in first
    assert small.get("/live/board?period=2026-13").status_code == 422
