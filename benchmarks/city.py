"""A city to measure with: the same seed gives the same events, in the proportions of a mall of public services."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from domain.events.names import type_of
from domain.measures import UNSUR

if TYPE_CHECKING:
    from collections.abc import Iterator

ASN: Final = 10_000
DINAS: Final = 30
SERVICES: Final = 60
START: Final = datetime.fromisoformat("2026-06-01T00:00:00+07:00")
DAYS: Final = 170
"""Occurrences lie in ``[START, START + DAYS)``: six months."""

Event = dict[str, Any]


def event(kind: str, number: str, at: datetime, data: dict[str, Any]) -> Event:
    """A CloudEvent as a counter would send it."""
    attributes = {"specversion": "1.0", "type": type_of(kind), "source": "/loket/bench", "id": number}
    return attributes | {"time": at.isoformat(), "data": data}


def rules() -> Iterator[Event]:
    """The rulebook: every dinas registered, half of the services under a standard."""
    for dinas in range(DINAS):
        yield event("dinas-registered", f"d-{dinas}", START, {"dinas": f"dinas-{dinas:02}", "name": f"Dinas {dinas}"})
    for service in range(0, SERVICES, 2):
        data = {"service": f"layanan-{service:02}", "amount": 8 + service, "unit": "wall_hours"}
        yield event("standard-set", f"s-{service}", START, data | {"effective_from": "2026-01-01"})


def first(kind: str, dinas: str, facts: Iterator[Event]) -> dict[str, Any]:
    """The data of the first fact of a kind in a dinas."""
    data: dict[str, Any] = next(
        fact["data"] for fact in facts if fact["type"] == type_of(kind) and fact["data"]["dinas"] == dinas
    )
    return data


class City:
    """An endless supply of facts. ``prefix`` keeps the ids of two supplies apart.

    ``waiting_share`` is the chance that a decision is of a case that waits. At 1 hardly a file stays open.
    """

    def __init__(self, seed: int, prefix: str = "b", *, waiting_share: float = 0.12) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a repeatable city, no secret
        self._prefix = prefix
        self._waiting_share = waiting_share
        self._number = 0
        self._received: list[tuple[str, dict[str, Any], datetime]] = []
        self._reversible: list[str] = []

    def facts(self, count: int, *, start: datetime = START, span: timedelta = timedelta(days=DAYS)) -> Iterator[Event]:
        """That many events: half decisions, a quarter tasks, then ratings, receipts and one reversal in a hundred."""
        for _ in range(count):
            self._number += 1
            yield self._fact(f"{self._prefix}-{self._number}", start + span * self._random.random())

    def _fact(self, number: str, at: datetime) -> Event:
        draw = self._random.random
        asn = int(draw() * ASN)
        dinas, name = f"dinas-{asn % DINAS:02}", f"a-{asn:05}"
        at = at.replace(microsecond=0)
        kind = draw()
        if kind < 0.48:
            return self._decision(number, dinas, name, at)
        if kind < 0.73:
            self._reversible.append(number)
            data = {"dinas": dinas, "asn": name, "task": f"t-{number}", "completed_at": at.isoformat()}
            if draw() < 0.7:
                data["due_at"] = (at + timedelta(hours=30 * draw() - 8)).isoformat()
            return event("task-completed", number, at, data | ({"reported_by": "self"} if draw() < 0.3 else {}))
        if kind < 0.91:
            answers = {unsur: 1 + int(draw() * 4) for unsur in UNSUR if draw() < 0.95} or {"waktu": 3}
            rating: Event = {"unsur": answers} if draw() < 0.8 else {"overall": 1 + int(draw() * 5), "scale": 5}
            data = {"dinas": dinas, "survey": number, "asn": name, **rating}
            return event("satisfaction-rated", number, at, data)
        if kind < 0.99 or not self._reversible:
            data = {"dinas": dinas, "service": self._service(asn), "case": f"k-{number}", "asn": name}
            data["received_at"] = at.isoformat()
            self._received.append((f"k-{number}", data, at))
            return event("permit-received", number, at, data)
        target = self._reversible.pop(int(draw() * len(self._reversible)))
        reference = {"source": "/loket/bench", "id": target}
        return event("event-retracted", number, at, {"event": reference, "reason": "entry_error"})

    def _decision(self, number: str, dinas: str, name: str, at: datetime) -> Event:
        draw = self._random.random
        if self._received and draw() < self._waiting_share:
            case, receipt, at = self._received.pop(int(draw() * len(self._received)))
            completion = at + timedelta(hours=60 * draw())
            data = {key: receipt[key] for key in ("dinas", "service", "asn")}
            return event(
                "permit-processed", number, completion, {**data, "case": case, "completed_at": completion.isoformat()}
            )
        self._reversible.append(number)
        receipt_at = at - timedelta(seconds=int(200_000 * draw()))
        data = {"dinas": dinas, "service": self._service(int(name[2:])), "case": f"k-{number}", "asn": name}
        data |= {"received_at": receipt_at.isoformat(), "completed_at": at.isoformat()}
        if draw() < 0.3:
            data["due_at"] = (receipt_at + timedelta(hours=48)).isoformat()
        return event("permit-processed", number, at, data | ({"outcome": "rejected"} if draw() < 0.08 else {}))

    def _service(self, asn: int) -> str:
        return f"layanan-{(asn + int(self._random.random() * 3)) % SERVICES:02}"
