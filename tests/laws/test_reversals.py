"""Reversals, case by case, sent to the real intake; the figures are worked out by hand."""

from collections import Counter
from typing import Any

import msgspec
import pytest

from projections.ports import Accepted
from tests.laws.counter import (
    capaian_of,
    correction,
    decision,
    event,
    refusal_of,
    retraction,
    standard,
    sums_of,
    take,
)
from tests.laws.histories import Desk
from tests.laws.steps import TRACE


def test_a_retraction_takes_out_all_that_the_fact_put_in(counter: Desk) -> None:
    take(counter, standard("s", 24), decision("p", 12))
    assert capaian_of(counter) == (1, 1, 15_000)
    take(counter, retraction("r", "p"))
    assert sums_of(counter) == {}


def test_a_chain_of_corrections_leaves_the_last(counter: Desk) -> None:
    """24 h promised: decided after 12, corrected to 36, corrected again to 18, then retracted whole."""
    take(counter, standard("s", 24), decision("p", 12), correction("c1", "p", decision("", 36)["data"]))
    assert capaian_of(counter) == (1, 0, 5_000)
    take(counter, correction("c2", "c1", decision("", 18)["data"]))
    assert capaian_of(counter) == (1, 1, 12_500)
    assert refusal_of(counter, retraction("r0", "p")).slug == "already-reversed"
    assert refusal_of(counter, correction("c3", "c1", decision("", 1)["data"])).slug == "already-reversed"
    take(counter, retraction("r", "c2"))
    assert sums_of(counter) == {}
    assert refusal_of(counter, retraction("r2", "r")).slug == "invalid-event"


def test_a_retraction_frees_the_case_and_a_correction_keeps_it(counter: Desk) -> None:
    take(counter, decision("p", 12))
    assert refusal_of(counter, decision("p2", 13)).slug == "natural-key-held"
    take(counter, correction("c", "p", decision("", 14)["data"]))
    refusal = refusal_of(counter, decision("p2", 13))
    assert (refusal.slug, refusal.holder and refusal.holder["id"]) == ("natural-key-held", "c")
    take(counter, retraction("r", "c"), decision("p2", 13))
    assert sums_of(counter)["2026-11"]["permits_elapsed_us"] == 13 * 3_600_000_000


def test_a_correction_that_moves_a_time_is_resolved_anew(counter: Desk) -> None:
    """The standard falls from 24 to 6 hours: what was decided in 12 stays on time until its times are corrected."""
    take(counter, standard("s1", 24), decision("p", 12), standard("s2", 6))
    assert capaian_of(counter) == (1, 1, 15_000)
    take(counter, correction("c", "p", decision("", 13)["data"]))
    assert capaian_of(counter) == (1, 0, 0)


def test_a_correction_that_moves_no_time_leaves_the_verdict(counter: Desk) -> None:
    take(counter, standard("s1", 24), decision("p", 12), standard("s2", 6))
    take(counter, correction("c", "p", decision("", 12, asn="a-1", outcome="rejected")["data"]))
    assert capaian_of(counter) == (1, 1, 15_000)
    assert sums_of(counter)["2026-11"]["permits_rejected"] == 1


def test_a_corrected_rating_keeps_its_first_time(counter: Desk) -> None:
    """Given on 31 October after ten at night in UTC, which is 1 November here; corrected twice on later days."""
    rating = {"dinas": "dlh", "survey": "s-1", "overall": 2}
    take(counter, event("satisfaction-rated", "o", rating, "2026-09-30T17:30:00Z"))
    take(counter, correction("c1", "o", rating | {"overall": 3}), correction("c2", "c1", rating | {"overall": 4}))
    assert sums_of(counter) == {"2026-10": Counter(overall_n=1, overall_sum=10_000, overall_sq=100_000_000)}


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [("07:59:59", True), ("07:59:00", True), ("07:58:59", False)],
)
def test_a_completion_up_to_a_minute_before_receipt_is_skew_and_beyond_it_refused(
    counter: Desk, seconds: str, answer: object
) -> None:
    """Two systems, two clocks: nothing elapsed, and flagged."""
    fact = decision("p", 0, completed_at=f"2026-11-02T{seconds}+07:00")
    if not answer:
        assert refusal_of(counter, fact).faults[0].pointer == "/data/completed_at"
        return
    take(counter, standard("s", 24), fact)
    assert capaian_of(counter) == (1, 1, 20_000)
    resolution = msgspec.json.decode(counter.lines[-1][1])["data"]["resolved"]
    assert (resolution["elapsed_us"], "clock_skew" in resolution["flags"]) == (0, True)


def _noted(kind: str, at: str) -> dict[str, Any]:
    data = {"dinas": "dlh", "service": "izin", "case": "K-1", "at": f"2026-11-{at}:00+07:00"}
    return event(kind, f"{kind}-{at}", data | ({"reason": "payment"} if kind == "permit-paused" else {}))


@pytest.mark.parametrize(
    ("notes", "own_pauses", "capaian_bp"),
    [
        ([], None, 0),  # 48 h against 24
        (["02T20:00", "03T08:00"], None, 5_000),  # 12 h paused
        (["02T20:00", "03T08:00", "03T20:00"], None, 10_000),  # and 12 h more, still paused when decided
        (["02T20:00", "03T08:00"], [], 0),  # the decision says there were none
        (
            ["02T20:00"],
            [{"from": "2026-11-03T08:00:00+07:00", "to": "2026-11-05T08:00:00+07:00", "reason": "applicant"}],
            10_000,
        ),
        (
            [],
            [
                {"from": "2026-11-03T02:00:00+07:00", "to": "2026-11-03T08:00:00+07:00", "reason": "applicant"},
                {"from": "2026-11-03T00:00:00+07:00", "to": "2026-11-03T12:00:00+07:00", "reason": "payment"},
            ],
            5_000,  # 12 h, not 18
        ),
    ],
)
def test_pauses_are_the_files_unless_the_decision_states_them(
    counter: Desk, notes: list[str], own_pauses: list[dict[str, str]] | None, capaian_bp: int
) -> None:
    """Received 2 November 08.00, decided 4 November 08.00, promised within 24 hours."""
    fields = {"dinas": "dlh", "service": "izin", "case": "K-1", "received_at": "2026-11-02T08:00:00+07:00"}
    take(counter, standard("s", 24), event("permit-received", "in", fields))
    take(counter, *[_noted("permit-resumed" if n % 2 else "permit-paused", at) for n, at in enumerate(notes)])
    late = decision("p", 48)
    del late["data"]["received_at"]
    take(counter, late | {"data": late["data"] | ({} if own_pauses is None else {"pauses": own_pauses})})
    assert sums_of(counter)["2026-11"]["capaian_sum_none"] == capaian_bp
    assert refusal_of(counter, _noted("permit-paused", "05T08:00")).faults[0].pointer == "/data/case"


def test_an_event_said_again_is_one_event_and_said_otherwise_is_refused(counter: Desk) -> None:
    """The instant may be spelt otherwise and travel with other extensions; the content may not change."""
    first = decision("p", 12)
    take(counter, first)
    (again,) = counter.tell(first | {"time": "2026-11-02T02:00:00Z", "traceparent": TRACE})
    assert isinstance(again, Accepted)
    assert (again.repeated, again.receipt.position) == (True, 2)
    assert refusal_of(counter, decision("p", 13)).slug == "content-conflict"
    assert sums_of(counter)["2026-11"]["permits"] == 1
