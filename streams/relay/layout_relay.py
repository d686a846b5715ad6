"""The relay of one layout, step by step: read, cut, send, and move the cursors once everything is acknowledged.

It knows the database through its cursors and Kafka through ``send``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from streams.journal.journal import line_hash
from streams.kafka.cloudevents import binary_record
from streams.kafka.segment_record import packed
from streams.relay.cursors import SETTLED
from streams.relay.cutting import Cutter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from streams.kafka.broker import Headers
    from streams.kafka.segment_record import SegmentRecord
    from streams.layouts import Layout
    from streams.relay.cursors import Cursors, StoredCursors

PAGE: Final = 6000
WATERMARK_S: Final = 1.0
"""The interval at which an idle partition receives a watermark."""
EVENTS_TOPIC: Final = "neraca.events"


class RelayedJournal(Protocol):
    """A journal as the relay reads it."""

    id: str

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """Up to ``limit`` positions and lines after a position and not beyond ``stop``, in order."""
        ...

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        ...


class RelayState:
    """The progress of a relay, for its metrics."""

    def __init__(self) -> None:
        self.active = False
        self.layout = 0
        self.scanned = 0
        self.segments = 0
        self.entries = 0
        self.failures = 0


class LayoutRelay:
    """Relays one layout, each segment signed by the layout's key if it has one."""

    def __init__(  # noqa: PLR0913 - its ports, most with a usual value
        self,
        journal: RelayedJournal,
        layout: Layout,
        cursors: StoredCursors,
        send: Callable[[Iterable[Any]], None],
        state: RelayState,
        *,
        key: bytes | None = None,
        events: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._layout = layout
        self._stored = cursors
        self._send = send
        self._state = state
        self._key = key
        self._events = events
        self._clock = clock
        self._cutter = Cutter(journal.id, layout.number, layout.partitions)
        self._cursors = cursors.load()
        self._sent_at = [0.0] * layout.partitions

    def is_finished(self) -> bool:
        """True if nothing of this layout is left to relay."""
        return self._layout.until is not None and self._cursors.has_reached(self._layout.until)

    def step(self, head: int | None = None) -> bool:
        """Send the next page, up to ``head`` if it is given; returns whether the page was full."""
        self._cursors = self._stored.load()  # an order to send again is seen also while the journal is quiet
        self._send_again()
        stop = min((end for end in (self._layout.until, head) if end is not None), default=None)
        page = self._journal.lines(self._cursors.scanned, PAGE, stop)
        if page:
            segments, after = self._cutter.cut(page, self._cursors)
            self._deliver(segments, page if self._events else ())
            self._move(after)
            self._state.entries += len(page)
        self._send_watermarks()
        self._state.scanned = self._cursors.scanned
        return len(page) == PAGE

    def _send_again(self) -> None:
        """Carry out each order to send a partition once more."""
        for partition, since in enumerate(self._cursors.again):
            if since != SETTLED:
                for segment in self._cutter.cut_again(partition, self._cursors, self._lines):
                    self._deliver([segment])
                self._move(self._cursors.with_again(partition, SETTLED))

    def _lines(self, after: int, stop: int) -> list[tuple[int, bytes]]:
        return self._journal.lines(after, PAGE, stop)

    def _send_watermarks(self) -> None:
        """Tell an idle partition, once a second, how far the journal was scanned without an entry for it."""
        cursors, now = self._cursors, self._clock()
        at_end = cursors.scanned == self._layout.until
        idle = [
            partition
            for partition, position in enumerate(cursors.sent)
            if position < cursors.scanned and (at_end or now - self._sent_at[partition] >= WATERMARK_S)
        ]
        if idle:
            line = self._journal.lines_at([cursors.scanned])[cursors.scanned]
            self._deliver([self._cutter.watermark(partition, cursors, line_hash(line)) for partition in idle])
            position = tuple(cursors.scanned if partition in idle else at for partition, at in enumerate(cursors.sent))
            self._move(cursors._replace(sent=position))

    def _deliver(self, segments: Sequence[SegmentRecord], events: Sequence[tuple[int, bytes]] = ()) -> None:
        none: Headers = []
        topic = self._layout.topic
        records: list[Any] = [
            (topic, segment.partition, None, packed(segment, self._key), none) for segment in segments
        ]
        records += [(EVENTS_TOPIC, None, *binary_record(position, line)) for position, line in events]
        self._send(records)
        now = self._clock()
        for segment in segments:
            self._sent_at[segment.partition] = now
        self._state.segments += len(segments)

    def _move(self, after: Cursors) -> None:
        """Move the cursors. When another relay, or an order to send again, has changed them meanwhile, theirs hold."""
        self._cursors = after if self._stored.move(self._cursors, after) else self._stored.load()
