"""The late decisions and tasks behind a count: each fact in force that was judged late, the last recorded first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from domain.clock import stored_instant
from domain.events.entries import PermitProcessed, TaskCompleted, decode, fact_of
from domain.fold.postings import posting_of
from domain.intake.judged import due_us, margin_us
from domain.intake.recorded import EffectiveFact, read_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.events.entries import Fact
    from domain.periods import Period
    from domain.score.scorecard import Subject
    from projections.ports import Lines
    from projections.reading.reader import Snapshot

LateKind = Literal["permits", "tasks"]
BATCH: Final = 1000
SCANNED_MOST: Final = 20_000
"""The most entries that one page looks through; if few of them were late, the page is short, and goes on."""


class LateFact(Struct, frozen=True):
    """A decision or a task that was judged late; instants and lengths in microseconds."""

    position: int
    fact: EffectiveFact
    due_us: int
    completed_us: int
    late_us: int

    @property
    def dinas(self) -> str:
        """The dinas that it counts for."""
        return str(self.fact.data["dinas"])


class LateFacts(Struct, frozen=True):
    """A page of late facts; the next page begins before the position ``before``."""

    items: tuple[LateFact, ...]
    before: int | None


class LateQuery(Struct, frozen=True):
    """Whose late facts are wanted: decisions or tasks, of one service or of all."""

    subject: Subject
    period: Period
    kind: LateKind
    service: str = ""


def late_facts(snapshot: Snapshot, lines: Lines, query: LateQuery, before: int, limit: int) -> LateFacts:
    """A page of the facts that a count of late ones counts: as many, over all pages, as the count says."""
    items: list[LateFact] = []
    for _ in range(0, SCANNED_MOST, BATCH):
        service = query.service or None
        positions = snapshot.positions(query.subject, query.period, before, BATCH, newest=True, service=service)
        tables = lines.lines_at(positions) if positions else {}
        lines_there = _standing(snapshot, lines, _late_among(((at, tables[at]) for at in positions), query))
        items += lines_there
        if len(items) > limit:
            return LateFacts(tuple(items[:limit]), items[limit - 1].position)
        if len(positions) < BATCH:
            return LateFacts(tuple(items), None)
        before = positions[-1]
    return LateFacts(tuple(items), before)


def _late_among(entries: Iterable[tuple[int, bytes]], query: LateQuery) -> Iterator[tuple[int, bytes]]:
    for position, line in entries:
        fact = fact_of(decode(line))
        if fact is not None and _is_late(fact, query):
            yield position, line


def _is_late(fact: Fact, query: LateQuery) -> bool:
    late_query = PermitProcessed if query.kind == "permits" else TaskCompleted
    if not isinstance(fact, PermitProcessed | TaskCompleted) or not isinstance(fact, late_query):
        return False
    if fact.data.resolved.on_time is not False:
        return False
    dinas, asn, service, month = posting_of(fact).account
    subject = dinas if query.subject.kind == "dinas" else asn
    return subject == query.subject.id and month in query.period.months and query.service in ("", service)


def _standing(snapshot: Snapshot, lines: Lines, late: Iterable[tuple[int, bytes]]) -> Iterator[LateFact]:
    """The late facts that no reversal has taken out, as far as their dinas is folded."""
    events = [(position, read_line(line)) for position, line in late]
    reversed_at = lines.reversed_at([(event.source, event.id) for _, event in events]) if events else {}
    for position, event in events:
        fact = event.fact
        taken_out = reversed_at.get((event.source, event.id))
        if taken_out is not None and taken_out <= snapshot.folded(fact.data["dinas"]):
            continue
        due, margin = due_us(fact), margin_us(fact)
        if due is not None and margin is not None:
            yield LateFact(position, fact, due, stored_instant(fact.data["completed_at"]), -margin)
