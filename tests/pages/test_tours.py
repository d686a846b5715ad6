"""The tours of practice: their words fit every layout, and a step is ticked once it was done, and only then."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from api.pages.tours import ROLES, STEPS
from tests.pages.counter import Clerk
from tests.pages.messages import EN, ID
from tests.serving import BATCH, event

if TYPE_CHECKING:
    from playwright.sync_api import Page as Window

    from api.pages.words import Words
    from tests.process import Process

DIRECTIONS: Final = re.compile(
    r"\b(di|ke|paling) (kanan|kiri|bawah|atas|atasnya|bawahnya|samping|sebelah)\b|\b(upper|lower|above|below|beside|left|right)\b"
)
ABOUT_TARGETS: Final = (
    "bilah ke kiri berarti di bawah target, ke kanan di atas target",
    "to the left is below the target, to the right above it",
)
"""Sides of the bars themselves, which are the same in every layout."""


@pytest.mark.parametrize("words", [ID, EN], ids=["id", "en"])
def test_no_step_says_where_on_the_page_a_thing_is(words: Words) -> None:
    """A desktop, a phone and paper lay the page out differently."""
    for role in ROLES:
        for number in range(1, STEPS + 1):
            text = words(f"tour.{role}-{number}-text")
            for phrase in ABOUT_TARGETS:
                text = text.replace(phrase, "")
            assert DIRECTIONS.search(text) is None, text


def ticked(visitor: httpx.Client) -> set[str]:
    """The steps that the page of all tours shows to be done."""
    rows = re.findall(r"<li>.*?</li>", visitor.get("/latihan").text)
    return {match[1] for row in rows if "✓" in row and (match := re.search(r"/latihan/(\w+-\d)", row))}


DONE_BY: Final = {
    "asn-3": "/asn/a-00001?tur=asn-3&period=2026-10",
    "pimpinan-5": "/?tur=pimpinan-5&period=2026-10",
    "auditor-2": "/auditor/journal?tur=auditor-2&kind=event-corrected",
    "auditor-3": "/auditor?tur=auditor-3&position=100",
    "auditor-4": "/auditor?tur=auditor-4&check=1",
    "auditor-5": "/auditor/journal.ndjson?tur=auditor-5&until=10",
}
"""The request by which a reader does a step that is more than reading."""


@pytest.mark.parametrize("role", [role for role in ROLES if role != "petugas"])
def test_a_step_of_a_reader_is_ticked_once_it_is_done(practice: Process, role: str) -> None:
    """Reading is done where the page is reached; a form, a period or a download only when it was sent or taken."""
    with httpx.Client(base_url=practice.url, follow_redirects=True, timeout=30) as visitor:
        assert ticked(visitor) == set()
        codes: set[str] = set()
        for number in range(1, STEPS + 1):
            code = f"{role}-{number}"
            text = visitor.get(f"/latihan/{code}").text
            assert ("data-done" in text) == (code not in DONE_BY), code
            assert ("Lewati langkah ini" in text) == (code in DONE_BY and number < STEPS), code
            if code in DONE_BY:
                assert visitor.get(DONE_BY[code]).status_code == 200, code
            codes.add(code)
            assert ticked(visitor) == codes, code
        with httpx.Client(base_url=practice.url) as another:
            assert ticked(another) == set(), "another reader has done nothing"


def test_a_step_of_a_clerk_is_ticked_once_a_counter_has_recorded_it(own_practice: Process) -> None:
    """By what is in the journal, in this order: the simulated city's own entries tick nothing."""
    case, now = {"dinas": "disdukcapil", "service": "ktp-el", "case": "LATIH-1"}, datetime.now(UTC)

    def at(seconds: float) -> str:
        return (now + timedelta(seconds=seconds)).isoformat()

    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("petugas-1", "permit-received", {"received_at": at(-3600)}),
        ("", "permit-paused", {"at": at(-3000), "reason": "blank_stock"}),
        ("petugas-2", "permit-resumed", {"at": at(-2000)}),
        ("petugas-3", "permit-processed", {"received_at": at(-3600), "completed_at": at(-60)}),
        ("petugas-4", "permit-received", {"case": "LATIH-2", "received_at": at(-50)}),
        ("petugas-5", "satisfaction-rated", {"overall": 4, "scale": 4}),
    ]
    with httpx.Client(base_url=own_practice.url, follow_redirects=True, timeout=30) as visitor:
        assert ticked(visitor) == set()
        codes: set[str] = set()
        for number, (code, kind, data) in enumerate(steps):
            stamp = at(-50) if code == "petugas-4" else datetime.now(UTC).isoformat()
            body = event(kind, f"l-{number}", {**case, **data}, source="/loket/disdukcapil/1", time=stamp)
            tally = visitor.post("/v1/events", json=[body], headers={"content-type": BATCH}).json()
            assert tally["accepted"] == 1, tally
            codes |= {code} - {""}
            assert ticked(visitor) == codes, kind
        assert "data-done" in visitor.get("/latihan/petugas-5").text


@pytest.mark.browser
def test_the_counter_ticks_a_step_as_soon_as_it_is_recorded(own_practice: Process, page: Window) -> None:
    """Without a reload, and offers the next one."""
    clerk = Clerk(page, own_practice.url.rstrip("/"))
    page.goto(f"{clerk.url}/latihan/petugas-1")
    clerk.working()
    assert "Lewati langkah ini" in clerk.text(".tour")
    clerk.press("Alt+1")
    clerk.step("LATIH-1", "F2")
    clerk.sees(".tour", "✓ sudah dilakukan")
    assert "Langkah berikutnya" in clerk.text(".tour")
