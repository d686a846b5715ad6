"""Decision records: each names the test that holds it, that test exists, and what no other room tests is tested here."""

import re
from pathlib import Path
from typing import Final

import pytest

from streams.places.sqlite_version import sqlite_warning
from tests.serving import Assembled, event

ROOT: Final = Path(__file__).parents[2]
RECORDS: Final = sorted((ROOT / "docs" / "decisions").glob("*.md"))
NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CASE: Final = {"dinas": "dpmptsp", "service": "pbg", "case": "K-1"}


def test_a_decision_names_what_holds_it() -> None:
    """Each record names one test at least, and every test that a record names exists."""
    names = {
        record.name: NAMED.findall(record.read_text(encoding="utf-8").partition("**Enforced by**")[2])
        for record in RECORDS
    }
    assert [record for record, tests in names.items() if not tests] == []
    missing = [
        f"{record}: {file} has no {test}"
        for record, tests in names.items()
        for file, test in tests
        if not re.search(rf"^def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_records_are_numbered_from_one_without_a_gap() -> None:
    assert [int(record.stem[:4]) for record in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize(
    ("version", "warns"),
    [
        ((3, 40, 1), True),
        ((3, 51, 2), True),
        ((3, 44, 6), False),
        ((3, 50, 7), False),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
def test_a_sqlite_with_the_bug_is_named(version: tuple[int, int, int], warns: bool) -> None:  # noqa: FBT001 - a column
    """Builds up to 3.51.2 have it, but for two lines to which the cure was carried back."""
    warning = sqlite_warning(version)
    assert bool(warning) is warns
    assert warning is None or ".".join(map(str, version)) in warning


def test_a_resumption_at_the_instant_of_its_pause_is_refused(neraca: Assembled) -> None:
    """A microsecond later it is taken."""
    start = "2026-11-24T10:00:00+07:00"
    neraca.record(
        event("permit-received", "1", {**CASE, "received_at": "2026-11-24T09:00:00+07:00"}),
        event("permit-paused", "2", {**CASE, "at": start, "reason": "applicant"}),
    )
    refusal = neraca.post(event("permit-resumed", "3", {**CASE, "at": start}))
    assert (refusal.status_code, refusal.json()["errors"][0]["pointer"]) == (422, "/data/at")
    answer = neraca.post(event("permit-resumed", "3", {**CASE, "at": "2026-11-24T10:00:00.000001+07:00"}))
    assert answer.status_code == 201
