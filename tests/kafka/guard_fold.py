"""Parts for tests of folds: lines, segments, a store in memory that fulfils the port's contract, a clock."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from projections.segment import NotFoldable, NotWritten
from projections.store.partitions import Overtaken, StoredPartition
from streams.kafka.segment_record import SegmentRecord, packed
from streams.worker.fold import Letter, PartitionFold, Record, Trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from domain.events.entries import AnyEntry
    from projections.store.partitions import Advance

JOURNAL: Final = "j"
LAYOUT: Final = 1
RECORDED: Final = "2026-11-24T05:00:00.000000Z"
Entry = tuple[int, bytes]

TRUST: Final = Trust(None, None)
"""The lines of these segments are made up: they have neither content hash nor time."""


def line(position: int, kind: str = "task-completed", dinas: str = "disdukcapil") -> bytes:
    """An entry as the journal stores it."""
    data = {
        "dinas": dinas,
        "asn": "a-1",
        "task": f"t{position}",
        "resolved": {"month": "2026-11", "reported_by": "system"},
    }
    return msgspec.json.encode(
        {
            "type": f"neraca.{kind}.v1",
            "source": "/loket",
            "id": f"t{position}",
            "recordedtime": RECORDED,
            "contenthash": f"c{position}",
            "data": data,
        }
    )


def segment_of(
    after: int, last: int, positions: Sequence[int] | None = None, partition: int = 0, kind: str = ""
) -> SegmentRecord:
    """A segment of ``(after, last]``: an entry at each position, or at those named."""
    entry_positions = range(after + 1, last + 1) if positions is None else positions
    entries = [(position, line(position, kind or "task-completed")) for position in entry_positions]
    return SegmentRecord(JOURNAL, LAYOUT, partition, after, last, f"h{last}", RECORDED if entries else "", entries)


def record(offset: int, segment: SegmentRecord | bytes | None) -> Record:
    """A record of a segment's partition; one that holds none is of partition 0."""
    if isinstance(segment, SegmentRecord):
        return Record(segment.partition, offset, packed(segment))
    return Record(0, offset, segment)


class Now:
    """A clock that stands where a test puts it, in seconds."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.s


class MemoryStore:
    """Positions and entries of some partitions: a transaction stores all its changes, or none."""

    def __init__(self, partitions: int = 2) -> None:
        self.stored = {number: StoredPartition(JOURNAL, 0, 0, None) for number in range(partitions)}
        self.entries: list[int] = []
        self.gaps: dict[tuple[int, int], int] = {}
        self.away = False
        self.overtaken = False
        self.unfoldable: set[int] = set()

    @contextmanager
    def folding(self, partitions: Sequence[int]) -> Iterator[MemoryFolding]:
        """A transaction over some partitions."""
        if self.away:
            message = "away"
            raise NotWritten(message)
        if self.overtaken:
            message = "a newer process"
            raise Overtaken(message)
        folding = MemoryFolding(
            {number: self.stored[number] for number in partitions if number in self.stored}, self.unfoldable
        )
        yield folding
        self.entries += folding.entries
        for partition, to in folding.moves.items():
            row = self.stored[partition]
            self.stored[partition] = row._replace(position=to.position, read_next=to.read_next)

    def count_gap(self, partition: int, position: int) -> int:
        """Count one more gap at a position; return its count."""
        times = self.gaps[partition, position] = self.gaps.get((partition, position), 0) + 1
        return times

    def stop(self, partition: int, position: int, why: str, skip_to: int = 0) -> None:
        """Stop the partition, if it is still at this position."""
        row = self.stored[partition]
        if row.position == position:
            self.stored[partition] = row._replace(stopped=why, read_next=max(row.read_next, skip_to))

    def at(self, partition: int = 0) -> tuple[int, int]:
        """Position, and the offset to read next."""
        row = self.stored[partition]
        return row.position, row.read_next


class MemoryFolding:
    """A transaction of a store in memory; some positions cannot be added."""

    def __init__(self, rows: dict[int, StoredPartition], unfoldable: set[int]) -> None:
        self.stored = rows
        self.entries: list[int] = []
        self.moves: dict[int, Advance] = {}
        self._unfoldable = unfoldable

    def apply(self, entries: Sequence[tuple[int, bytes, AnyEntry]], advances: Mapping[int, Advance]) -> None:
        """Add entries and move partitions."""
        for position, _, _ in entries:
            if position in self._unfoldable:
                message = f"position {position} is out of range"
                raise NotFoldable(message)
        self.entries += [position for position, _, _ in entries]
        self.moves.update(advances)


class Fold:
    """A fold over a store in memory, with its clock and the letters it parked."""

    def __init__(self, store: MemoryStore | None = None, fold: type[PartitionFold] = PartitionFold) -> None:
        self.store = store or MemoryStore()
        self.now = Now()
        self.letters: list[Letter] = []
        self._made = fold
        self.restart()

    def restart(self) -> None:
        """The process ended; the next knows only what is stored."""
        self.fold = self._made(self.store, JOURNAL, LAYOUT, self.letters.append, TRUST, self.now)

    def arrive(self, *records: Record) -> None:
        """Records of one poll."""
        self.fold.fold(records)
