"""When a fact was due, and by how much it was early or late: as it was judged, never by a later rule."""

from __future__ import annotations

import pytest

from domain.clock import HOUR_US, parse_instant
from domain.events.entries import Standard
from domain.intake.judged import DECIDED, TASK, due_us, margin_us, paused_us
from domain.intake.recorded import EffectiveFact, Resolved

AT = parse_instant("2026-11-02T08:00:00+07:00")
HOUR = HOUR_US


def decision(
    hours: int, *, promise: int | None = None, due: int | None = None, pauses: tuple[tuple[int, int], ...] = ()
) -> EffectiveFact:
    """A decision so many hours after receipt; hours of the clock since receipt everywhere."""
    paused_for = tuple((AT + start * HOUR, AT + stop * HOUR, "payment") for start, stop in pauses)
    length = sum(stop - start for start, stop in pauses)
    completion = f"2026-11-02T{8 + hours:02d}:00:00+07:00"
    standard = None if promise is None else Standard("/a#s", promise * HOUR, "wall_hours")
    promise_given = promise if due is None else due
    resolution = Resolved(
        received_us=AT,
        elapsed_us=(hours - length) * HOUR,
        standard=standard,
        promise_us=None if promise_given is None else promise_given * HOUR,
        due_us=None if due is None else AT + due * HOUR,
        pauses=paused_for,
    )
    return EffectiveFact(DECIDED, completion, {"completed_at": completion, "resolved": resolution})


@pytest.mark.parametrize(
    ("fact", "due", "margin"),
    [
        (decision(5), None, None),
        (decision(5, promise=8), 8, 3),
        (decision(8, promise=8), 8, 0),
        (decision(9, promise=8), 8, -1),
        (decision(9, promise=8, pauses=((2, 4),)), 10, 1),
        (decision(9, promise=3, pauses=((2, 4), (6, 8))), 5, -2),
        (decision(9, promise=3, pauses=((3, 5),)), 3, -4),
        (decision(9, promise=3, due=7, pauses=((2, 4),)), 7, -2),
        (decision(5, due=7, pauses=((2, 4),)), 7, 2),
    ],
)
def test_a_standard_is_due_when_its_clock_reaches_it_and_a_due_date_stands_still(
    fact: EffectiveFact, due: int | None, margin: int | None
) -> None:
    """A pause moves a standard if it began before the promise was reached; it never moves a due date."""
    assert due_us(fact) == (None if due is None else AT + due * HOUR)
    assert margin_us(fact) == (None if margin is None else margin * HOUR)


def test_a_task_is_due_at_its_own_due_time() -> None:
    fact_data = {"completed_at": "2026-11-02T10:00:00+07:00", "due_at": "2026-11-02T08:00:00+07:00"}
    assert due_us(EffectiveFact(TASK, "", fact_data)) == AT
    assert margin_us(EffectiveFact(TASK, "", fact_data)) == -2 * HOUR
    without = EffectiveFact(TASK, "", {"completed_at": fact_data["completed_at"]})
    assert (due_us(without), margin_us(without)) == (None, None)


def test_what_a_former_version_took_is_read_as_it_was() -> None:
    """It took offsets whose minutes run beyond 59; such a line is in the journal for ever."""
    fact_data = {"completed_at": "2026-11-02T11:00:00+07:60", "due_at": "2026-11-02T09:00:00+07:60"}
    assert due_us(EffectiveFact(TASK, "", fact_data)) == AT
    assert margin_us(EffectiveFact(TASK, "", fact_data)) == -2 * HOUR


def test_the_pauses_of_a_decision_add_up() -> None:
    assert paused_us(decision(9, promise=8, pauses=((1, 2), (4, 6))).resolved) == 3 * HOUR
