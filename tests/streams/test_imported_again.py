"""A file imported again: what says nothing new is a duplicate, what says something else is refused, or corrects on request."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.serving import event
from tests.streams.city import City, outcome

BEFORE: Final = json.loads((Path(__file__).parents[1] / "data" / "before" / "imports.json").read_text(encoding="utf-8"))
"""Files and mappings, and the events that the importer of commit 0898d32 made of them."""
TASKS = """
kind = "task-completed"
source = "/import/case"
[fields]
dinas = "D"
asn = "A"
task = "T"
completed_at = "E"
"""
DUE = TASKS + 'due_at = "DUE"\n'
LOCAL_TIMES = """D,A,T,E,DUE
d,a-1,t-1,2026-03-01T08:00:00+07:00,2026-03-02T08:00:00+07:00
d,a-1,t-2,2026-03-01T09:00:00+07:00,2026-03-02T08:00:00+07:00
"""
UTC_TIMES = LOCAL_TIMES.replace("T08:00:00+07:00", "T01:00:00Z").replace("T09:00:00+07:00", "T02:00:00Z")
PERMITS = """
kind = "permit-processed"
source = "/import/case"
[fields]
dinas = "D"
service = "S"
case = "C"
received_at = "R"
completed_at = "E"
"""
DECIDED = "D,S,C,R,E\nd,s,1,2026-03-01 08:00,2026-03-01 10:00\nd,s,2,2026-03-01 08:00,2026-03-01 10:00\n"


@pytest.mark.parametrize("example", BEFORE, ids=lambda example: str(example["name"]))
def test_a_file_that_the_former_version_imported_adds_nothing(city: City, example: dict[str, Any]) -> None:
    """The events of the former version are recorded, then the same file is imported: every row is known."""
    receipt = event(
        "permit-received",
        "r-9",
        {"dinas": "d", "service": "s", "case": "9", "received_at": "2026-03-01T08:00:00+07:00"},
    )
    if example["name"] == "pauses":
        city.neraca.record(receipt)
    city.neraca.record(*example["events"])
    head = city.neraca.journal.head()
    total = city.take(example["mapping"], example["file"])
    skips = example["file"].count("\n") - 1 - len(example["events"])
    assert total == f"accepted=0 duplicates={len(example['events'])} refused=0 skipped={skips}"
    assert city.neraca.journal.head() == head


@pytest.mark.parametrize(("toml", "content"), [(TASKS, LOCAL_TIMES), (DUE, LOCAL_TIMES), (PERMITS, DECIDED)])
def test_the_same_file_again_adds_nothing(city: City, toml: str, content: str) -> None:
    assert city.take(toml, content) == outcome(new=2)
    assert city.take(toml, content) == outcome(duplicates=2)


@pytest.mark.parametrize("first", [LOCAL_TIMES, UTC_TIMES])
def test_other_spellings_of_the_same_instants_say_nothing_new(city: City, first: str) -> None:
    second = UTC_TIMES if first == LOCAL_TIMES else LOCAL_TIMES
    assert city.take(DUE, first) == outcome(new=2)
    assert city.take(DUE, second) == outcome(duplicates=2)
    assert city.take(DUE, second.replace("t-1,", "t-1, ").replace("Z,", "Z ,")) == outcome(duplicates=2)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((TASKS, LOCAL_TIMES), (DUE, LOCAL_TIMES)),
        ((TASKS, LOCAL_TIMES), (DUE, UTC_TIMES)),
        ((DUE, LOCAL_TIMES), (DUE, LOCAL_TIMES.replace("02T08", "03T08"))),
        ((DUE, LOCAL_TIMES), (TASKS, LOCAL_TIMES)),
        ((TASKS, LOCAL_TIMES), (TASKS, LOCAL_TIMES.replace("t-1", " t-1").replace("t-2", "t-2 "))),
        ((PERMITS, DECIDED), (PERMITS, DECIDED.replace("10:00", "11:00"))),
    ],
)
def test_a_row_that_says_something_else_of_the_same_is_no_new_fact(
    city: City, first: tuple[str, str], second: tuple[str, str]
) -> None:
    """It is refused, with the position of what was recorded; the counts stay."""
    assert city.take(*first) == outcome(new=2)
    counts = city.counts()
    assert city.take(*second) == outcome(refusals=2)
    details = [refusal.detail for refusal in city.refused]
    assert [detail.partition("(")[2].partition(")")[0] for detail in details] == ["position 2", "position 3"]
    assert "--correct" in city.refused[0].detail
    assert city.counts() == counts


def test_with_correct_it_is_a_correction_of_what_is_in_force(city: City) -> None:
    """Once; a later row corrects the correction, an earlier one too, and each file again says nothing new."""
    third = LOCAL_TIMES.replace("02T08", "03T08")
    assert city.take(TASKS, LOCAL_TIMES) == outcome(new=2)
    for content in (LOCAL_TIMES, third, LOCAL_TIMES):
        assert city.take(DUE, content, correct=True) == outcome(new=2)
        assert city.take(DUE, content, correct=True) == outcome(duplicates=2)
        assert city.take(DUE, content) == outcome(duplicates=2)
    counts = city.counts()
    assert (counts["tasks"], counts["tasks_with_due"], counts["tasks_on_time"]) == (2, 2, 2)


def test_a_fact_of_the_former_version_is_corrected_too(city: City) -> None:
    example = next(item for item in BEFORE if item["name"] == "permits")
    city.neraca.record(*example["events"])
    later = example["file"].replace("10:00:00", "11:00:00")
    assert city.take(example["mapping"], later) == "accepted=0 duplicates=0 refused=2 skipped=1"
    assert city.take(example["mapping"], later, correct=True) == "accepted=2 duplicates=0 refused=0 skipped=1"
    assert city.take(example["mapping"], later) == "accepted=0 duplicates=2 refused=0 skipped=1"
    assert city.counts()["permits"] == 2


def test_what_was_retracted_stays_out(city: City) -> None:
    """A row that says the same again is a duplicate; one that says something else is refused, also with `correct`."""
    assert city.take(TASKS, LOCAL_TIMES) == outcome(new=2)
    for number in (1, 2):
        line = json.loads(city.neraca.journal.lines_at([number + 1])[number + 1])
        target = {"source": line["source"], "id": line["id"]}
        city.neraca.record(event("event-retracted", f"x-{number}", {"event": target, "reason": "mistake"}))
    assert city.take(TASKS, LOCAL_TIMES) == outcome(duplicates=2)
    assert city.take(DUE, LOCAL_TIMES, correct=True) == outcome(refusals=2)
    assert city.refused[0].detail.startswith("was recorded before and then retracted")
    assert city.counts()["tasks"] == 0


PAUSES = """
kind = "permit-paused"
source = "/import/case"
[fields]
dinas = "D"
service = "S"
case = "C"
at = "A"
reason = "W"
"""


def test_a_pause_that_is_told_again_is_one_and_cannot_be_corrected(city: City) -> None:
    """A pause is no fact: one of another reason is refused, also with `correct`, and no remedy is named."""
    data = {"dinas": "d", "service": "s", "case": "1", "received_at": "2026-03-01T08:00:00+07:00"}
    city.neraca.record(event("permit-received", "r-1", data))
    pause = "D,S,C,A,W\nd,s,1,2026-03-02 08:00,applicant\n"
    assert city.take(PAUSES, pause) == outcome(new=1)
    assert city.take(PAUSES, pause + pause.partition("\n")[2]) == outcome(duplicates=2)
    assert city.take(PAUSES, pause.replace("applicant", "payment"), correct=True) == outcome(refusals=1)
    assert city.refused[0].detail == "was recorded before and says something else (position 3)"


def test_rows_that_say_nothing_new_within_one_file(city: City) -> None:
    """Identical tasks are separate facts; a decision, a receipt or a pause that is told twice is one."""
    task = LOCAL_TIMES.splitlines()[1] + "\n"
    assert city.take(DUE, LOCAL_TIMES + task * 18) == outcome(new=20)
    assert city.take(DUE, LOCAL_TIMES + task * 19) == outcome(new=1, duplicates=20)
    assert city.take(DUE, LOCAL_TIMES + task.replace("02T08", "04T08")) == outcome(duplicates=2, refusals=1)
    decisions = DECIDED + DECIDED.splitlines()[1] + "\n"
    assert city.take(PERMITS, decisions) == outcome(new=2, duplicates=1)


IDENTIFIED = 'identity = ["ID"]\n' + TASKS
NUMBERED = "ID,D,A,T,E\n7,d,a-1,t-1,2026-03-01 08:00\n8,d,a-1,t-1,2026-03-01 08:00\n"


def test_a_mapping_names_the_columns_by_which_a_row_is_known(city: City) -> None:
    """Rows of other numbers are other facts; a row whose other cells changed is the same one."""
    assert city.take(IDENTIFIED, NUMBERED) == outcome(new=2)
    assert city.take(IDENTIFIED, NUMBERED.replace("08:00", "09:00")) == outcome(refusals=2)
    assert city.take(IDENTIFIED, NUMBERED.replace("08:00", "09:00"), correct=True) == outcome(new=2)
    assert city.take(IDENTIFIED, NUMBERED.replace("7,d", "9,d")) == outcome(new=1, duplicates=1)
    assert city.take(IDENTIFIED, NUMBERED.replace("d,", "e,")) == outcome(new=2)
    by_time = IDENTIFIED.replace('["ID"]', '["ID", "E"]').replace("/case", "/by-time")
    assert city.take(by_time, NUMBERED.replace("08:00", "08:00:00+07:00")) == outcome(new=2)
    assert city.take(by_time, NUMBERED.replace("2026-03-01 08:00", "2026-03-01T01:00:00Z")) == outcome(duplicates=2)


def test_a_counters_own_event_is_known_by_its_case(city: City) -> None:
    """A decision that a counter recorded under an id of its own is not recorded again, nor taken for another one."""
    data = {"dinas": "d", "service": "s", "case": "1", "received_at": "2026-03-01T08:00:00+07:00"}
    city.neraca.record(
        event(
            "permit-processed",
            "p-1",
            data | {"completed_at": "2026-03-01T10:00:00+07:00"},
            time="2026-03-01T10:00:00+07:00",
        )
    )
    assert city.take(PERMITS, DECIDED) == outcome(new=1, duplicates=1)
