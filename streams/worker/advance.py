"""Advances a partition by some segments: cut, trimmed and ordered by position alone, in whatever order they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.store.partitions import Advance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from projections.store.partitions import StoredPartition
    from streams.kafka.segment_record import SegmentRecord


class Memory(NamedTuple):
    """The memory of a partition between folds; losing it costs only reading again."""

    ahead: dict[int, SegmentRecord] = {}  # noqa: RUF012 - never changed in place
    """Segments ahead of the stored position, by offset."""
    handled: frozenset[int] = frozenset()
    """Offsets handled beyond the first one that is not."""
    read: bool = False
    """True if anything was read of it since its offset was sought."""


class Advanced(NamedTuple):
    """The effect of some records on one partition: the lines to apply, the place reached, the memory, the number dropped."""

    fresh: list[tuple[int, bytes]]
    to: Advance
    memory: Memory
    dropped: int


def advance(partition: StoredPartition, memory: Memory, arrivals: Mapping[int, SegmentRecord]) -> Advanced:
    """Apply lines that follow the stored position, drop those at or below it, and remember segments that are ahead.

    ``arrivals`` maps offsets to segments. The offset to read next never passes a record that is still ahead, or missing.
    """
    ahead, fresh, drops = dict(sorted({**memory.ahead, **arrivals}.items())), list[tuple[int, bytes]](), 0
    at, last_hash, recordedtime = partition.position, "", ""
    done_offsets = set(memory.handled)
    moving = True
    while moving:
        moving = False
        for offset in list(ahead):
            segment = ahead[offset]
            if segment.after > at:
                continue
            del ahead[offset]
            done_offsets.add(offset)
            moving = True
            entries = [entry for entry in segment.entries if entry[0] > at]
            drops += len(segment.entries) - len(entries)
            fresh += entries
            if segment.last > at:
                at, last_hash, recordedtime = segment.last, segment.last_hash, segment.recorded or recordedtime
    read_next = partition.read_next
    if not memory.read and not ahead and arrivals:
        read_next = max(read_next, min(arrivals))  # earlier records are no longer kept by the topic
    while read_next in done_offsets:
        read_next += 1
    beyond = frozenset(offset for offset in done_offsets if offset > read_next)
    return Advanced(fresh, Advance(at, last_hash, read_next, recordedtime), Memory(ahead, beyond, read=True), drops)
