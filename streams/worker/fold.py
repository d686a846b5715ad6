"""The fold of segments, as a plain function of records and a store: no framework is known here.

Position is the truth: what lies at or below the stored position is dropped, what follows it is applied, a segment ahead
waits for what is missing. A gap that stays ends the process, which reads again; the same gap a third time stops the
partition, visibly, and so does a segment that cannot be read or applied. Nothing is passed over in silence.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

from domain.events.entries import decode
from projections.segment import NotFoldable, NotWritten
from projections.store.partitions import Advance
from streams.kafka.segment_record import Sent, Unreadable, packed, unpacked
from streams.worker.advance import Memory, advance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from domain.events.entries import AnyEntry
    from projections.store.partitions import StoredPartition
    from streams.worker.advance import Advanced

GAP_WAIT_S: Final = 8.0
"""How long a segment ahead waits while its partition stands: a send that failed may be right behind it."""
GAPS_MOST: Final = 3
HOLE_WAIT_S: Final = 1.5
"""Offsets of a topic without transactions are contiguous: a hole that stays is a record the framework passed over.

While a segment is ahead, what is missing is a gap, and counted as one: a record lost by the topic is a hole for ever.
"""


class Record(NamedTuple):
    """One record of the topic."""

    partition: int
    offset: int
    value: bytes | None


class Letter(NamedTuple):
    """A record that cannot be applied, for the topic of dead letters."""

    record: Record
    why: str


class ReadAgain(Exception):  # noqa: N818 - an order to the process
    """The process has to end, and read again from the stored offsets; the message says why."""


class Folding(Protocol):
    """One transaction over some partitions."""

    stored: dict[int, StoredPartition]

    def apply(self, entries: Sequence[tuple[int, bytes, AnyEntry]], advances: Mapping[int, Advance]) -> None:
        """Add entries, and move partitions to where these bring them."""
        ...


class FoldStore(Protocol):
    """What holds balances and positions."""

    def folding(self, partitions: Sequence[int]) -> AbstractContextManager[Folding]:
        """A transaction in which some partitions are this worker's alone. Raises: ``NotWritten``, ``Overtaken``."""
        ...

    def count_gap(self, partition: int, position: int) -> int:
        """How often, this time included, a partition met a gap at a position."""
        ...

    def stop(self, partition: int, position: int, why: str, skip_to: int = 0) -> None:
        """A partition stands still from here on, until it is resumed."""
        ...


class Poison(Exception):  # noqa: N818 - a state of the data, not a fault of the program
    """Entries cannot be applied; the message says which, and why."""


class Counts(NamedTuple):
    """What one fold did."""

    applied: int
    dropped: int
    moved: dict[int, Advance]


class PartitionFold:
    """Folds records into a store. Its memory is only what is ahead: it may be lost at any time."""

    def __init__(
        self, store: FoldStore, journal: str, layout: int, letter: Callable[[Letter], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._store = store
        self._journal = journal
        self._layout = layout
        self._letter = letter
        self._clock = clock
        self._memory: dict[int, Memory] = {}
        self._committed: dict[int, int] = {}
        self._ahead_since: dict[int, float] = {}
        self._hole_since: dict[int, float] = {}
        self._forgotten = False
        self.stopped: dict[int, str] = {}

    def forget(self) -> None:
        """The partitions are read again from their stored offsets; called from any thread, it holds for the next fold."""
        self._forgotten = True

    def fold(self, records: Iterable[Record]) -> Counts:
        """Apply records in one transaction; called again with the same, it adds nothing twice.

        Raises: ``NotWritten`` when nothing was written and it may be tried again; ``ReadAgain``; ``Overtaken``.
        """
        if self._forgotten:
            self._forgotten = False
            for remembered in (self._memory, self._committed, self._ahead_since, self._hole_since):
                remembered.clear()
        held = list(records)
        self._pass_over([record for record in held if record.partition in self.stopped])
        unreadable, segments = self._unpacked(record for record in held if record.partition not in self.stopped)
        for letter in unreadable:
            self._park(letter)
        counts = self._applied(segments) if segments else Counts(0, 0, {})
        self._look_for_gaps()
        return counts

    def _look_for_gaps(self) -> None:
        now = self._clock()
        for partition, since in self._hole_since.items():
            if now - since > HOLE_WAIT_S:
                message = f"records of partition {partition} were passed over"
                raise ReadAgain(message)
        for partition, since in list(self._ahead_since.items()):
            if now - since > GAP_WAIT_S:
                self._gap(partition)

    def _unpacked(self, records: Iterable[Record]) -> tuple[list[Letter], dict[int, dict[int, Sent]]]:
        letters, segments = list[Letter](), dict[int, dict[int, Sent]]()
        for record in records:
            try:
                sent = unpacked(record.value)
                self._check(sent, record)
            except Unreadable as error:
                letters.append(Letter(record, str(error)))
            else:
                segments.setdefault(record.partition, {})[record.offset] = sent
        bad = {letter.record.partition for letter in letters}
        return letters, {partition: held for partition, held in segments.items() if partition not in bad}

    def _pass_over(self, records: Sequence[Record]) -> None:
        """What comes while a partition stands still is sent again once it goes on: nobody has to read it by then."""
        ends = {record.partition: record.offset + 1 for record in records}
        if not ends:
            return
        with self._store.folding(sorted(ends)) as folding:
            stored = {one: at for one, at in folding.stored.items() if at.stopped is not None}
            folding.apply([], {
                one: Advance(at.position, "", max(at.read_next, ends[one]), "") for one, at in stored.items()
            })  # fmt: skip

    def _check(self, sent: Sent, record: Record) -> None:
        named = (sent.journal, sent.layout, sent.partition)
        if named != (self._journal, self._layout, record.partition):
            message = f"a segment of journal {sent.journal}, layout {sent.layout}, partition {sent.partition}"
            raise Unreadable(message)

    def _applied(self, segments: dict[int, dict[int, Sent]]) -> Counts:
        """All in one transaction; where that cannot be, each segment apart, so that only what is bad stops."""
        try:
            return self._transaction(segments)
        except Poison:
            counts = [one for partition, held in segments.items() for one in self._apart(partition, held)]
        moved = {partition: to for one in counts for partition, to in one.moved.items()}
        return Counts(sum(one.applied for one in counts), sum(one.dropped for one in counts), moved)

    def _apart(self, partition: int, held: dict[int, Sent]) -> Iterator[Counts]:
        """The segments of a partition one by one, as their positions follow, those that waited among them."""
        memory = self._memory.get(partition, Memory())
        self._memory[partition] = memory._replace(ahead={}, read=True)
        for offset, segment in sorted({**memory.ahead, **held}.items(), key=lambda one: (one[1].after, one[0])):
            try:
                yield self._transaction({partition: {offset: segment}})
            except Poison as poison:
                self._poisoned(partition, offset, segment, str(poison))
                return

    def _transaction(self, segments: dict[int, dict[int, Sent]]) -> Counts:
        done: dict[int, Advanced] = {}
        stopped: dict[int, str] = {}
        with self._store.folding(sorted(segments)) as folding:
            for partition, held in segments.items():
                stored = folding.stored.get(partition)
                if stored is None:
                    message = f"partition {partition} is not of the layout folded now"
                    raise ReadAgain(message)
                if stored.position < self._committed.get(partition, 0):
                    message = f"partition {partition} is back at position {stored.position}: a crash took its folds"
                    raise ReadAgain(message)
                if stored.stopped is not None:
                    stopped[partition] = stored.stopped
                else:
                    done[partition] = advance(stored, self._memory.get(partition, Memory()), held)
            entries = [entry for one in done.values() for entry in _decoded(one.fresh)]
            moves = {
                partition: one.to for partition, one in done.items()
                if one.to.position > folding.stored[partition].position
                or one.to.read_next > folding.stored[partition].read_next
            }  # fmt: skip
            if moves:
                try:
                    folding.apply(entries, moves)
                except NotFoldable as error:
                    message = f"cannot be folded: {error}"
                    raise Poison(message) from error
        self.stopped |= stopped
        self._remember(done)
        return Counts(len(entries), sum(one.dropped for one in done.values()), moves)

    def _remember(self, done: dict[int, Advanced]) -> None:
        """Only what is committed changes what is remembered."""
        now = self._clock()
        for partition, one in done.items():
            self._memory[partition] = one.memory
            self._committed[partition] = one.to.position
            if one.to.last_hash:  # it went on, so what it misses now is missed since now
                self._ahead_since.pop(partition, None)
            _since(self._ahead_since, partition, now, bool(one.memory.ahead))
            _since(self._hole_since, partition, now, bool(one.memory.handled) and not one.memory.ahead)

    def _gap(self, partition: int) -> None:
        """What is missing did not come: read again; the third time at the same place, stop."""
        with self._store.folding([partition]) as folding:
            stored = folding.stored[partition]
        first = min(segment.after for segment in self._memory[partition].ahead.values())
        if first <= stored.position:
            return
        why = f"entries {stored.position + 1} to {first} of partition {partition} are missing from the topic"
        if self._store.count_gap(partition, stored.position) < GAPS_MOST:
            raise ReadAgain(why)
        self._stop(partition, stored.position, why, 1 + max(self._memory[partition].ahead))

    def _stop(self, partition: int, position: int, why: str, skip_to: int = 0) -> None:
        self._store.stop(partition, position, why, skip_to)
        self.stopped[partition] = why
        for held in (self._memory, self._ahead_since, self._hole_since):
            held.pop(partition, None)

    def _park(self, letter: Letter) -> None:
        """An unreadable record: kept apart, passed over by offset, and its partition stops where it is."""
        partition = letter.record.partition
        if partition in self.stopped:
            return
        self._letter(letter)
        with self._store.folding([partition]) as folding:
            stored = folding.stored[partition]
        if letter.record.offset >= stored.read_next:
            why = f"record {letter.record.offset} of partition {partition}: {letter.why}"
            self._stop(partition, stored.position, why, letter.record.offset + 1)

    def _poisoned(self, partition: int, offset: int, segment: Sent, why: str) -> None:
        """A segment that this version cannot fold: kept apart too, but read again when the partition is resumed."""
        self._letter(Letter(Record(partition, offset, packed(segment)), why))
        with self._store.folding([partition]) as folding:
            position = folding.stored[partition].position
        self._stop(partition, position, f"partition {partition} after position {position}: {why}")


def _since(held: dict[int, float], partition: int, now: float, lasting: bool) -> None:  # noqa: FBT001 - of four alike
    if lasting:
        held.setdefault(partition, now)
    else:
        held.pop(partition, None)


def _decoded(fresh: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes, AnyEntry]]:
    entries = []
    for position, line in fresh:
        try:
            entries.append((position, line, decode(line)))
        except msgspec.DecodeError as error:
            message = f"this version cannot read the entry at position {position}: {error}"
            raise Poison(message) from error
    return entries


__all__ = ["FoldStore", "NotWritten", "PartitionFold", "ReadAgain", "Record"]
