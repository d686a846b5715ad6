"""Submissions to the intake, each good by itself unless it says otherwise, and the kind of problem in an answer."""

from typing import Any, Final

import httpx

from tests.serving import event

TASK: Final = {"dinas": "dishub", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-20T10:00:00+07:00"}
RECEIPT: Final = {"dinas": "dishub", "service": "uji-kir", "case": "K-1", "received_at": "2026-11-20T08:00:00+07:00"}
STANDARD: Final = {"service": "uji-kir", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
NAME: Final = {"dinas": "dishub", "name": "Dinas Perhubungan"}


def task(event_id: str, **data: object) -> dict[str, Any]:
    """A finished task under an id of its own."""
    return event("task-completed", event_id, {**TASK, "task": event_id, **data})


BAD: Final = task("bad", asn="a/b")
PAUSE: Final = {"dinas": "dishub", "service": "uji-kir", "case": "K-1"}


def problem_of(response: httpx.Response) -> str:
    """The last word of a problem's type."""
    return str(response.json()["type"]).rpartition(":")[2]
