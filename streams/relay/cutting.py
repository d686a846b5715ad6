"""The relay's outbox: which segments follow from the journal's lines, and how far each partition has been sent.

Cursors move only after every segment is acknowledged. A relay that dies between sends again, cut otherwise; positions
tell the fold what it has seen.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from domain.events.kinds import FACT_TYPES, NOTE_TYPES, OPENED_TYPE, REVERSAL_TYPES, RULE_TYPES
from domain.fold.partition import partition_of
from streams.journal.journal import line_hash
from streams.kafka.segment_record import Sent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SEGMENT_MOST: Final = 500
"""How many entries a segment holds."""
BYTES_MOST: Final = 4 * 2**20
"""How many bytes of lines it holds, unless a single one is longer: far below what a record may be."""
SETTLED: Final = -1
_OF_A_DINAS: Final = FACT_TYPES | NOTE_TYPES
_OF_THE_RULEBOOK: Final = RULE_TYPES | {OPENED_TYPE}


class UnknownEntry(Exception):  # noqa: N818 - a state of the journal, not a fault of the program
    """The journal holds an entry this version cannot place; it is not passed over."""


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


class Cursors(NamedTuple):
    """How far one layout has been relayed."""

    scanned: int
    """Every entry up to here has been sent to its partition."""
    sent: tuple[int, ...]
    """What the last segment of each partition reached; none of its entries lies between that and ``scanned``."""
    again: tuple[int, ...]
    """From where a partition is to be sent once more, or ``SETTLED``."""


class Places:
    """Finds the partition of a line, remembering that of each dinas."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._known: dict[str, int] = {}

    def of(self, position: int, line: bytes) -> tuple[int | None, str]:
        """The partition, ``None`` for the rulebook's, and when the entry was recorded. Raises: ``UnknownEntry``."""
        placed = _PLACED.decode(line)
        kind, data = placed.type, placed.data
        if kind in _OF_A_DINAS and data.dinas is not None:
            return self._partition(data.dinas), placed.recordedtime
        if kind in REVERSAL_TYPES and data.resolved is not None and data.resolved.removes is not None:
            return self._partition(data.resolved.removes.data.dinas), placed.recordedtime
        if kind in _OF_THE_RULEBOOK:
            return None, placed.recordedtime
        message = f"position {position}: this version does not know where an entry of type {kind} belongs"
        raise UnknownEntry(message)

    def _partition(self, dinas: str) -> int:
        known = self._known.get(dinas)
        if known is None:
            if len(self._known) > 100_000:  # noqa: PLR2004 - more dinas than there are; a bound on memory all the same
                self._known.clear()
            known = self._known[dinas] = partition_of(dinas, self._partitions)
        return known


class Outbox:
    """Cuts the lines of one layout into segments of ``most`` entries at most."""

    def __init__(self, journal: str, layout: int, partitions: int, most: int = SEGMENT_MOST) -> None:
        self._journal = journal
        self._layout = layout
        self._most = most
        self._places = Places(partitions)

    def cut(self, page: Sequence[tuple[int, bytes]], cursors: Cursors) -> tuple[list[Sent], Cursors]:
        """The segments of the next lines, and the cursors once they are all acknowledged."""
        if not page:
            return [], cursors
        last, last_line = page[-1]
        sent = list(cursors.sent)
        segments: list[Sent] = []
        for partition, entries in self._sorted(page).items():
            segments += self._segments(partition, sent[partition], last, line_hash(last_line), entries)
            sent[partition] = last
        return segments, Cursors(last, tuple(sent), cursors.again)

    def cut_again(
        self, partition: int, cursors: Cursors, lines: Callable[[int, int], list[tuple[int, bytes]]]
    ) -> Iterator[Sent]:
        """What one partition was sent since a position, once more; ``lines(after, stop)`` reads a page."""
        after, stop = cursors.again[partition], cursors.sent[partition]
        while after < stop and (page := lines(after, stop)):
            last, last_line = page[-1]
            entries = self._sorted(page).get(partition, [])
            yield from self._segments(partition, after, last, line_hash(last_line), entries)
            after = last

    def watermark(self, partition: int, cursors: Cursors, scanned_hash: str) -> Sent:
        """An empty segment: the partition has no entry up to where the journal was scanned."""
        return Sent(
            self._journal, self._layout, partition, cursors.sent[partition], cursors.scanned, scanned_hash, "", []
        )

    def _sorted(self, page: Sequence[tuple[int, bytes]]) -> dict[int, list[tuple[int, bytes, str]]]:
        by_partition: dict[int, list[tuple[int, bytes, str]]] = {}
        for position, line in page:
            partition, recorded = self._places.of(position, line)
            if partition is not None:
                by_partition.setdefault(partition, []).append((position, line, recorded))
        return by_partition

    def _segments(
        self, partition: int, after: int, last: int, last_hash: str, entries: Sequence[tuple[int, bytes, str]]
    ) -> Iterator[Sent]:
        """Entries in segments of a bounded length; the last one reaches as far as the page does."""
        ends = self._ends(entries)
        for start, end in pairwise([0, *ends]):
            held = entries[start:end]
            whole = end == len(entries)
            reached = last if whole else held[-1][0]
            reached_hash = last_hash if whole else line_hash(held[-1][1])
            kept = [(position, line) for position, line, _ in held]
            recorded = held[-1][2] if held else ""
            yield Sent(self._journal, self._layout, partition, after, reached, reached_hash, recorded, kept)
            after = reached

    def _ends(self, entries: Sequence[tuple[int, bytes, str]]) -> list[int]:
        """Where each segment ends: after so many entries, or so many bytes; one at least, if only an empty one."""
        ends, count, size = list[int](), 0, 0
        for number, (_, line, _) in enumerate(entries):
            if count and (count == self._most or size + len(line) > BYTES_MOST):
                ends.append(number)
                count, size = 0, 0
            count, size = count + 1, size + len(line)
        return [*ends, len(entries)]
