"""Short forms for the events of one service, sent to the real intake, and the sums they leave."""

from collections import Counter
from typing import Any

from domain.refusal import Refusal
from projections.ports import Accepted
from tests.laws.histories import Desk, follow, parsed, reading, store_of
from tests.oracle import Oracle

NOW = "2026-11-24T12:00:00+07:00"


def event(kind: str, event_id: str, data: dict[str, Any], time: str = "2026-11-02T09:00:00+07:00") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "type": f"neraca.{kind}.v1",
        "source": "/loket",
        "id": event_id,
        "time": time,
        "data": data,
    }


def decision(event_id: str, hours: int, **data: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the event
    completed_at = f"2026-11-{2 + (8 + hours) // 24:02}T{(8 + hours) % 24:02}:00:00+07:00"
    usual = {
        "dinas": "dlh",
        "service": "izin",
        "case": "K-1",
        "received_at": "2026-11-02T08:00:00+07:00",
        "completed_at": completed_at,
    }
    return event("permit-processed", event_id, usual | data)


def retraction(event_id: str, what: str) -> dict[str, Any]:
    return event("event-retracted", event_id, {"event": {"source": "/loket", "id": what}, "reason": "salah_input"})


def correction(
    event_id: str, what: str, replacement: dict[str, Any], time: str = "2026-11-20T09:00:00+07:00"
) -> dict[str, Any]:
    data = {"event": {"source": "/loket", "id": what}, "reason": "salah_input", "replacement": replacement}
    return event("event-corrected", event_id, data, time)


def standard(
    event_id: str,
    hours: int,
    since: str = "2026-01-01",
    **data: Any,  # noqa: ANN401 - fields of the event
) -> dict[str, Any]:
    promise = {"service": "izin", "amount": hours, "unit": "wall_hours", "effective_from": since}
    return event("standard-set", event_id, promise | data)


def receipt(event_id: str = "in", **data: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the event
    """A receipt of the case that ``decision`` decides."""
    usual = {"dinas": "dlh", "service": "izin", "case": "K-1", "received_at": "2026-11-02T08:00:00+07:00"}
    return event("permit-received", event_id, usual | data)


def take(at: Desk, *events: dict[str, Any]) -> None:
    """Each must be taken."""
    for event in events:
        (outcome,) = at.tell(event)
        assert isinstance(outcome, Accepted), outcome


def refusal_of(at: Desk, event: dict[str, Any]) -> Refusal:
    (outcome,) = at.tell(event)
    assert isinstance(outcome, Refusal)
    return outcome


def sums_of(at: Desk) -> dict[str, Counter[str]]:
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


def capaian_of(at: Desk) -> tuple[int, int, int]:
    sums = sums_of(at).get("2026-11", Counter())
    return sums["permits"], sums["permits_on_time"], sums["capaian_sum_none"]
