"""A journal recorded over five days by a test's clock: rules, facts, notes and reversals of two dinas.

The fixtures are a plugin of all tests, since the journal's own tests read this journal too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from streams.journal.journal import Journal
from tests.serving import ZONE, Assembled, Clock, event

if TYPE_CHECKING:
    from streams.places.location import Location
    from tests.conftest import Assemble, Places

DAYS: Final = ("2026-11-02", "2026-11-05", "2026-11-09", "2026-11-20", "2026-11-24")


CASE: Final = {"dinas": "dinkes", "service": "izin", "case": "K-1"}
HISTORY: Final = (
    [
        event("dinas-registered", "d", {"dinas": "dishub", "name": "Dinas Perhubungan"}),
        event(
            "standard-set", "s", {"service": "kir", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
        ),
    ],
    [
        event("permit-received", "r", {**CASE, "received_at": "2026-11-04T08:00:00+07:00"}),
        event("permit-paused", "p", {**CASE, "at": "2026-11-04T09:00:00+07:00", "reason": "applicant"}),
        *(
            event(
                "task-completed",
                f"t-{n}",
                {
                    "dinas": "dishub",
                    "asn": f"a-{n % 3}",
                    "task": f"Tugas-{n}",
                    "completed_at": "2026-10-31T08:00:00+07:00",
                },
            )
            for n in range(30)
        ),
    ],
    [
        event(
            "task-completed",
            "u",
            {"dinas": "dinkes", "asn": "a-1", "task": '"kutip\\ é', "completed_at": "2026-11-08T08:00:00+07:00"},
        )
    ],
    [
        event("event-retracted", "x", {"event": {"source": "/loket", "id": "t-4"}, "reason": "salah-input"}),
        event(
            "scheme-adopted",
            "scheme",
            {
                "scheme": "baru",
                "effective_from": "2027-01-01",
                "skm_weight": "1/9",
                "min_coverage": "0.4",
                "indicators": [
                    {
                        "id": "tepat",
                        "numerator": "tasks_on_time",
                        "denominator": "tasks_with_due",
                        "direction": "higher",
                        "target": "100",
                        "cap": None,
                        "min_n": 1,
                        "weight": "1",
                    }
                ],
            },
        ),
    ],
    [
        event(
            "event-corrected",
            "k",
            {
                "event": {"source": "/loket", "id": "t-5"},
                "reason": "salah-waktu",
                "replacement": {
                    "dinas": "dishub",
                    "asn": "a-9",
                    "task": "Tugas-5",
                    "completed_at": "2026-11-01T00:00:00+07:00",
                },
            },
        )
    ],
)
"""The events of each day."""


def told_over_days(neraca: Assembled) -> None:
    """Record rules, facts, notes and reversals on five days; some of them concern both dinas."""
    for day, events in zip(DAYS, HISTORY, strict=True):
        neraca.clock.set(f"{day}T12:00:00+07:00")
        neraca.record(*(submission | {"time": f"{day}T11:00:00+07:00"} for submission in events))


def open_in_october(place: Location, clock: Clock) -> None:
    """Open a place's journal by a test's clock, so that times of recording rise from the first entry on."""
    clock.set("2026-10-01T12:00:00+07:00")
    with place.locked():
        Journal.open(place.journal, ZONE, clock()).close()


@pytest.fixture
def october_journal(assemble: Assemble, places: Places, clock: Clock) -> Assembled:
    """A Neraca whose journal was opened on the first of October, by the test's clock."""
    open_in_october(places("data"), clock)
    return assemble()


@pytest.fixture
def five_days(october_journal: Assembled) -> Assembled:
    """A journal that was recorded over five days."""
    told_over_days(october_journal)
    return october_journal
