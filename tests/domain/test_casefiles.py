"""Case files: pauses that count, files that are open, and since when they are overdue."""

from typing import Any

import msgspec
import pytest

from domain.events.entries import AnyEntry
from domain.fold.casefiles import (
    CaseFile,
    OpenFile,
    changes_of,
    counted_pauses,
    intervals,
    length_us,
    merged,
    open_file,
)
from tests.domain.said import CASE, DINAS, HOUR, SERVICE, decided, entry, us

KEY = (DINAS, SERVICE, CASE)


def _received(at: str, *, due: str | None = None, hours: int | None = None, asn: str = "a-1") -> AnyEntry:
    values: dict[str, Any] = {"month": "2026-11", "received_us": us(at)}
    if due is not None:
        values["due_us"] = us(due)
    if hours is not None:
        values["standard"] = {"id": "/peraturan#s", "us": hours * HOUR, "unit": "wall_hours"}
    return entry("permit-received", {"dinas": DINAS, "service": SERVICE, "case": CASE, "asn": asn, "resolved": values})


def _note(kind: str, at: str) -> AnyEntry:
    day, clock = at.split()
    data = {"dinas": DINAS, "service": SERVICE, "case": CASE, "at": f"2026-11-{day}T{clock}:00+07:00"}
    return entry(kind, data | ({"reason": "applicant"} if kind == "permit-paused" else {}))


def _retracted(fact: AnyEntry) -> AnyEntry:
    record = {"position": 0, "contenthash": ""} | _builtins(fact)
    return entry("event-retracted", {"resolved": {"removes": record}})


def _builtins(fact: AnyEntry) -> dict[str, Any]:
    content: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(fact))
    return content


def _file(*entries: AnyEntry) -> CaseFile:
    file = CaseFile()
    for each in entries:
        for key, change in changes_of(each):
            assert key == KEY
            file = merged(file, change)
    return file


def _opened(*entries: AnyEntry) -> OpenFile | None:
    return open_file(KEY, _file(*entries))


@pytest.mark.parametrize(
    ("pauses", "span", "parts"),
    [
        ([], (0, 100), []),
        ([(10, 20)], (0, 100), [(10, 20)]),
        ([(10, 30), (20, 40)], (0, 100), [(10, 30), (30, 40)]),
        ([(10, 40), (20, 30)], (0, 100), [(10, 40)]),
        ([(20, 30), (10, 15)], (0, 100), [(10, 15), (20, 30)]),
        ([(10, 20), (10, 20)], (0, 100), [(10, 20)]),
        ([(10, 20), (20, 30)], (0, 100), [(10, 20), (20, 30)]),
        ([(-50, 10)], (0, 100), [(0, 10)]),
        ([(90, 150)], (0, 100), [(90, 100)]),
        ([(-50, -10), (110, 120)], (0, 100), []),
        ([(-50, 500)], (0, 100), [(0, 100)]),
        ([(10, 10)], (0, 100), []),
        ([(0, 100)], (50, 20), []),
    ],
)
def test_pauses_count_once_where_they_overlap_and_only_inside_the_span(
    pauses: list[tuple[int, int]], span: tuple[int, int], parts: list[tuple[int, int]]
) -> None:
    result = counted_pauses([(begin, end, "payment") for begin, end in pauses], *span)
    assert [(begin, end) for begin, end, _ in result] == parts
    assert length_us(result) == sum(end - begin for begin, end in parts)


@pytest.mark.parametrize(
    ("pause_times", "resume_times", "spans", "since"),
    [
        ([], [], [], None),
        ([5], [], [], 5),
        ([5], [9], [(5, 9)], None),
        ([5, 20], [9], [(5, 9)], 20),
        ([5, 9], [9, 12], [(5, 9), (9, 12)], None),
        ([5, 6], [9], [(5, 9)], None),
        ([], [9], [], None),
        ([9], [5], [], 9),
    ],
)
def test_a_pause_lasts_until_the_next_resumption(
    pause_times: list[int], resume_times: list[int], spans: list[tuple[int, int]], since: int | None
) -> None:
    """A pause recorded twice is one, resuming a running case changes nothing, and at one instant it comes first."""
    pauses, running = intervals(
        CaseFile(pauses=tuple((at, "payment") for at in pause_times), resumed=tuple(resume_times))
    )
    assert ([(begin, end) for begin, end, _ in pauses], running) == (spans, since)


def test_a_file_is_open_while_its_receipt_stands_and_no_decision_does() -> None:
    receipt, decision = _received("02 08:00"), decided(1)
    assert _opened() is None
    assert _opened(receipt) == OpenFile(*KEY, "a-1", us("02 08:00"), None, "none", None)
    assert _opened(receipt, decision) is None
    assert _opened(decision) is None
    assert _opened(receipt, decision, _retracted(decision)) == _opened(receipt)
    assert _opened(receipt, _retracted(receipt)) is None
    again = _received("03 08:00", asn="a-2")
    assert _opened(receipt, _retracted(receipt), again) == _opened(again)


def test_what_was_said_of_a_case_forgives_order() -> None:
    """Retraction before receipt, resumption before pause: the same file in the end."""
    receipt = _received("02 08:00", hours=24)
    notes = [
        receipt,
        _retracted(receipt),
        _received("03 08:00"),
        _note("permit-paused", "04 08:00"),
        _note("permit-resumed", "05 08:00"),
    ]
    assert _file(*notes) == _file(*reversed(notes))


@pytest.mark.parametrize(
    ("entries", "due", "kind"),
    [
        ([_received("02 08:00")], None, "none"),
        ([_received("02 08:00", hours=24)], "03 08:00", "standard"),
        ([_received("02 08:00", due="09 08:00")], "09 08:00", "due_at"),
        ([_received("02 08:00", due="09 08:00", hours=24)], "09 08:00", "due_at"),
    ],
)
def test_a_due_time_beats_the_standard_at_receipt(entries: list[AnyEntry], due: str | None, kind: str) -> None:
    files = _opened(*entries)
    assert files is not None
    assert (files.due_us, files.kind) == (None if due is None else us(due), kind)


PAUSE, RESUME = _note("permit-paused", "02 20:00"), _note("permit-resumed", "03 20:00")
STANDARD, DUE = _received("02 08:00", hours=24), _received("02 08:00", due="03 08:00")


@pytest.mark.parametrize(
    ("entries", "now", "overdue"),
    [
        ([STANDARD], "03 08:00", False),
        ([STANDARD], "03 08:01", True),
        ([STANDARD, PAUSE], "30 08:00", False),  # the clock stands
        ([STANDARD, PAUSE, RESUME], "04 08:00", False),  # and moved the instant by the day it stood
        ([STANDARD, PAUSE, RESUME], "04 08:01", True),
        ([STANDARD, _note("permit-paused", "04 08:00")], "30 08:00", True),  # overdue before it was paused
        ([DUE], "03 08:00", False),
        ([DUE], "03 08:01", True),
        ([DUE, PAUSE], "03 08:01", True),  # a raw instant, which no pause moves
        ([DUE, PAUSE, RESUME], "03 08:01", True),
        ([_received("02 08:00")], "30 08:00", False),
    ],
)
def test_overdue_is_judged_on_a_clock_that_stands_while_paused_unless_a_raw_instant_was_promised(
    entries: list[AnyEntry],
    now: str,
    overdue: bool,  # noqa: FBT001 - a column
) -> None:
    files = _opened(*entries)
    assert files is not None
    assert files.overdue_at(us(now)) is overdue


def test_a_pause_before_receipt_moves_nothing() -> None:
    """Pauses count inside the case's span only."""
    early = [_note("permit-paused", "01 08:00"), _note("permit-resumed", "02 09:00")]
    files = _opened(STANDARD, *early)
    assert files is not None
    assert files.due_us == us("03 09:00")
