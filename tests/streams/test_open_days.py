"""A decision, a pause or a resumption of which only the day is known lies no earlier than what the journal holds of its case."""

import json
from typing import Any

import pytest

from tests.serving import event
from tests.streams.city import City, outcome

DECISIONS = """
kind = "permit-processed"
source = "/import/days"
times = ["iso", "%Y-%m-%d"]
dates = ["completed_at"]
[fields]
dinas = "D"
service = "S"
case = "C"
completed_at = "E"
"""
HEADER = "D,S,C,E\n"
ROW = "d,s,1,2026-03-02\n"
NOTES = """
kind = "permit-{kind}"
source = "/import/days"
times = ["iso", "%Y-%m-%d"]
[fields]
dinas = "D"
service = "S"
case = "C"
at = "E"
"""


def received(moment: str, case: str = "1") -> dict[str, Any]:
    data = {"dinas": "d", "service": "s", "case": case, "received_at": moment}
    return event("permit-received", f"r-{case}", data, time=moment)


def noted(kind: str, moment: str) -> dict[str, Any]:
    reason = {"reason": "applicant"} if kind == "paused" else {}
    data = {"dinas": "d", "service": "s", "case": "1", "at": moment, **reason}
    return event(f"permit-{kind}", f"{kind}-{moment}", data, time=moment)


def decided(moment: str, **data: str) -> dict[str, Any]:
    case = {"dinas": "d", "service": "s", "case": "1", "completed_at": moment}
    return event("permit-processed", "p-1", {**case, **data}, time=moment)


def last(city: City) -> dict[str, Any]:
    (line,) = city.neraca.journal.lines(city.neraca.journal.head() - 1, 1)
    entry: dict[str, Any] = json.loads(line[1])
    return entry


@pytest.mark.parametrize(
    ("receipt", "cell", "instant"),
    [
        ("2026-03-02T10:15:00+07:00", "2026-03-02", "2026-03-02T10:15:00+07:00"),
        ("2026-03-02T10:15:00+07:00", "2026-03-02 00:00:00", "2026-03-02T10:15:00+07:00"),
        ("2026-03-02T03:15:00Z", "2026-03-02", "2026-03-02T10:15:00+07:00"),
        ("2026-03-02T23:59:59.999999+07:00", "2026-03-02", "2026-03-02T23:59:59.999999+07:00"),
        ("2026-03-01T10:15:00+07:00", "2026-03-02", "2026-03-02T00:00:00+07:00"),
        ("2026-03-01T18:00:00Z", "2026-03-02", "2026-03-02T01:00:00+07:00"),
    ],
)
def test_a_decision_of_a_day_lies_no_earlier_than_its_receipt(
    city: City, receipt: str, cell: str, instant: str
) -> None:
    """It takes the receipt from the journal, and the file imported again says nothing new."""
    city.neraca.record(received(receipt))
    content = HEADER + ROW.replace("2026-03-02", cell)
    assert city.take(DECISIONS, content) == outcome(new=1)
    line = last(city)
    assert (line["data"]["completed_at"], line["time"]) == (instant, instant)
    assert line["data"]["resolved"].get("flags", []) == ["unknown_dinas"]
    assert city.take(DECISIONS, content) == outcome(duplicates=1)


@pytest.mark.parametrize("cell", ["2026-03-01", "2026-03-02 09:00:00"])
def test_a_decision_before_the_day_or_at_an_hour_before_its_receipt_is_refused(city: City, cell: str) -> None:
    city.neraca.record(received("2026-03-02T10:15:00+07:00"))
    assert city.take(DECISIONS, HEADER + ROW.replace("2026-03-02", cell)) == outcome(refusals=1)
    assert "before the case was received" in city.refused[0].detail


def test_a_day_is_that_of_the_mappings_zone(city: City) -> None:
    """The second of March begins in London when it is seven in Jakarta."""
    city.neraca.record(received("2026-03-02T10:15:00+07:00"))
    assert city.take('zone = "Europe/London"\n' + DECISIONS, HEADER + ROW) == outcome(new=1)
    assert last(city)["data"]["completed_at"] == "2026-03-02T03:15:00+00:00"


def test_good_rows_beside_it_are_recorded_once(city: City) -> None:
    city.neraca.record(*(received(f"2026-03-02T0{n}:00:00+07:00", str(n)) for n in range(1, 5)))
    rows = HEADER + "".join(f"d,s,{n},2026-03-{2 + n % 2:02}\n" for n in range(1, 6))
    assert city.take(DECISIONS, rows) == outcome(new=4, refusals=1)
    assert [refusal.row for refusal in city.refused] == [5]
    assert city.take(DECISIONS, rows) == outcome(duplicates=4, refusals=1)
    assert city.counts()["permits"] == 4


def test_a_decision_recorded_with_its_hour_is_known_by_its_day(city: City) -> None:
    """The counter has recorded the hour; the row of a file that knows the day alone says nothing new."""
    city.neraca.record(received("2026-03-02T10:15:00+07:00"), decided("2026-03-02T14:00:00+07:00"))
    assert city.take(DECISIONS, HEADER + ROW) == outcome(duplicates=1)
    assert city.take(DECISIONS, HEADER + ROW.replace("02\n", "03\n")) == outcome(refusals=1)


def test_a_correction_of_a_day_lies_no_earlier_than_its_receipt(city: City) -> None:
    """Once: the same file again says nothing new."""
    city.neraca.record(received("2026-03-02T10:15:00+07:00"), decided("2026-03-04T14:00:00+07:00"))
    assert city.take(DECISIONS, HEADER + ROW, correct=True) == outcome(new=1)
    assert last(city)["data"]["replacement"]["completed_at"] == "2026-03-02T10:15:00+07:00"
    assert city.take(DECISIONS, HEADER + ROW, correct=True) == outcome(duplicates=1)
    assert city.take(DECISIONS, HEADER + ROW) == outcome(duplicates=1)


def test_a_resumption_of_a_day_lies_after_its_pause(city: City) -> None:
    city.neraca.record(received("2026-03-01T08:00:00+07:00"), noted("paused", "2026-03-02T10:15:00+07:00"))
    toml = NOTES.format(kind="resumed")
    assert city.take(toml, HEADER + ROW) == outcome(new=1)
    assert last(city)["data"]["at"] == "2026-03-02T10:15:00.000001+07:00"
    assert city.take(toml, HEADER + ROW) == outcome(duplicates=1)


def test_a_pause_of_a_day_lies_no_earlier_than_the_end_of_the_last_one(city: City) -> None:
    city.neraca.record(received("2026-03-01T08:00:00+07:00"), noted("paused", "2026-03-02T08:00:00+07:00"))
    city.neraca.record(noted("resumed", "2026-03-02T10:15:00+07:00"))
    toml = NOTES.format(kind="paused") + '[fixed]\nreason = "applicant"\n'
    assert city.take(toml, HEADER + ROW) == outcome(new=1)
    assert last(city)["data"]["at"] == "2026-03-02T10:15:00+07:00"
    assert city.take(toml, HEADER + ROW) == outcome(duplicates=1)


def test_the_refusal_names_the_earliest_instant(city: City) -> None:
    """Whoever sends events over HTTP can tell by it what the field could name."""
    city.neraca.record(received("2026-03-02T10:15:00+07:00"))
    problem = city.neraca.post(decided("2026-03-02T00:00:00+07:00")).json()
    assert [(fault["pointer"], fault["earliest"]) for fault in problem["errors"]] == [
        ("/data/completed_at", "2026-03-02T03:15:00.000000Z")
    ]
