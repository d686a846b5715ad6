"""A period that does not run is not live, and one without any data says so and leads to the newest that has some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.api.facts import RULES, fill, task
from tests.pages.board import TAG
from tests.pages.browser import until
from tests.pages.city import BUSY, FAST, IDLE
from tests.pages.messages import EN, ID
from tests.pages.reading import page as view_of
from tests.serving import Assembled, Listening, event

if TYPE_CHECKING:
    from playwright.sync_api import Page as Window

    from tests.pages.reading import Page
    from tests.serving import Clock

pytestmark = pytest.mark.speed("test")

PLACES: Final = ("/", f"/dinas/{FAST}", f"/asn/{BUSY}", "/publik")
NEWEST: Final = {
    "2020-01": "2026-11",
    "2030-01": "2026-11",
    "2026-12": "2026-11",
    "2019-Q3": "2026-Q4",
    "2031-S1": "2026-S2",
    "2025": "2026",
}
"""Periods without data, and the newest with some of the same length."""
LANGUAGES: Final = {"id": ID, "en": EN}


def is_live(view: Page) -> bool:
    """True if a page has the mark of what is live, a stream, or the script that follows one."""
    marks = (("id", "langsung"), ("hx-sse:connect", None), ("src", "/static/live.js"))
    return any(
        name in tag and tag[name] in (value, tag[name] if value is None else value)
        for _, tag in view.tags
        for name, value in marks
    )


@pytest.mark.parametrize(
    ("period", "lists"), [("2026-11", True), ("2026-Q4", True), ("2026-10", False), ("2026-Q3", False)]
)
def test_what_is_recorded_just_now_stands_beside_a_period_that_runs_alone(
    small: Assembled, period: str, lists: object
) -> None:
    """It does not belong to a month that has ended."""
    view = view_of(small, f"/?period={period}")
    assert (ID("feed.title") in small.get(f"/?period={period}").text) is lists
    assert any(tag.get("id") == "baru-isi" for _, tag in view.tags) is lists


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("period", NEWEST)
@pytest.mark.parametrize("place", PLACES)
def test_a_period_without_data_says_so_and_leads_to_the_newest(
    small: Assembled, place: str, period: str, language: str
) -> None:
    """Not one figure of 0 of 30 stands there; the link's own page has data."""
    words, then = LANGUAGES[language], NEWEST[period]
    view = view_of(small, f"{place}?period={period}&lang={language}")
    texts = " ".join(view.all("p"))
    assert words("page.no_data") in texts
    assert ("belum dimulai" in texts or "not begun" in texts) == (period > "2026-11" and period[:4] != "2025")
    lead = f"{place}?period={then}" + ("&lang=en" if language == "en" else "")
    assert lead in view.links
    assert words("page.of", n="0", total="30") not in small.get(f"{place}?period={period}&lang={language}").text
    assert words("page.no_data") not in " ".join(view_of(small, lead).all("p"))


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("", ""),
        ("?period=2026-11", ""),
        ("?period=2026-Q4", ""),
        ("?period=2026-S2", ""),
        ("?period=2026", ""),
        ("?period=2026-10", "live.ended"),
        ("?period=2026-Q3", "live.ended"),
        ("?period=2025", "live.ended"),
        ("?period=2026-12", "live.future"),
        ("?period=2030-01", "live.future"),
    ],
)
def test_only_a_running_period_is_live(small: Assembled, query: str, key: str) -> None:
    """Of an ended period and of one to come the board stands, and says which it is."""
    view = view_of(small, f"/{query}")
    assert is_live(view) == (not key)
    texts = " ".join(view.all("p"))
    assert [name for name in ("live.ended", "live.future") if ID(name) in texts] == [key] * bool(key)


def test_a_board_that_goes_on_with_the_running_period_is_live_while_it_shows_the_last_full_one(
    own_small: Assembled, clock: Clock
) -> None:
    clock.set("2026-12-01T08:00:00+07:00")
    view = view_of(own_small, "/")
    assert "November 2026" in view.all("h1")[0] + " ".join(view.all("p"))
    assert is_live(view)
    assert not is_live(view_of(own_small, "/?period=2026-11"))


def test_an_asn_or_a_dinas_without_data_of_its_own_says_so(small: Assembled) -> None:
    """The newest period with data is that of the subject: one that never had any leads nowhere."""
    view = view_of(small, f"/asn/{IDLE}?period=2026-11")
    texts = " ".join(view.all("p"))
    assert ID("page.no_data_yet") in texts
    assert ID("page.see_newest", period="November 2026") not in texts


def test_open_files_are_data_of_the_running_period_alone(neraca: Assembled) -> None:
    """They are of now, so they are part of its data; whatever its board shows, an earlier month has no data."""
    fill(
        neraca,
        event("dinas-registered", "d", {"dinas": "d", "name": "D"}),
        event(
            "permit-received",
            "k",
            {"dinas": "d", "service": "s", "case": "k", "received_at": "2026-11-20T08:00:00+07:00"},
        ),
    )
    assert [row[0] for row in view_of(neraca, "/").rows if "D" in row[1:2]] == ["–"]
    assert ID("page.no_data") not in neraca.get("/dinas/d").text
    assert ID("page.no_data") in neraca.get("/dinas/d?period=2026-10").text


def test_a_fact_that_was_taken_back_is_no_data(neraca: Assembled) -> None:
    """Zeros are left in a month whose only fact was retracted; nothing leads to it."""
    only = task("d", on_time=True)
    fill(neraca, *RULES, only)
    data = {"event": {"source": only["source"], "id": only["id"]}, "reason": "wrong-data"}
    fill(neraca, event("event-retracted", "r", data))
    assert ID("page.no_data") in neraca.get("/dinas/d?period=2026-11").text
    view = view_of(neraca, "/?period=2026-10")
    assert ID("page.see_newest", period="November 2026") not in " ".join(view.all("p"))


@pytest.mark.browser
@pytest.mark.usefixtures("hasty")
def test_a_live_board_without_data_shows_the_first_fact(neraca: Assembled, page: Window, console: list[str]) -> None:
    fill(neraca, *RULES, event("dinas-registered", "d", {"dinas": "d", "name": "D"}))
    with Listening(neraca) as listening:
        page.goto(f"{listening.url}/")
        until(page, f"{TAG} === '● langsung'", "the board is live", within_s=60)
        assert ID("page.no_data_yet") in page.inner_text("#papan")
        assert page.inner_text("#papan li a") == "D"
        fill(neraca, task("d", on_time=True))
        until(page, "document.querySelector('#papan tr[id]') !== null", "the row is drawn")
        assert ID("page.no_data") not in page.inner_text("#papan")
        assert console == []
