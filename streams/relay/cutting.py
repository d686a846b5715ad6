"""Cutting: the segments that follow from the journal's lines, and the cursors once these are acknowledged.

A relay that dies before its cursors move sends again, cut at other places; the fold tells by positions what it has seen.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from domain.events.decoding import UNREADABLE, UnknownEntry, unreadable
from domain.events.kinds import FACT_TYPES, NOTE_TYPES, OPENED_TYPE, REVERSAL_TYPES, RULE_TYPES
from domain.fold.partition import partition_of
from streams.journal.journal import line_hash
from streams.kafka.segment_record import SegmentRecord
from streams.relay.cursors import Cursors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SEGMENT_MOST: Final = 500
"""The number of entries that a segment holds at most."""
BYTES_MOST: Final = 4 * 2**20
"""The bytes of lines that it holds at most, unless a single line is longer: far below the limit of a record."""
DINAS_MOST: Final = 100_000
"""The number of dinas whose partition is remembered at most: more than there are."""
_OF_A_DINAS: Final = FACT_TYPES | NOTE_TYPES
_OF_THE_RULEBOOK: Final = RULE_TYPES | {OPENED_TYPE}


class _Removed(Struct, gc=False):
    dinas: str


class _Removes(Struct, gc=False):
    data: _Removed


class _Resolved(Struct, gc=False):
    removes: _Removes | None = None


class _Data(Struct, gc=False):
    dinas: str | None = None
    resolved: _Resolved | None = None


class _Placed(Struct, gc=False):
    type: str
    recordedtime: str
    data: _Data


_PLACED: Final = msgspec.json.Decoder(_Placed)


class Places:
    """Finds the partition of a line, and remembers that of each dinas."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._known: dict[str, int] = {}

    def of(self, position: int, line: bytes) -> tuple[int | None, str]:
        """The partition of a line, ``None`` for the rulebook, and when it was recorded. Raises: ``UnknownEntry``."""
        try:
            entry = _PLACED.decode(line)
        except UNREADABLE as error:
            raise unreadable(position, error) from error
        kind, data = entry.type, entry.data
        if kind in _OF_A_DINAS and data.dinas is not None:
            return self._partition(data.dinas), entry.recordedtime
        if kind in REVERSAL_TYPES and data.resolved is not None and data.resolved.removes is not None:
            return self._partition(data.resolved.removes.data.dinas), entry.recordedtime
        if kind in _OF_THE_RULEBOOK:
            return None, entry.recordedtime
        message = f"position {position}: this version does not know where an entry of type {kind} belongs"
        raise UnknownEntry(message)

    def _partition(self, dinas: str) -> int:
        partition = self._known.get(dinas)
        if partition is None:
            if len(self._known) > DINAS_MOST:
                self._known.clear()
            partition = self._known[dinas] = partition_of(dinas, self._partitions)
        return partition


class Cutter:
    """Cuts the lines of one layout into segments of ``most`` entries at most."""

    def __init__(self, journal: str, layout: int, partitions: int, most: int = SEGMENT_MOST) -> None:
        self._journal = journal
        self._layout = layout
        self._most = most
        self._places = Places(partitions)

    def cut(self, page: Sequence[tuple[int, bytes]], cursors: Cursors) -> tuple[list[SegmentRecord], Cursors]:
        """The segments of the next lines, and the cursors once all of them are acknowledged."""
        if not page:
            return [], cursors
        last, last_line = page[-1]
        ends = list(cursors.sent)
        segments: list[SegmentRecord] = []
        for partition, entries in self._by_partition(page).items():
            segments += self._segments(partition, ends[partition], last, line_hash(last_line), entries)
            ends[partition] = last
        return segments, Cursors(last, tuple(ends), cursors.again)

    def cut_again(
        self, partition: int, cursors: Cursors, lines: Callable[[int, int], list[tuple[int, bytes]]]
    ) -> Iterator[SegmentRecord]:
        """The segments of one partition once more, since the position ordered; ``lines(after, stop)`` reads a page."""
        after, stop = cursors.again[partition], cursors.sent[partition]
        while after < stop and (page := lines(after, stop)):
            last, last_line = page[-1]
            entries = self._by_partition(page).get(partition, [])
            yield from self._segments(partition, after, last, line_hash(last_line), entries)
            after = last

    def watermark(self, partition: int, cursors: Cursors, scanned_hash: str) -> SegmentRecord:
        """An empty segment: the partition has no entry up to where the journal was scanned."""
        after, last = cursors.sent[partition], cursors.scanned
        return SegmentRecord(self._journal, self._layout, partition, after, last, scanned_hash, "", [])

    def _by_partition(self, page: Sequence[tuple[int, bytes]]) -> dict[int, list[tuple[int, bytes, str]]]:
        by_partition: dict[int, list[tuple[int, bytes, str]]] = {}
        for position, line in page:
            partition, recordedtime = self._places.of(position, line)
            if partition is not None:
                by_partition.setdefault(partition, []).append((position, line, recordedtime))
        return by_partition

    def _segments(
        self, partition: int, after: int, last: int, last_hash: str, entries: Sequence[tuple[int, bytes, str]]
    ) -> Iterator[SegmentRecord]:
        """Entries in segments of a bounded length; the last segment reaches as far as the page does."""
        ends = self._ends(entries)
        for start, end in pairwise([0, *ends]):
            part = entries[start:end]
            is_last = end == len(entries)
            end_position = last if is_last else part[-1][0]
            end_hash = last_hash if is_last else line_hash(part[-1][1])
            lines = [(position, line) for position, line, _ in part]
            recordedtime = part[-1][2] if part else ""
            yield SegmentRecord(
                self._journal, self._layout, partition, after, end_position, end_hash, recordedtime, lines
            )
            after = end_position

    def _ends(self, entries: Sequence[tuple[int, bytes, str]]) -> list[int]:
        """The end of each segment: after so many entries, or so many bytes. There is at least one, which may be empty."""
        ends, count, size = list[int](), 0, 0
        for number, (_, line, _) in enumerate(entries):
            if count and (count == self._most or size + len(line) > BYTES_MOST):
                ends.append(number)
                count, size = 0, 0
            count, size = count + 1, size + len(line)
        return [*ends, len(entries)]
