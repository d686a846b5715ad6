"""Reversals, case by case, sent to the real intake; the figures are worked out by hand."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from domain.clock import parse_instant
from domain.refusal import Refusal
from projections.ports import Accepted
from tests.laws.histories import Desk, desk, follow, parsed, reading, store_of
from tests.oracle import Oracle

NOW = "2026-11-24T12:00:00+07:00"


@pytest.fixture
def counter() -> Iterator[Desk]:
    """A counter whose clock says noon of 24 November 2026."""
    with desk() as counter:
        counter.now_us = parse_instant(NOW)
        yield counter


def _event(kind: str, event_id: str, data: dict[str, Any], time: str = "2026-11-02T09:00:00+07:00") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": f"neraca.{kind}.v1",
        "source": "/loket",
        "id": event_id,
        "time": time,
        "data": data,
    }


def _decision(event_id: str, hours: int, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the event
    completed_at = f"2026-11-{2 + (8 + hours) // 24:02}T{(8 + hours) % 24:02}:00:00+07:00"
    usual = {
        "dinas": "dlh",
        "service": "izin",
        "case": "K-1",
        "received_at": "2026-11-02T08:00:00+07:00",
        "completed_at": completed_at,
    }
    return _event("permit-processed", event_id, usual | data)


def _retract(event_id: str, what: str) -> dict[str, Any]:
    return _event("event-retracted", event_id, {"event": {"source": "/loket", "id": what}, "reason": "salah_input"})


def _correct(
    event_id: str, what: str, replacement: dict[str, Any], time: str = "2026-11-20T09:00:00+07:00"
) -> dict[str, Any]:
    data = {"event": {"source": "/loket", "id": what}, "reason": "salah_input", "replacement": replacement}
    return _event("event-corrected", event_id, data, time)


def _standard(event_id: str, hours: int) -> dict[str, Any]:
    return _event(
        "standard-set",
        event_id,
        {"service": "izin", "amount": hours, "unit": "wall_hours", "effective_from": "2026-01-01"},
    )


def _accept(at: Desk, *events: dict[str, Any]) -> None:
    """Each must be taken."""
    for event in events:
        (outcome,) = at.tell(event)
        assert isinstance(outcome, Accepted), outcome


def _refused(at: Desk, event: dict[str, Any]) -> Refusal:
    (outcome,) = at.tell(event)
    assert isinstance(outcome, Refusal)
    return outcome


def _sums(at: Desk) -> dict[str, Counter[str]]:
    """Measures by month, as the oracle has them and the store must."""
    with store_of(at.folder, f"store-{at.journal.head()}") as store:
        follow(at, store, [2])
        oracle = Oracle(parsed(at.export))
        with reading(at, store, lambda: at.now_us) as snapshot:
            assert snapshot.digest() == oracle.digest()
    sums: dict[str, Counter[str]] = {}
    for (_, _, _, month), measures in oracle.balances.items():
        sums.setdefault(month, Counter()).update(measures)
    return sums


def _capaian(at: Desk) -> tuple[int, int, int]:
    sums = _sums(at).get("2026-11", Counter())
    return sums["permits"], sums["permits_on_time"], sums["capaian_sum_none"]


def test_a_retraction_takes_out_all_that_the_fact_put_in(counter: Desk) -> None:
    _accept(counter, _standard("s", 24), _decision("p", 12))
    assert _capaian(counter) == (1, 1, 15_000)
    _accept(counter, _retract("r", "p"))
    assert _sums(counter) == {}


def test_a_chain_of_corrections_leaves_the_last(counter: Desk) -> None:
    """24 h promised: decided after 12, corrected to 36, corrected again to 18, then retracted whole."""
    _accept(counter, _standard("s", 24), _decision("p", 12), _correct("c1", "p", _decision("", 36)["data"]))
    assert _capaian(counter) == (1, 0, 5_000)
    _accept(counter, _correct("c2", "c1", _decision("", 18)["data"]))
    assert _capaian(counter) == (1, 1, 12_500)
    assert _refused(counter, _retract("r0", "p")).slug == "already-reversed"
    assert _refused(counter, _correct("c3", "c1", _decision("", 1)["data"])).slug == "already-reversed"
    _accept(counter, _retract("r", "c2"))
    assert _sums(counter) == {}
    assert _refused(counter, _retract("r2", "r")).slug == "invalid-event"


def test_a_retraction_frees_the_case_and_a_correction_keeps_it(counter: Desk) -> None:
    _accept(counter, _decision("p", 12))
    assert _refused(counter, _decision("p2", 13)).slug == "natural-key-held"
    _accept(counter, _correct("c", "p", _decision("", 14)["data"]))
    refusal = _refused(counter, _decision("p2", 13))
    assert (refusal.slug, refusal.holder and refusal.holder["id"]) == ("natural-key-held", "c")
    _accept(counter, _retract("r", "c"), _decision("p2", 13))
    assert _sums(counter)["2026-11"]["permits_elapsed_us"] == 13 * 3_600_000_000


def test_a_correction_is_resolved_anew_and_a_later_standard_changes_nothing_recorded(counter: Desk) -> None:
    """The standard falls from 24 to 6 hours: what was decided in 12 stays on time until it is itself corrected."""
    _accept(counter, _standard("s1", 24), _decision("p", 12), _standard("s2", 6))
    assert _capaian(counter) == (1, 1, 15_000)
    _accept(counter, _correct("c", "p", _decision("", 12)["data"]))
    assert _capaian(counter) == (1, 0, 0)


def test_a_corrected_rating_keeps_its_first_time(counter: Desk) -> None:
    """Given on 31 October after ten at night in UTC, which is 1 November here; corrected twice on later days."""
    rating = {"dinas": "dlh", "survey": "s-1", "overall": 2}
    _accept(counter, _event("satisfaction-rated", "o", rating, "2026-09-30T17:30:00Z"))
    _accept(counter, _correct("c1", "o", rating | {"overall": 3}), _correct("c2", "c1", rating | {"overall": 4}))
    assert _sums(counter) == {"2026-10": Counter(overall_n=1, overall_sum=10_000, overall_sq=100_000_000)}


@pytest.mark.parametrize(
    ("seconds", "answer"),
    [("07:59:59", True), ("07:59:00", True), ("07:58:59", False)],
)
def test_a_completion_up_to_a_minute_before_receipt_is_skew_and_beyond_it_refused(
    counter: Desk, seconds: str, answer: object
) -> None:
    """Two systems, two clocks: nothing elapsed, and flagged."""
    fact = _decision("p", 0, completed_at=f"2026-11-02T{seconds}+07:00")
    if not answer:
        assert _refused(counter, fact).faults[0].pointer == "/data/completed_at"
        return
    _accept(counter, _standard("s", 24), fact)
    assert _capaian(counter) == (1, 1, 20_000)
    resolution = msgspec.json.decode(counter.lines[-1][1])["data"]["resolved"]
    assert (resolution["elapsed_us"], "clock_skew" in resolution["flags"]) == (0, True)


def _noted(kind: str, at: str) -> dict[str, Any]:
    data = {"dinas": "dlh", "service": "izin", "case": "K-1", "at": f"2026-11-{at}:00+07:00"}
    return _event(kind, f"{kind}-{at}", data | ({"reason": "payment"} if kind == "permit-paused" else {}))


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
    receipt = {"dinas": "dlh", "service": "izin", "case": "K-1", "received_at": "2026-11-02T08:00:00+07:00"}
    _accept(counter, _standard("s", 24), _event("permit-received", "in", receipt))
    _accept(counter, *[_noted("permit-resumed" if n % 2 else "permit-paused", at) for n, at in enumerate(notes)])
    decision = _decision("p", 48)
    del decision["data"]["received_at"]
    _accept(counter, decision | {"data": decision["data"] | ({} if own_pauses is None else {"pauses": own_pauses})})
    assert _sums(counter)["2026-11"]["capaian_sum_none"] == capaian_bp
    assert _refused(counter, _noted("permit-paused", "05T08:00")).faults[0].pointer == "/data/case"


def test_an_event_said_again_is_one_event_and_said_otherwise_is_refused(counter: Desk) -> None:
    """The instant may be spelt otherwise and travel with other extensions; the content may not change."""
    first = _decision("p", 12)
    _accept(counter, first)
    (again,) = counter.tell(first | {"time": "2026-11-02T02:00:00Z", "traceid": "x"})
    assert isinstance(again, Accepted)
    assert (again.repeated, again.receipt.position) == (True, 2)
    assert _refused(counter, _decision("p", 13)).slug == "content-conflict"
    assert _sums(counter)["2026-11"]["permits"] == 1
