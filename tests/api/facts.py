"""Small facts of one city in November 2026, each under an id of its own, and the rules that score them."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from domain.measures import UNSUR
from tests.serving import BATCH, Assembled, event

STANDARD: Final = {"service": "kir", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
RECEIVED: Final = datetime.fromisoformat("2026-11-02T08:00:00+07:00")
TEPAT: Final = {
    "id": "tepat",
    "numerator": "tasks_on_time",
    "denominator": "tasks_with_due",
    "direction": "higher",
    "target": "100",
    "cap": None,
    "min_n": 1,
    "weight": "0.6",
}
CEPAT: Final = {**TEPAT, "id": "cepat", "numerator": "capaian_sum_none", "denominator": "capaian_n", "weight": "0.4"}
SCHEME: Final = {
    "scheme": "kecil",
    "effective_from": "2026-11-01",
    "indicators": [TEPAT, CEPAT],
    "skm_weight": "1/9",
    "min_coverage": "0.4",
}
RULES: Final = (event("scheme-adopted", "scheme", SCHEME), event("standard-set", "std", STANDARD))
_number: Final = itertools.count()


def permit(dinas: str, hours: float, **data: object) -> dict[str, Any]:
    """A decision so many hours after its receipt."""
    case = f"K-{next(_number)}"
    fields = {
        "dinas": dinas,
        "service": "kir",
        "case": case,
        "received_at": RECEIVED.isoformat(),
        "completed_at": (RECEIVED + timedelta(hours=hours)).isoformat(),
        **data,
    }
    return event("permit-processed", case, fields)


def task(dinas: str, *, on_time: bool, asn: str = "a-1", **data: object) -> dict[str, Any]:
    """A task with a due time, met or missed by a second."""
    name = f"T-{next(_number)}"
    completed_at = "2026-11-03T10:00:00+07:00" if on_time else "2026-11-03T10:00:01+07:00"
    fields = {
        "dinas": dinas,
        "asn": asn,
        "task": name,
        "completed_at": completed_at,
        "due_at": "2026-11-03T10:00:00+07:00",
        **data,
    }
    return event("task-completed", name, fields)


def rating(dinas: str, answer: int, **data: object) -> dict[str, Any]:
    """A survey response with the same answer for all nine unsur."""
    name = f"S-{next(_number)}"
    return event(
        "satisfaction-rated", name, {"dinas": dinas, "survey": name, "unsur": dict.fromkeys(UNSUR, answer), **data}
    )


def receipt(dinas: str, received_at: str, **data: object) -> dict[str, Any]:
    """An application that is open."""
    case = f"K-{next(_number)}"
    return event(
        "permit-received", case, {"dinas": dinas, "service": "kir", "case": case, "received_at": received_at, **data}
    )


def fill(neraca: Assembled, *events: dict[str, Any]) -> None:
    """Record many at once, and fold them."""
    tally = neraca.post(list(events), BATCH).json()
    assert (tally["accepted"], tally["rejected"]) == (len(events), [])
    neraca.settle()


def ids(page: dict[str, Any]) -> list[str]:
    """Whom a page lists."""
    return [card["subject"]["id"] for card in page["items"]]


def standings() -> Iterator[dict[str, Any]]:
    """Seven dinas: three over both indicators, two of them equal; one over tasks, one over permits; two not ranked."""
    for dinas in ("b", "a"):
        yield from (task(dinas, on_time=True), task(dinas, on_time=False), permit(dinas, 24))
    yield from (task("c", on_time=True), permit("c", 24))
    yield task("d", on_time=True)
    yield permit("e", 12)
    yield event("dinas-registered", "n", {"dinas": "f", "name": "F"})
    yield receipt("g", "2026-11-20T08:00:00+07:00")
