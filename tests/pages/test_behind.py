"""Figures that are behind the journal fade, and every page says up to when they are known and how much they lack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from projections.reading.backlog import FRESH_US, backlog_of
from tests.disk import fill
from tests.faults.harness import Server
from tests.journal.desk import rows, task
from tests.pages.board import TAG, look, received
from tests.pages.browser import until
from tests.pages.city import FAST, SMALL
from tests.pages.line import Line
from tests.pages.reading import Page as Reading
from tests.serving import Assembled
from tests.serving import until as wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.serving import Clock

pytestmark = pytest.mark.browser

READING: Final = "document.querySelector('#dibaca').textContent"
FADED: Final = "Number(getComputedStyle(document.querySelector('#papan')).opacity) < 0.7"
HATCHED: Final = "getComputedStyle(document.querySelector('#papan')).backgroundImage.includes('gradient')"
PAGES: Final = ("/", f"/dinas/{FAST}", f"/dinas/{FAST}/why", f"/dinas/{FAST}/files", f"/dinas/{FAST}/events", "/publik")
STAND: Final = "INSERT INTO stored_events VALUES (?, 'f', 1, 'neraca.permit-dreamt.v1', ?)"


@pytest.fixture
def backlog(own_small: Assembled, clock: Clock, tmp_path: Path) -> int:
    """A city whose fold stops at an entry it does not know, with two more recorded later; the number it leaves out."""
    clock.set("2026-11-24T12:10:00+07:00")
    own_small.record(received(FAST))
    line = json.dumps({"type": "neraca.permit-dreamt.v1", "data": {}}).encode()
    clock.set("2026-11-24T12:20:00+07:00")
    rows(tmp_path / "small" / "journal.sqlite", STAND, own_small.journal.head() + 1, line)
    for _ in range(2):
        assert own_small.post(received(SMALL)).status_code == httpx.codes.CREATED
    clock.set("2026-11-24T12:40:00+07:00")
    return 3


@pytest.mark.speed("test")
def test_every_page_says_up_to_when_its_figures_are_known_and_how_many_entries_they_lack(
    own_small: Assembled, backlog: int
) -> None:
    """As `/readyz` counts them; and the time is that of the last entry counted, not of the reading."""
    before = own_small.get("/").headers["etag"]
    state = own_small.get("/readyz").json()
    assert state["head"] - state["position"] == backlog
    for path in PAGES:
        text = Reading(own_small.get(f"{path}?period=2026-11").text).all("p")[0:3]
        assert any(f"data sampai 24 November 2026, 12.10 WIB; {backlog} peristiwa belum dihitung" in p for p in text), (
            path,
            text,
        )
        assert "12.40" not in "".join(text), path
    assert "3 entries not yet counted" in own_small.get("/?lang=en").text
    own_small.post(received(SMALL))
    assert own_small.get("/", headers={"if-none-match": before}).status_code == httpx.codes.OK, "it lacks one more"


@pytest.mark.speed("test")
def test_an_entry_that_was_recorded_a_moment_ago_is_not_missed_yet(own_small: Assembled) -> None:
    """A fold that goes on has five seconds for each entry; one that does not go on has none."""
    head, now_us = own_small.journal.head(), own_small.clock()
    own_small.record(received(FAST))
    live, journal = own_small.live, own_small.journal
    assert backlog_of(live, journal, head + 1, now_us + FRESH_US) is None
    assert backlog_of(live, journal, head, now_us + FRESH_US - 1) is None
    behind = backlog_of(live, journal, head, now_us + FRESH_US)
    assert behind is not None
    assert (behind.entries, behind.until_us <= now_us) == (1, True)
    live.waiting = "full"
    assert backlog_of(live, journal, head, now_us) == behind
    live.waiting = None


@pytest.mark.speed("test")
@pytest.mark.usefixtures("hasty")
def test_the_stream_says_how_far_behind_it_is_and_never_that_it_is_alive(
    own_small: Assembled, own_url: str, backlog: int
) -> None:
    wait_until(lambda: own_small.live.stopped, "the fold has stopped")
    with httpx.stream("GET", f"{own_url}/live/board", timeout=30) as answer:
        lines = [line for line, _ in zip(answer.iter_lines(), range(20), strict=False)]
    assert "event: alive" not in lines
    message = lines[lines.index("event: behind") + 1]
    assert f"data sampai 24 November 2026, 12.10 WIB; {backlog} peristiwa belum dihitung" in message


def test_a_board_whose_server_is_gone_fades_and_comes_back(own_small: Assembled, tmp_path: Path, page: Page) -> None:
    """It says up to when its figures are known, in place of when they were read."""
    with Line(own_small) as line:
        look(page, line.url)
        assert page.evaluate(f"[{FADED}, {READING}.includes('dibaca 24 November 2026, 12.00')]") == [False, True]
        line.cut()
        until(page, f"{TAG} === '○ terputus, mencoba lagi'", "it says that it is cut off")
        sentence = "November 2026 · data sampai 24 November 2026, 12.00 WIB"
        assert page.evaluate(f"[{FADED}, {HATCHED}, {READING}]") == [True, True, sentence]
        own_small.close()
        with Assembled(tmp_path / "small", clock=own_small.clock) as again:
            line.mend(again)
            until(page, f"{TAG} === '● langsung' && !({FADED})", "it is live again", within_s=60)
            assert page.evaluate(f"{READING}.includes('dibaca')")
            line.cut()


def post(url: str, events: list[dict[str, Any]]) -> None:
    """Record events in one request."""
    media = {"content-type": "application/cloudevents-batch+json"}
    answer = httpx.post(f"{url}/v1/events", content=json.dumps(events), headers=media)
    assert answer.json()["accepted"] == len(events), answer.text


def test_a_board_on_a_full_disk_says_how_far_behind_it_is_until_there_is_room(small_disk: Path, page: Page) -> None:
    """The fold waits by itself and goes on by itself; so does the page, and nobody touches it."""
    data = small_disk.parent / "data"
    data.mkdir(mode=0o700)
    (data / "balances").symlink_to(small_disk)
    with Server(data) as process:
        post(process.url, [task("first")])
        process.settle()
        page.goto(process.url)
        until(page, f"{TAG} === '● langsung'", "the board is live", within_s=60)
        ballast = fill(small_disk)
        for number in range(10):
            post(process.url, [task(f"t{number}-{part}") for part in range(50)])
        until(page, f"/data sampai .*; [0-9]+ peristiwa belum dihitung/.test({READING})", "it says how much it lacks")
        assert page.evaluate(f"[{FADED}, {HATCHED}, {TAG}]") == [True, True, "◐ tidak mutakhir"]
        assert "peristiwa belum dihitung" in httpx.get(process.url).text
        ballast.unlink()
        until(page, f"{TAG} === '● langsung' && !({FADED})", "it is live again", within_s=60)
        until(page, f"{READING}.includes('dibaca')", "and was read now")
