"""Entries as a journal holds them, in few words: what a table-shaped test leaves out is usual."""

from typing import Any

import msgspec

from domain.clock import parse_instant
from domain.events.entries import AnyEntry, decode
from domain.events.names import type_of
from domain.fold.ledger import Balance, Ledger, total
from domain.fold.postings import postings_of
from domain.measures import INDEX
from domain.rules.rulebook import Rulebook

HOUR = 3_600_000_000
DINAS, SERVICE, CASE = "disdukcapil", "ktp-el", "K-1"


def us(text: str) -> int:
    """An instant of November 2026 in Jakarta: ``"24 10:41"``."""
    day, clock = text.split()
    return parse_instant(f"2026-11-{day}T{clock}:00+07:00")


def entry(kind: str, data: dict[str, Any], event_id: str = "e-1", source: str = "/loket") -> AnyEntry:
    """A journal entry, decoded from its line."""
    return decode(msgspec.json.encode({"type": type_of(kind), "source": source, "id": event_id, "data": data}))


def decided(elapsed_us: int, promise_us: int | None = None, *, on_time: bool | None = None, **data: str) -> AnyEntry:
    """A decision that took so long, against a promise."""
    values: dict[str, Any] = {"month": "2026-11", "elapsed_us": elapsed_us}
    if promise_us is not None:
        values |= {"promise_us": promise_us, "on_time": elapsed_us <= promise_us if on_time is None else on_time}
    return entry("permit-processed", {"dinas": DINAS, "service": SERVICE, "case": CASE, **data, "resolved": values})


def answered(unsur: dict[str, int]) -> AnyEntry:
    """A respondent's answers."""
    return entry(
        "satisfaction-rated", {"dinas": DINAS, "survey": "s", "unsur": unsur, "resolved": {"month": "2026-11"}}
    )


def balance(*entries: AnyEntry) -> Balance:
    """The total of entries over all their accounts."""
    ledger = Ledger()
    for each in entries:
        ledger.post(postings_of(each))
    return total(ledger.accounts.values())


def measured(**amounts: int) -> Balance:
    """A balance given by its measures."""
    vector = [0] * len(INDEX)
    for name, amount in amounts.items():
        vector[INDEX[name]] = amount
    return vector


def standard(event_id: str, hours: int, since: str, dinas: str | None = None, service: str = SERVICE) -> AnyEntry:
    """A standard in wall hours."""
    data: dict[str, Any] = {"service": service, "amount": hours, "unit": "wall_hours", "effective_from": since}
    return entry("standard-set", data | ({} if dinas is None else {"dinas": dinas}), event_id, "/peraturan")


def rules(*entries: AnyEntry) -> Rulebook:
    """A rulebook of entries recorded in this order."""
    rulebook = Rulebook()
    for position, each in enumerate(entries, 1):
        rulebook.apply(position, each)
    return rulebook
