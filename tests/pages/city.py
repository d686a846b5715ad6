"""A small city for tests of the pages: each dinas in it stands for one thing a page must show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from domain.measures import UNSUR
from tests.serving import NDJSON, Assembled, event, ndjson

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST, TWIN, OTHER_TWIN, UNRATED, SMALL, WILD, ODD = (
    "cepat",
    "kembar-1",
    "kembar-2",
    "tanpa-warga",
    "kecil",
    "liar",
    'x"><img src=x onerror=alert(1)> ?#%2F&é',
)
LONG: Final = "sangatpanjang" * 15
NAMES: Final = {
    FAST: "Dinas Cepat",
    TWIN: "Badan Kembar",
    OTHER_TWIN: "Kecamatan Kembar",
    UNRATED: "Dinas Tanpa Warga",
    SMALL: "<script>alert(1)</script> & Anak",
    ODD: "Dinas Aneh",
    LONG: "N" * 200,
}
"""The registered ones; ``WILD`` is not."""
BUSY, RARE, IDLE = "a-sibuk", "a-jarang", "a-tidur"
PERMITS, TASKS, RATINGS = 60, 20, 40
MONTH: Final = "period=2026-11"
"""The query of the month that runs."""
REPLAYED: Final = f"/auditor?period=2026-11&since=500&until=1028&digest={'0' * 64}&pick={FAST}"
"""A question to the auditor's desk, whose answer fills all of its page."""
ANSWERED: Final = "!document.querySelector('[data-again-s]')"
"""The page of a desk waits for nothing."""


def _facts(dinas: str, month: str, *, hours: int, permits: int, ratings: int, tasks: int) -> Iterator[dict[str, Any]]:
    """Some facts of a dinas in a month, its permits each ``hours`` after receipt; a fifth of its tasks late."""
    start = datetime.fromisoformat(f"{month}-02T08:00:00+07:00")
    key = f"{dinas}-{month}"
    for n in range(permits):
        received_at = start + timedelta(minutes=n)
        yield event(
            "permit-processed",
            f"{key}-izin-{n}",
            {
                "dinas": dinas,
                "service": "ktp-el",
                "case": f"K-{key}-{n}",
                "asn": BUSY,
                "received_at": received_at.isoformat(),
                "completed_at": (received_at + timedelta(hours=hours)).isoformat(),
                "outcome": "rejected" if n % 20 == 0 else "issued",
            },
        )
    for n in range(ratings):
        yield event(
            "satisfaction-rated",
            f"{key}-nilai-{n}",
            {
                "dinas": dinas,
                "service": "ktp-el",
                "case": f"K-{key}-{n}",
                "asn": RARE if n < 3 else BUSY,
                "unsur": {name: 4 - (n + i) % 3 for i, name in enumerate(UNSUR)},
            },
            time=start.isoformat(),
        )
    for n in range(tasks):
        completed_at = start + timedelta(hours=n)
        yield event(
            "task-completed",
            f"{key}-tugas-{n}",
            {
                "dinas": dinas,
                "asn": BUSY,
                "task": f"T-{key}-{n}",
                "completed_at": completed_at.isoformat(),
                "due_at": (completed_at + timedelta(hours=1 if n % 5 else -1)).isoformat(),
                "reported_by": "self" if n % 2 else "system",
            },
        )


def _rules() -> Iterator[dict[str, Any]]:
    yield event(
        "standard-set",
        "standar",
        {
            "service": "ktp-el",
            "amount": 24,
            "unit": "wall_hours",
            "effective_from": "2026-01-01",
        },
    )
    for dinas, name in NAMES.items():
        yield event("dinas-registered", f"daftar-{dinas}", {"dinas": dinas, "name": name})
    for asn in (BUSY, RARE, IDLE):
        yield event("asn-registered", f"asn-{asn}", {"asn": asn})
        yield event("asn-assigned", f"tempat-{asn}", {"asn": asn, "dinas": FAST, "effective_from": "2026-01-01"})
    for n in range(60):
        yield event("asn-assigned", f"tempat-{n}", {"asn": f"a-{n:03}", "dinas": TWIN, "effective_from": "2026-01-01"})


def events() -> Iterator[dict[str, Any]]:
    """All that happened in the city."""
    yield from _rules()
    for month in ("2026-10", "2026-11"):
        for dinas, hours in ((FAST, 12), (TWIN, 30), (OTHER_TWIN, 30)):
            yield from _facts(dinas, month, hours=hours, permits=PERMITS, ratings=RATINGS, tasks=TASKS)
        yield from _facts(UNRATED, month, hours=20, permits=PERMITS, ratings=0, tasks=TASKS)
        yield from _facts(SMALL, month, hours=20, permits=18, ratings=12, tasks=3)
    yield from _facts(WILD, "2026-11", hours=1, permits=1, ratings=0, tasks=0)
    yield from _facts(ODD, "2026-11", hours=1, permits=1, ratings=1, tasks=0)
    for n, day in enumerate(("2026-11-01", "2026-11-24")):
        yield event(
            "permit-received",
            f"buka-{n}",
            {
                "dinas": FAST,
                "service": "ktp-el",
                "case": f"B-{n}",
                "asn": BUSY,
                "received_at": f"{day}T08:00:00+07:00",
            },
        )
    yield event(
        "event-retracted",
        "cabut",
        {
            "event": {"source": "/loket", "id": f"{FAST}-2026-11-tugas-1"},
            "reason": "salah-input",
        },
    )
    yield event(
        "event-corrected",
        "koreksi",
        {
            "event": {"source": "/loket", "id": f"{FAST}-2026-11-izin-1"},
            "reason": "salah-waktu",
            "replacement": {
                "dinas": FAST,
                "service": "ktp-el",
                "case": f"K-{FAST}-2026-11-1",
                "asn": BUSY,
                "received_at": "2026-11-02T08:01:00+07:00",
                "completed_at": "2026-11-03T10:01:00+07:00",
            },
        },
    )


def settle_in(neraca: Assembled) -> None:
    """Record the city, and fold it."""
    answer = neraca.post(ndjson(events()), NDJSON)
    assert answer.status_code == 200, answer.text
    assert not answer.json()["rejected"], answer.json()["rejected"][:3]
    neraca.settle()
