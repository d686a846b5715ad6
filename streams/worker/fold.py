"""The fold of segments, as a plain function of records and a store: no framework is known here.

Position is the truth: lines at or below the stored position are dropped, those that follow it are applied, a segment ahead
waits for the missing ones. A gap that stays ends the process, which reads again; the same gap a third time stops the
partition, visibly, and so does a segment that cannot be read or applied. Nothing is passed over in silence.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.events.decoding import StoppedAtEntry, decoded
from domain.intake.unchanged import check
from projections.segment import NotFoldable
from projections.store.partitions import Advance
from streams.kafka.segment_record import SegmentRecord, Unreadable, packed, unpacked
from streams.worker.advance import Memory, advance
from streams.worker.turn import ReadAgain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo

    from domain.events.entries import AnyEntry
    from projections.store.partitions import StoredPartition
    from streams.worker.advance import Advanced
    from streams.worker.fold_store import FoldStore

    Segments = dict[int, dict[int, SegmentRecord]]
    """Segments by partition and offset."""

GAP_WAIT_S: Final = 8.0
"""The time a segment ahead waits while its partition does not move: a send that failed may be right behind it."""
GAPS_MOST: Final = 3
"""The number of times that the same gap is met, until its partition stops."""
HOLE_WAIT_S: Final = 1.5
"""The time an offset may be missing. Offsets of a topic without transactions are contiguous, so Faust skipped that record.

While later segments are waiting, the missing one counts as a gap instead: a record that the broker lost never arrives.
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


class Poison(Exception):  # noqa: N818 - a state of the data, not a fault of the program
    """Entries cannot be applied; the message says which, and why."""


class Trust(NamedTuple):
    """By what a fold knows that segments are the relay's: the key of their layout; without one, by the check of each line."""

    key: bytes | None
    zone: tzinfo | None
    """The zone of the journal; without it lines are not checked."""

    def check(self, lines: Sequence[tuple[int, bytes]]) -> None:
        """Check the lines of segments that nobody has signed. Raises: ``StoppedAtEntry``."""
        if self.key is None and self.zone is not None:
            check(((position, line, None) for position, line in lines), self.zone)


class Counts(NamedTuple):
    """The effect of one fold: entries applied and dropped, and the partitions moved."""

    applied: int
    dropped: int
    moved: dict[int, Advance]


class PartitionFold:
    """Folds records into a store. It remembers only segments that are ahead, and may lose them at any time."""

    def __init__(
        self,
        store: FoldStore,
        journal: str,
        layout: int,
        letter: Callable[[Letter], None],
        trust: Trust,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._journal = journal
        self._layout = layout
        self._letter = letter
        self._trust = trust
        self._clock = clock
        self._memory: dict[int, Memory] = {}
        self._committed: dict[int, int] = {}
        self._ahead_since: dict[int, float] = {}
        self._hole_since: dict[int, float] = {}
        self._forgotten = False
        self.stopped: dict[int, str] = {}

    def forget(self) -> None:
        """Read partitions again from their stored offsets. Any thread may call this; it takes effect at the next fold."""
        self._forgotten = True

    def fold(self, records: Iterable[Record]) -> Counts:
        """Apply records in one transaction; called again with the same, it adds nothing twice.

        Raises: ``NotWritten`` when nothing was written and it may be tried again; ``ReadAgain``; ``Overtaken``.
        """
        if self._forgotten:
            self._forgotten = False
            for memory in (self._memory, self._committed, self._ahead_since, self._hole_since):
                memory.clear()
        batch = list(records)
        self._pass_over([record for record in batch if record.partition in self.stopped])
        letters, segments = self._unpack(record for record in batch if record.partition not in self.stopped)
        for letter in letters:
            self._park(letter)
        counts = self._apply(segments) if segments else Counts(0, 0, {})
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

    def _unpack(self, records: Iterable[Record]) -> tuple[list[Letter], Segments]:
        """Records that cannot be read, and the segments of all partitions that have no such record."""
        letters, segments = list[Letter](), dict[int, dict[int, SegmentRecord]]()
        for record in records:
            try:
                segment = unpacked(record.value, self._trust.key)
                self._check(segment, record)
            except Unreadable as error:
                letters.append(Letter(record, str(error)))
            else:
                segments.setdefault(record.partition, {})[record.offset] = segment
        bad = {letter.record.partition for letter in letters}
        return letters, {partition: arrivals for partition, arrivals in segments.items() if partition not in bad}

    def _pass_over(self, records: Sequence[Record]) -> None:
        """Pass over records of stopped partitions: the relay sends them again once their partition is resumed."""
        ends = {record.partition: record.offset + 1 for record in records}
        if not ends:
            return
        with self._store.folding(sorted(ends)) as transaction:
            advances = {
                partition: Advance(at.position, "", max(at.read_next, ends[partition]), "")
                for partition, at in transaction.stored.items()
                if at.stopped is not None
            }
            transaction.apply([], advances)

    def _check(self, segment: SegmentRecord, record: Record) -> None:
        if (segment.journal, segment.layout, segment.partition) != (self._journal, self._layout, record.partition):
            message = f"a segment of journal {segment.journal}, layout {segment.layout}, partition {segment.partition}"
            raise Unreadable(message)

    def _apply(self, segments: Segments) -> Counts:
        """Apply all segments in one transaction; if that fails, each one apart, so that only the bad one stops."""
        try:
            return self._transaction(segments)
        except Poison:
            counts = [part for partition, arrivals in segments.items() for part in self._apart(partition, arrivals)]
        moves = {partition: to for part in counts for partition, to in part.moved.items()}
        return Counts(sum(part.applied for part in counts), sum(part.dropped for part in counts), moves)

    def _apart(self, partition: int, arrivals: dict[int, SegmentRecord]) -> Iterator[Counts]:
        """Apply a partition's segments one by one in the order of their positions, waiting ones included."""
        memory = self._memory.get(partition, Memory())
        self._memory[partition] = memory._replace(ahead={}, read=True)
        for offset, segment in sorted({**memory.ahead, **arrivals}.items(), key=lambda item: (item[1].after, item[0])):
            try:
                yield self._transaction({partition: {offset: segment}})
            except Poison as poison:
                self._stop_at_poison(partition, offset, segment, str(poison))
                return

    def _transaction(self, segments: Segments) -> Counts:
        results: dict[int, Advanced] = {}
        stops: dict[int, str] = {}
        with self._store.folding(sorted(segments)) as transaction:
            for partition, arrivals in segments.items():
                partition_now = self._check_row(partition, transaction.stored.get(partition))
                if partition_now.stopped is not None:
                    stops[partition] = partition_now.stopped
                else:
                    results[partition] = advance(partition_now, self._memory.get(partition, Memory()), arrivals)
            entries = self._decoded([line for result in results.values() for line in result.fresh])
            moves = {
                partition: result.to
                for partition, result in results.items()
                if _moves(transaction.stored[partition], result.to)
            }
            if moves:
                try:
                    transaction.apply(entries, moves)
                except NotFoldable as error:
                    message = f"cannot be folded: {error}"
                    raise Poison(message) from error
        self.stopped |= stops
        self._remember(results)
        return Counts(len(entries), sum(result.dropped for result in results.values()), moves)

    def _decoded(self, lines: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes, AnyEntry]]:
        try:
            entries = decoded(lines)
            self._trust.check(lines)
        except StoppedAtEntry as error:
            raise Poison(str(error)) from error
        return entries

    def _check_row(self, partition: int, row: StoredPartition | None) -> StoredPartition:
        if row is None:
            message = f"partition {partition} is not of the layout folded now"
            raise ReadAgain(message)
        if row.position < self._committed.get(partition, 0):
            message = f"partition {partition} is back at position {row.position}: a crash took its folds"
            raise ReadAgain(message)
        return row

    def _remember(self, results: dict[int, Advanced]) -> None:
        """Change the memory, once the transaction is committed."""
        now = self._clock()
        for partition, result in results.items():
            memory = result.memory
            self._memory[partition] = memory
            self._committed[partition] = result.to.position
            if result.to.last_hash:  # the partition moved, so a gap from here on is a new one
                self._ahead_since.pop(partition, None)
            _since(self._ahead_since, partition, now, bool(memory.ahead))
            _since(self._hole_since, partition, now, bool(memory.handled) and not memory.ahead)

    def _gap(self, partition: int) -> None:
        """The missing segments did not come: read again, and the third time at the same position stop."""
        with self._store.folding([partition]) as transaction:
            row = transaction.stored[partition]
        first = min(segment.after for segment in self._memory[partition].ahead.values())
        if first <= row.position:
            return
        why = f"entries {row.position + 1} to {first} of partition {partition} are missing from the topic"
        if self._store.count_gap(partition, row.position) < GAPS_MOST:
            raise ReadAgain(why)
        self._stop(partition, row.position, why, 1 + max(self._memory[partition].ahead))

    def _stop(self, partition: int, position: int, why: str, skip_to: int = 0) -> None:
        self._store.stop(partition, position, why, skip_to)
        self.stopped[partition] = why
        for memory in (self._memory, self._ahead_since, self._hole_since):
            memory.pop(partition, None)

    def _park(self, letter: Letter) -> None:
        """Keep an unreadable record apart, pass over it by its offset, and stop its partition."""
        partition = letter.record.partition
        if partition in self.stopped:
            return
        self._letter(letter)
        with self._store.folding([partition]) as transaction:
            row = transaction.stored[partition]
        if letter.record.offset >= row.read_next:
            why = f"record {letter.record.offset} of partition {partition}: {letter.why}"
            self._stop(partition, row.position, why, letter.record.offset + 1)

    def _stop_at_poison(self, partition: int, offset: int, segment: SegmentRecord, why: str) -> None:
        """Keep a segment that this version cannot fold apart too; it is read again when its partition is resumed."""
        self._letter(Letter(Record(partition, offset, packed(segment, self._trust.key)), why))
        with self._store.folding([partition]) as transaction:
            position = transaction.stored[partition].position
        self._stop(partition, position, f"partition {partition} after position {position}: {why}")


def _moves(row: StoredPartition, to: Advance) -> bool:
    return to.position > row.position or to.read_next > row.read_next


def _since(since: dict[int, float], partition: int, now: float, lasts: bool) -> None:  # noqa: FBT001 - of four alike
    """Note when a state of a partition began, as long as it lasts."""
    if lasts:
        since.setdefault(partition, now)
    else:
        since.pop(partition, None)
