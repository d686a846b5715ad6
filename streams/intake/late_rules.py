"""Rules that come late: facts that were recorded before their standard was, resolved again under the rulebook of now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from domain.events.entries import PermitProcessed, PermitReceived, decode, fact_of
from domain.events.kinds import BY_TYPE
from domain.intake.recorded import read_line
from domain.intake.resolve import Setting
from domain.rules.rulebook import Rulebook
from streams.intake.own_corrections import OwnCorrections
from streams.journal.journal import originator_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from domain.intake.recorded import Recorded, Resolved
    from streams.intake.recording import Policy
    from streams.journal.journal import Appending, Journal

PAGE: Final = 1000
"""The number of entries looked at in one append; it holds the journal's lock for as long."""


class Judged(NamedTuple):
    """The facts of one service at one dinas that lacked a promise and have one now.

    ``counts``: receipts, decisions, decisions on time, decisions late.
    """

    dinas: str
    service: str
    counts: tuple[int, int, int, int]


class Late(NamedTuple):
    """The result of a look at the whole journal: the facts that found a standard, and the number that still lack one."""

    services: list[Judged]
    without: int


def resolve_late(
    journal: Journal, policy: Policy, now_us: int, *, record: bool, progress: Callable[[int], None] = lambda _: None
) -> Late:
    """Resolve the facts in force that lacked a standard and have one now; with ``record``, correct each.

    Facts with a deadline of their own keep it. Nothing that had a standard is looked at: a later rule moves no verdict.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    without, position, head, rulebook = 0, 0, journal.head(), Rulebook()
    while position < head:
        lines = journal.lines(position, PAGE, head)
        position = lines[-1][0]
        candidates = [read_line(line) for _, line in lines if _lacks_promise(line)]
        if candidates:
            with journal.appending() as append:
                rulebook.read(append.rules_since(rulebook.position))
                own = OwnCorrections(append, Setting(rulebook, policy.zone), now_us)
                for event, resolution in _found(append, own, candidates):
                    if resolution is None:
                        without += 1
                        continue
                    _count(counts, event, resolution)
                    if record:
                        own.record_after_rule(event, resolution)
        progress(position)
    return Late(
        [Judged(*name, (count[0], count[1], count[2], count[3])) for name, count in sorted(counts.items())], without
    )


def _found(
    append: Appending, own: OwnCorrections, candidates: list[Recorded]
) -> Iterator[tuple[Recorded, Resolved | None]]:
    """The candidates that are in force, each with its values under the rulebook of now, if it has a promise now."""
    for event in candidates:
        fact = event.fact
        key = BY_TYPE[fact.type].natural_key(fact.data)
        if key is not None and append.holder(key) == originator_of(event.source, event.id):
            yield event, own.after_rule(event)


def _lacks_promise(line: bytes) -> bool:
    """True of a line that puts a receipt or a decision in force without standard and without deadline."""
    fact = fact_of(decode(line))
    match fact:
        case PermitReceived(data=receipt):
            return receipt.resolved.standard is None and receipt.resolved.due_us is None
        case PermitProcessed(data=decision):
            return decision.resolved.promise_us is None
        case _:
            return False


def _count(counts: dict[tuple[str, str], list[int]], event: Recorded, resolution: Resolved) -> None:
    data = event.fact.data
    count = counts.setdefault((data["dinas"], data["service"]), [0, 0, 0, 0])
    is_decision = "completed_at" in data
    count[1 if is_decision else 0] += 1
    if resolution.on_time is not None:
        count[2 if resolution.on_time else 3] += 1
