"""Pages that change while they are looked at: the row, not the page; paused, cut off and come back, nothing is missed.

Nobody is taken from where they are.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from api.pages.links import anchor_of
from tests.pages.browser import MISSING, Browser, installed
from tests.pages.city import FAST, SMALL, settle_in
from tests.serving import NDJSON, Assembled, Listening, event, ndjson, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


pytestmark = [pytest.mark.browser, pytest.mark.skipif(not installed(), reason=MISSING)]

MARK: Final = "document.body.dataset.mark"
TAG: Final = "document.querySelector('#langsung .tag').textContent"
BUTTON: Final = "document.querySelector('#langsung button')"
VOICES: Final = "document.querySelectorAll('[role=status], [role=alert], [role=log], [aria-live]')"
HEARD: Final = f"""(() => {{ window.heard = []; const voice = {VOICES}[0];
  new MutationObserver(() => heard.push(voice.textContent)).observe(voice, {{childList: true, characterData: true, subtree: true}});
}})()"""
SPARK: Final = "document.querySelector('tbody .sp').getBoundingClientRect()"
SPILT: Final = """[...document.querySelectorAll('.board :is(table, td, th:not(:has(> .sr)))')].filter(one => {
  const table = one.matches('table'), held = document.createRange();
  held.selectNodeContents(one);
  const box = (table ? one : held).getBoundingClientRect(), place = (table ? one.parentElement : one).getBoundingClientRect();
  return box.width && (box.right > place.right + 0.5 || box.left < place.left - 0.5);
}).map(one => one.textContent)"""
"""What does not fit its place."""
PLACES: Final = "[...document.querySelectorAll('.board thead th')].map(one => one.getBoundingClientRect().x)"
UNMOVING: Final = "delete Element.prototype.moveBefore;"
"""A browser that loses the focus of what is moved, as most did."""
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
    browser.said()  # of servers of other tests, which are gone


def test_a_row_moves_after_a_post_and_the_others_stand(city: Assembled, browser: Browser) -> None:
    """Its figures, its tint and its sign; the tint goes after a while, and the position on the page is the served one."""
    with Listening(city) as listening:
        look(browser, listening.url)
        before = int(browser.ask(opened(FAST)))
        city.record(received(FAST), received(FAST))
        until(lambda: int(browser.ask(opened(FAST))) == before + 2, "the row has moved")
        moved = "[...document.querySelectorAll('tr.moved')].map(row => row.id)"
        assert browser.ask(moved) == [anchor_of(FAST)]
        assert browser.ask(f"document.querySelector('#{anchor_of(FAST)} .mv').textContent") == "• berubah"
        position = f"{city.journal.head():,}".replace(",", ".")
        assert browser.ask("document.querySelector('#posisi b').textContent") == position
        until(lambda: browser.ask(moved) == [], "the tint goes", within_s=15)
        assert (browser.ask(MARK), browser.said()) == ("here", [])


LATE: Final = {
    "dinas": FAST,
    "service": "ktp-el",
    "received_at": "2026-11-01T08:00:00+07:00",
    "completed_at": "2026-11-23T08:00:00+07:00",
}


def fall(city: Assembled) -> None:
    """The first on the board is late, so often that it is the first no more."""
    late = (event("permit-processed", f"late-{n}", {**LATE, "case": f"late-{n}"}) for n in range(400))
    assert city.post(ndjson(late), NDJSON).json()["rejected"] == []
    city.settle()


def test_a_score_that_falls_is_seen_to_fall_and_ranks_are_drawn_anew(city: Assembled, browser: Browser) -> None:
    """By how much is said where it is seen; no column is wider for it, and the order of rows is that of a board read now."""
    with Listening(city) as listening:
        look(browser, listening.url)
        rank = "row.querySelector('.rk').firstChild.textContent.trim()"
        rows = f"[...document.querySelectorAll('#papan tr[id]')].map(row => [row.id, {rank}])"
        before, places = browser.ask(rows), browser.ask(PLACES)
        fall(city)
        mark = f"(document.querySelector('#{anchor_of(FAST)} .mv') || {{}}).innerText"
        until(lambda: re.fullmatch(r"▼ \d+,\d\d", browser.ask(mark) or ""), "its score falls")
        assert (browser.ask(SPILT), browser.ask(PLACES)) == ([], places)
        until(lambda: browser.ask("!document.querySelector('tr.moved')"), "it has fallen", within_s=15)
        after = browser.ask(rows)
        browser.open(f"{listening.url}/?period=2026-11")
        assert browser.ask(rows) == after != before


def test_twelve_months_are_seen_on_a_laptop_and_on_paper_and_nothing_runs_into_them(
    city: Assembled, browser: Browser
) -> None:
    """Paper is A4 across, between its margins."""
    with Listening(city) as listening:
        for width in (1280, 1366, 1440, 1600, 1920):
            browser.screen(width)
            browser.open(f"{listening.url}/?period=2026-11")
            box = browser.ask(SPARK)
            assert (box["width"] >= 60, box["height"] >= 12, 0 < box["right"] <= width) == (True, True, True), width
            assert browser.ask(SPILT) == [], width
        browser.screen(1032)
        browser._devtools("Emulation.setEmulatedMedia", media="print")
        assert (browser.ask(SPARK)["width"] >= 45, browser.ask(SPILT)) == (True, [])


@pytest.mark.parametrize(("link", "before"), [("th a", ""), ("th a", UNMOVING), (".why a", UNMOVING)])
def test_the_focus_stays_in_its_row_however_the_table_moves(
    city: Assembled, browser: Browser, link: str, before: str
) -> None:
    """Its own row moves, and then all of them."""
    own = f"#{anchor_of(FAST)} {link}"
    focused = f"document.activeElement === document.querySelector('{own}')"
    name = browser.before(before)
    with Listening(city) as listening:
        look(browser, listening.url)
        browser.not_before(name)
        browser.ask(f"document.querySelector('{own}').focus()")
        count = int(browser.ask(opened(FAST)))
        city.record(received(FAST))
        until(lambda: browser.ask(opened(FAST)) == str(count + 1), "the row has moved")
        until(lambda: browser.ask(focused), "it has the focus", within_s=2)
        place = f"[...document.querySelectorAll('#papan tr[id]')].indexOf(document.querySelector('#{anchor_of(FAST)}'))"
        assert browser.ask(place) == 0
        fall(city)
        until(lambda: browser.ask(place) > 0, "the rows are in another order")
        until(lambda: browser.ask(focused), "it has the focus", within_s=2)
        assert browser.ask(MARK) == "here"


def test_paused_it_stands_and_says_how_much_waits(city: Assembled, browser: Browser) -> None:
    """Going on it has what waited; the page was never left, nor the button."""
    with Listening(city) as listening:
        look(browser, listening.url)
        before = int(browser.ask(opened(SMALL)))
        browser.ask(f"{BUTTON}.focus()")
        browser.press("Enter")
        city.record(received(SMALL))
        until(lambda: browser.ask(TAG) == "❚❚ dijeda, 1 perubahan menunggu", "it says what waits")
        assert (int(browser.ask(opened(SMALL))), browser.ask(f"{BUTTON}.textContent")) == (before, "Lanjutkan")
        assert browser.ask(f"{BUTTON}.getAttribute('aria-pressed')") is None, "its label changes already"
        browser.press("Enter")
        until(lambda: browser.ask(f"{opened(SMALL)}") == str(before + 1), "it goes on with what waited")
        assert browser.ask(f"document.activeElement === {BUTTON}")
        assert (browser.ask(MARK), browser.ask(TAG), browser.said()) == ("here", "● langsung", [])
        city.record(received(SMALL))
        until(lambda: browser.ask(f"{opened(SMALL)}") == str(before + 2), "and moves on")


def test_a_voice_hears_that_the_board_turned_and_nothing_of_what_moves_on_it(city: Assembled, browser: Browser) -> None:
    """One status, which says live or paused, once; neither rows nor position nor a counter."""
    with Listening(city) as listening:
        look(browser, listening.url)
        assert browser.ask(f"[...{VOICES}].map(one => one.textContent)") == ["langsung"]
        browser.run(HEARD)
        before = int(browser.ask(opened(SMALL)))
        for n in range(3):
            city.record(received(SMALL))
            until(lambda n=n: browser.ask(opened(SMALL)) == str(before + n + 1), "the row moves")  # type: ignore[misc]
        assert browser.ask("heard") == []
        browser.ask(f"{BUTTON}.click()")
        for n in range(2):
            city.record(received(SMALL))
            until(lambda n=n: f" {n + 1} " in browser.ask(TAG), "it counts what waits")  # type: ignore[misc]
        assert browser.ask("heard") == ["dijeda"]
        browser.ask(f"{BUTTON}.click()")
        until(lambda: browser.ask(opened(SMALL)) == str(before + 5), "it goes on")
        assert browser.ask("heard") == ["dijeda", "langsung"]
        assert browser.ask(f"{VOICES}.length") == 1


def test_a_page_that_is_not_yet_connected_says_nothing_for_a_while(city: Assembled, browser: Browser) -> None:
    name = browser.before("window.fetch = () => new Promise(() => {});")
    with Listening(city) as listening:
        browser.open(f"{listening.url}/?period=2026-11")
        browser.not_before(name)
        said = f"[{TAG}, {VOICES}[0].textContent]"
        assert browser.ask(f"[document.querySelector('#langsung .tag').checkVisibility(), {said}]") == [False, ["", ""]]
        cut = ["○ terputus, mencoba lagi", "terputus, mencoba lagi"]
        until(lambda: browser.ask(said) == cut, "it says that there is no connection", within_s=15)


def test_a_page_whose_first_connection_fails_tries_again(city: Assembled, browser: Browser) -> None:
    """Also where the server is there and cannot answer."""
    name = browser.before("""const real = window.fetch;
      const first = [() => Promise.reject(new TypeError('away')), async () => new Response('', {status: 503})];
      window.fetch = (...asked) => first.length ? first.shift()() : real(...asked);""")
    with Listening(city) as listening:
        look(browser, listening.url)
        browser.not_before(name)


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
