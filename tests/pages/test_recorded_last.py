"""Lists of entries are in the order of recording, say so, and give both times where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.pages.reading import page
from tests.serving import event

if TYPE_CHECKING:
    from tests.serving import Assembled

ASN: Final = "a-susulan"
DINAS: Final = "d"
OCCURRED: Final = ("2026-11-19T09:00:00+07:00", "2026-11-06T09:00:00+07:00", "2026-11-24T12:00:00+07:00")
"""The times of three entries in the order in which they are recorded, all on the 24th at noon."""
RECORDED: Final = {"id": "dicatat 24 Nov 2026, 12.00.00 WIB", "en": "recorded 24 Nov 2026, 12:00:00 WIB"}
ORDER: Final = {"id": "yang terakhir dicatat dahulu", "en": "last recorded first"}


@pytest.fixture
def city(neraca: Assembled) -> Assembled:
    """A city that learns of the 19th before the 6th."""
    for number, at in enumerate(OCCURRED):
        task = {"dinas": DINAS, "asn": ASN, "task": f"T-{number}", "completed_at": at}
        neraca.record(event("task-completed", f"t-{number}", task, time=at))
    return neraca


@pytest.mark.parametrize("code", ["id", "en"])
@pytest.mark.parametrize("path", [f"/asn/{ASN}", f"/asn/{ASN}/events", f"/dinas/{DINAS}/events", f"/asn/{ASN}/why"])
def test_an_entry_recorded_later_than_it_occurred_has_both_times(city: Assembled, path: str, code: str) -> None:
    """One that was recorded when it occurred has one time."""
    view = page(city, f"{path}?period=2026-11&lang={code}")
    rows = dict(_rows(view.rows))
    assert {number: RECORDED[code] in row[1] for number, row in rows.items()} == {0: True, 1: True, 2: False}
    if not path.endswith("/why"):
        assert list(rows) == [2, 1, 0]
        assert [text for text in view.all("caption") if ORDER[code] in text]


def _rows(rows: list[list[str]]) -> list[tuple[int, list[str]]]:
    """The rows of entries, each with the number of its task."""
    return [
        (number, row) for row in rows for number in range(len(OCCURRED)) if len(row) == 4 and f"T-{number}" in row[2]
    ]


@pytest.mark.parametrize(("code", "word"), [("id", "terjadi 19 Nov 2026"), ("en", "occurred 19 Nov 2026")])
def test_the_boards_strip_says_when_a_late_entry_occurred(city: Assembled, code: str, word: str) -> None:
    """Its clock is that of the recording."""
    text = city.get(f"/?lang={code}").text
    assert text.count(word) == 1
    assert text.count(word.partition(" ")[0] + " 24 Nov") == 0


def test_the_journal_names_the_order_it_is_in(city: Assembled) -> None:
    view = page(city, "/auditor/journal")
    assert [text for text in view.all("caption") if text.startswith("Yang terakhir dicatat dahulu")]


def test_a_spreadsheet_of_entries_has_both_times(city: Assembled) -> None:
    head, *rows = city.get(f"/asn/{ASN}/events?period=2026-11&csv=events&lang=en").text.splitlines()
    assert head.split(",")[-1] == "Recorded"
    assert {row.split(",")[-1][:10] for row in rows} == {"2026-11-24"}
