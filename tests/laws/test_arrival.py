"""The order in which events arrive decides no figure: late receipts, late rules, and what the service corrects itself."""

from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from domain.clock import parse_instant
from streams.intake.late_rules import resolve_late
from streams.intake.recording import Policy
from tests.laws.counter import (
    NOW,
    capaian_of,
    correction,
    decision,
    event,
    receipt,
    refusal_of,
    retraction,
    standard,
    sums_of,
    take,
)
from tests.laws.histories import Desk, desk

DUE = "2026-11-02T14:00:00+07:00"
HOUR = 3_600_000_000
POLICY = Policy(ZoneInfo("Asia/Jakarta"))


def _last(at: Desk) -> dict[str, Any]:
    line: dict[str, Any] = msgspec.json.decode(at.lines[-1][1])
    return line


def _own(at: Desk) -> list[dict[str, Any]]:
    """The corrections that the service recorded itself."""
    lines = [msgspec.json.decode(line) for _, line in at.lines]
    return [line for line in lines if line["recordedby"] == "neraca"]


@pytest.mark.parametrize("due", [None, DUE, "2026-11-03T08:00:00+07:00"])
def test_receipt_and_decision_may_arrive_in_any_order(due: str | None) -> None:
    """A decision that states when its case was received, its receipt, and others beside them."""
    promise = {} if due is None else {"due_at": due}
    events = (receipt(**promise), decision("p", 12), decision("q", 30, case="K-2"))
    sums = set()
    for order in permutations(events):
        with desk() as counter:
            counter.now_us = parse_instant(NOW)
            take(counter, standard("s", 24), *order)
            sums.add(tuple(sorted(sums_of(counter)["2026-11"].items())))
    assert len(sums) == 1


def test_a_decision_is_judged_by_the_deadline_of_a_receipt_that_comes_later(counter: Desk) -> None:
    take(counter, standard("s", 24), decision("p", 12))
    assert capaian_of(counter) == (1, 1, 15_000)
    take(counter, receipt(due_at=DUE))
    assert capaian_of(counter) == (1, 0, 0)
    line = _last(counter)
    assert (line["source"], line["recordedby"], line["type"]) == ("/neraca", "neraca", "neraca.event-corrected.v1")
    assert (line["data"]["event"], line["data"]["reason"]) == (
        {"source": "/loket", "id": "p"},
        "receipt-came-later",
    )
    assert line["data"]["replacement"] == decision("p", 12)["data"]


def test_a_late_receipt_that_changes_nothing_corrects_nothing(counter: Desk) -> None:
    take(counter, standard("s", 24), decision("p", 12), receipt())
    assert _own(counter) == []


def test_a_late_receipt_after_its_decision_leaves_the_decision(counter: Desk) -> None:
    """The first receipt was taken out, and the next one says that the case came in after it was decided."""
    left_out = decision("p", 12)
    del left_out["data"]["received_at"]
    take(counter, standard("s", 24), receipt(), left_out, retraction("r", "in"))
    take(counter, receipt("again", received_at="2026-11-09T08:00:00+07:00"))
    assert _own(counter) == []
    assert capaian_of(counter) == (1, 1, 15_000)


def test_a_receipt_recorded_anew_moves_the_decision_that_took_its_time(counter: Desk) -> None:
    left_out = decision("p", 12)
    del left_out["data"]["received_at"]
    take(counter, standard("s", 24), receipt(), left_out, retraction("r", "in"))
    take(counter, receipt("again", received_at="2026-11-02T14:00:00+07:00"))
    assert sums_of(counter)["2026-11"]["permits_elapsed_us"] == 6 * HOUR


def _note(kind: str, hour: int, **data: str) -> dict[str, Any]:
    case = {"dinas": "dlh", "service": "izin", "case": "K-1", "at": f"2026-11-02T{hour:02}:00:00+07:00"}
    return event(kind, f"{kind}-{hour}", case | data)


@pytest.mark.parametrize("kind", ["permit-paused", "permit-resumed"])
def test_a_pause_after_its_decision_is_refused_and_a_correction_states_it(counter: Desk, kind: str) -> None:
    """The refusal is final, names the decision and the remedy; corrected, the figure is that of the pause in time."""
    pause, resumption = _note("permit-paused", 9, reason="applicant"), _note("permit-resumed", 15)
    left_out = decision("p", 30)
    take(counter, standard("s", 24), receipt(), left_out)
    late = capaian_of(counter)
    refusal = refusal_of(counter, pause if kind == "permit-paused" else resumption)
    assert (refusal.slug, refusal.for_now) == ("invalid-event", False)
    assert refusal.faults[0].pointer == "/data/case"
    position = next(at for at, line in counter.lines if b"permit-processed" in line)
    assert f"it is decided (position {position}); a correction of the decision may state" in refusal.faults[0].detail
    assert capaian_of(counter) == late == (1, 0, 7_500)
    pauses = [{"from": pause["data"]["at"], "to": resumption["data"]["at"], "reason": "applicant"}]
    take(counter, correction("c", "p", left_out["data"] | {"pauses": pauses}))
    with desk() as in_time:
        in_time.now_us = parse_instant(NOW)
        take(in_time, standard("s", 24), receipt(), pause, resumption, left_out)
        assert capaian_of(counter) == capaian_of(in_time) == (1, 1, 10_000)


def test_a_repeated_receipt_corrects_once(counter: Desk) -> None:
    take(counter, standard("s", 24), decision("p", 12), receipt(due_at=DUE), receipt(due_at=DUE))
    assert len(_own(counter)) == 1


@pytest.mark.parametrize(("hours", "since"), [(10_000, "2026-11-02"), (1, "2026-11-02"), (1, "2026-01-02")])
def test_a_standard_dated_back_judges_no_file_that_is_open(counter: Desk, hours: int, since: str) -> None:
    """The file promised 24 hours when it was received; it was decided after 12, and another one after 30."""
    take(counter, standard("s", 24), receipt(), receipt("in2", case="K-2"))
    take(counter, standard("late", hours, since, dinas="dlh"))
    take(counter, decision("p", 12), decision("q", 30, case="K-2"))
    assert capaian_of(counter) == (2, 1, 15_000 + 7_500)
    line = _last(counter)
    assert line["data"]["resolved"]["standard"] == {"id": "/loket#s", "us": 24 * HOUR, "unit": "wall_hours"}


def test_a_correction_of_a_decision_is_judged_by_its_receipt_too(counter: Desk) -> None:
    take(counter, standard("s", 24), receipt(), decision("p", 12), standard("late", 1, "2026-11-02", dinas="dlh"))
    take(counter, correction("c", "p", decision("", 18)["data"]))
    assert capaian_of(counter) == (1, 1, 12_500)


def test_a_correction_of_a_receipt_that_moves_no_time_keeps_its_standard(counter: Desk) -> None:
    take(counter, standard("s", 24), receipt(), standard("late", 1, "2026-11-02", dinas="dlh"))
    take(counter, correction("c", "in", receipt(asn="a-1")["data"]), decision("p", 12))
    assert capaian_of(counter) == (1, 1, 15_000)


# Transparent corrections


def test_a_reversal_of_a_fact_reaches_through_what_the_service_corrected(counter: Desk) -> None:
    take(counter, standard("s", 24), decision("p", 12), receipt(due_at=DUE))
    take(counter, correction("c", "p", decision("", 6)["data"]))
    assert capaian_of(counter) == (1, 1, 10_000)
    refusal = refusal_of(counter, retraction("r", "p"))
    assert (refusal.slug, refusal.holder and refusal.holder["id"]) == ("already-reversed", "c")
    take(counter, retraction("r", "c"))
    assert sums_of(counter)["2026-11"] == {"received": 1}


def test_a_retraction_of_a_fact_takes_out_what_the_service_put_in(counter: Desk) -> None:
    take(counter, standard("s", 24), decision("p", 12), receipt(due_at=DUE), retraction("r", "p"))
    assert sums_of(counter)["2026-11"] == {"received": 1}
    assert refusal_of(counter, retraction("r2", "p")).slug == "already-reversed"


def test_a_correction_by_a_person_is_corrected_by_the_service_in_turn(counter: Desk) -> None:
    take(counter, standard("s", 24), decision("p", 12), correction("c", "p", decision("", 18)["data"]))
    take(counter, receipt(due_at=DUE))
    assert _own(counter)[0]["data"]["event"] == {"source": "/loket", "id": "c"}
    take(counter, retraction("r", "c"))
    assert sums_of(counter)["2026-11"] == {"received": 1}


@pytest.mark.parametrize("reason", ["receipt-came-later", "rule-came-later"])
def test_the_reasons_of_the_service_are_refused_from_outside(counter: Desk, reason: str) -> None:
    take(counter, decision("p", 12))
    fact = retraction("r", "p")
    fact["data"]["reason"] = reason
    assert refusal_of(counter, fact).faults[0].pointer == "/data/reason"
    fact = correction("c", "p", decision("", 12)["data"])
    fact["data"]["reason"] = reason
    assert refusal_of(counter, fact).faults[0].pointer == "/data/reason"


def test_the_source_of_the_service_is_refused_from_outside(counter: Desk) -> None:
    assert refusal_of(counter, decision("p", 12) | {"source": "/neraca"}).faults[0].pointer == "/source"


# Rules that come late


def test_facts_recorded_before_their_standard_take_it_when_they_are_resolved_again(counter: Desk) -> None:
    """A decision with a receipt, one without, one with a deadline of its own, and an open file."""
    take(counter, receipt(), decision("p", 12), decision("q", 30, case="K-2"))
    take(counter, decision("r", 6, case="K-3", due_at=DUE), receipt("open", case="K-4"))
    take(counter, standard("s", 24))
    before = sums_of(counter)["2026-11"]
    assert (before["permits"], before["permits_with_standard"]) == (3, 1)
    trial = resolve_late(counter.journal, POLICY, counter.now_us, record=False)
    assert sums_of(counter)["2026-11"] == before
    late = resolve_late(counter.journal, POLICY, counter.now_us, record=True)
    assert trial == late
    assert [(each.dinas, each.service, *each.counts) for each in late.services] == [("dlh", "izin", 2, 2, 1, 1)]
    after = sums_of(counter)["2026-11"]
    assert (after["permits_with_standard"], after["permits_on_time"], after["capaian_n"]) == (3, 2, 3)
    assert {line["data"]["reason"] for line in _own(counter)} == {"rule-came-later"}
    again = resolve_late(counter.journal, POLICY, counter.now_us, record=True)
    assert (again.services, again.without) == ([], 0)


def test_a_fact_that_was_taken_out_is_not_resolved_again(counter: Desk) -> None:
    take(counter, decision("p", 12), retraction("r", "p"), decision("q", 12, case="K-2"))
    take(counter, correction("c", "q", decision("", 30, case="K-2")["data"]), standard("s", 24))
    late = resolve_late(counter.journal, POLICY, counter.now_us, record=True)
    assert [each.counts for each in late.services] == [(0, 1, 0, 1)]
    assert capaian_of(counter) == (1, 0, 7_500)


def test_facts_without_a_standard_of_their_time_are_counted(counter: Desk) -> None:
    take(counter, decision("p", 12), receipt(), standard("s", 24, "2026-11-03"))
    late = resolve_late(counter.journal, POLICY, counter.now_us, record=True)
    assert (late.services, late.without) == ([], 2)


# Promises that are none


@pytest.mark.parametrize(
    ("due", "counts", "has_flag"),
    [
        ("9999-12-31T00:00:00+07:00", (1, 0, 0), True),
        ("2077-01-01T00:00:00+07:00", (1, 0, 0), True),
        ("2076-01-01T00:00:00+07:00", (1, 1, 1), False),
        ("2026-11-01T00:00:00+07:00", (1, 1, 0), True),
        ("2026-11-02T08:00:00+07:00", (1, 1, 0), False),
    ],
)
def test_a_promise_of_over_fifty_years_is_volume_and_one_before_receipt_is_judged(
    counter: Desk, due: str, counts: tuple[int, int, int], has_flag: object
) -> None:
    take(counter, standard("s", 24), decision("p", 12, due_at=due))
    line = _last(counter)
    assert ("odd_promise" in line["data"]["resolved"].get("flags", ())) is has_flag
    sums = sums_of(counter)["2026-11"]
    assert (sums["permits"], sums["permits_with_standard"], sums["permits_on_time"]) == counts


@pytest.mark.parametrize(
    ("assigned_at", "due", "counts", "has_flag"),
    [
        (None, "9999-12-31T00:00:00+07:00", (1, 0, 0), True),
        ("2026-11-01T08:00:00+07:00", "9999-12-31T00:00:00+07:00", (1, 0, 0), True),
        (None, "2026-11-01T00:00:00+07:00", (1, 1, 0), False),
        ("2026-11-01T08:00:00+07:00", "2026-11-01T00:00:00+07:00", (1, 1, 0), True),
    ],
)
def test_a_task_due_in_over_fifty_years_is_volume(
    counter: Desk, assigned_at: str | None, due: str, counts: tuple[int, int, int], has_flag: object
) -> None:
    fact = {"dinas": "dlh", "asn": "a-1", "task": "t", "completed_at": "2026-11-02T08:00:00+07:00", "due_at": due}
    take(counter, event("task-completed", "t", fact | ({} if assigned_at is None else {"assigned_at": assigned_at})))
    assert ("odd_promise" in _last(counter)["data"]["resolved"].get("flags", ())) is has_flag
    sums = sums_of(counter)["2026-11"]
    assert (sums["tasks"], sums["tasks_with_due"], sums["tasks_on_time"]) == counts
