"""The relay: a transactional outbox from the journal to Kafka. One is active by an advisory lock; the others wait their turn.

It reads from its cursors, sends, waits for every acknowledgement, then moves the cursors by compare-and-set. A broker
that is away costs time, not events.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import psycopg

from streams.journal.journal import PersistenceError, line_hash
from streams.kafka.broker import Headers, NoBroker, Sender, ensure_topic
from streams.kafka.cloudevents import binary_record
from streams.kafka.segment_record import packed
from streams.places.directory import NoDatabase
from streams.relay.cutting import SETTLED, Cursors, Outbox

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Sequence

    from streams.journal.journal import Journal
    from streams.kafka.segment_record import Sent
    from streams.kafka.settings import KafkaSettings
    from streams.layouts import Layout, Layouts
    from streams.places.database import Database

PAGE: Final = 6000
WATERMARK_S: Final = 1.0
GATHER_S: Final = 0.03
"""How long entries gather for a segment when the journal is read to its head."""
IDLE_S: Final = 0.25
RETRY_S: Final = 0.5
TURN_S: Final = 1.0
SILENT_S: Final = 45.0
"""A relay that the database has not heard of for so long is stopped, or cut off: its turn ends. No send takes as long."""
_SILENCE: Final = (
    "SELECT set_config(name, %s, false) FROM pg_settings WHERE setting = '0' "
    "AND name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout')"
)
_RELAYING: Final = 7_305_531_003
EVENTS_TOPIC: Final = "neraca.events"
LOG: Final = logging.getLogger("neraca.relay")
Db = psycopg.Connection[tuple[Any, ...]]


class Lines(Protocol):
    """What a relay reads of a journal."""

    id: str

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """Up to ``limit`` positions and lines after a position, in order."""
        ...

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        ...


class KeptCursors(Protocol):
    """Where the cursors of a layout are kept."""

    def load(self) -> Cursors:
        """What is kept; the layout's beginning where nothing is."""
        ...

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Compare and set: ``False`` when what is kept is not ``before``, or was written anew since it was loaded."""
        ...


class RelayState:
    """What a relay tells of itself."""

    def __init__(self) -> None:
        self.active = False
        self.layout = 0
        self.scanned = 0
        self.head = 0
        self.segments = 0
        self.entries = 0
        self.failures = 0


class Relay:
    """Relays until it is told to end."""

    def __init__(
        self, database: Database, journal: Journal, layouts: Layouts, kafka: KafkaSettings, *, partitions: int,
        events: bool = False, silent_s: float = SILENT_S,
    ) -> None:  # fmt: skip
        self._database = database
        self._silent_s = silent_s
        self._journal = journal
        self._layouts = layouts
        self._kafka = kafka
        self._partitions = partitions
        self._events = events
        self.state = RelayState()

    def run(self, ending: threading.Event) -> None:
        """Wait for the turn, relay, and begin anew after whatever may pass."""
        while not ending.is_set():
            try:
                with self._database.connect("relay") as db:
                    self._when_it_is_my_turn(db, ending)
            except (psycopg.Error, PersistenceError, NoBroker, NoDatabase) as error:
                self.state.failures += 1
                LOG.warning("relaying again in a moment: %s", str(error).strip())
                ending.wait(RETRY_S)
            finally:
                self.state.active = False

    def _when_it_is_my_turn(self, db: Db, ending: threading.Event) -> None:
        """The turn is the session's: it ends with the process, with the connection, or with the database's patience."""
        db.execute(_SILENCE, (f"{int(self._silent_s * 1000)}ms",))
        while not ending.is_set():
            row = db.execute("SELECT pg_try_advisory_lock(%s)", (_RELAYING,)).fetchone()
            if row is not None and row[0]:
                break
            ending.wait(TURN_S)
        else:
            return
        db.execute("LISTEN neraca_journal")
        self._layouts.reached(self._partitions)
        sender = Sender(self._kafka, ending=ending.is_set)
        self.state.active = True
        LOG.info("relaying to %s", self._kafka.shown)
        try:
            while not ending.is_set():
                self._relay_layout(db, sender, ending)
        finally:
            sender.close()

    def _relay_layout(self, db: Db, sender: Sender, ending: threading.Event) -> None:
        layout, _ = self._unfinished(db)
        ensure_topic(self._kafka, layout.topic, layout.partitions)
        if self._events:
            ensure_topic(self._kafka, EVENTS_TOPIC, layout.partitions, least=1)
        cursors = DatabaseCursors(db, layout)
        run = LayoutRelay(self._journal, layout, cursors, sender.send, self.state, events=self._events)
        self.state.layout = layout.number
        while not ending.is_set() and not run.finished():
            now, head = self._unfinished(db)
            if layout.until is None and now != layout:
                return
            if not run.step(head):
                for _ in db.notifies(timeout=IDLE_S, stop_after=1):
                    ending.wait(GATHER_S)

    def _unfinished(self, db: Db) -> tuple[Layout, int]:
        """The first layout that is not relayed to its end, and up to where that is known to be so.

        A change of layout takes the journal's head while it holds the table: whoever waits for it either sees the
        change, or knows a head that does not lie beyond it.
        """
        with db.transaction():
            db.execute("LOCK TABLE neraca.layouts IN ROW SHARE MODE")
            head = self._journal.head()
            known = self._layouts.known(db)
        for layout in known:
            held = DatabaseCursors(db, layout).load()
            if layout.until is None or not _reached(held, layout.until):
                return layout, head
        message = "there is no layout to relay"
        raise RuntimeError(message)


class LayoutRelay:
    """The relay of one layout, step by step. It knows the database through cursors, and Kafka through ``send``."""

    def __init__(
        self, journal: Lines, layout: Layout, kept: KeptCursors, send: Callable[[Iterable[Any]], None],
        state: RelayState, *, events: bool = False, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._journal = journal
        self._layout = layout
        self._kept = kept
        self._send = send
        self._state = state
        self._events = events
        self._clock = clock
        self._outbox = Outbox(journal.id, layout.number, layout.partitions)
        self._cursors = kept.load()
        self._sent_at = [0.0] * layout.partitions

    def finished(self) -> bool:
        """Whether nothing of this layout is left to relay."""
        return self._layout.until is not None and _reached(self._cursors, self._layout.until)

    def step(self, head: int | None = None) -> bool:
        """Send what follows, up to ``head`` where one is named; whether there was a full page of it."""
        self._cursors = self._kept.load()  # an order to send again is seen also while the journal is quiet
        self._again()
        stop = min((one for one in (self._layout.until, head) if one is not None), default=None)
        page = self._journal.lines(self._cursors.scanned, PAGE, stop)
        if page:
            segments, after = self._outbox.cut(page, self._cursors)
            self._deliver(segments, page if self._events else ())
            self._move(after)
            self._state.entries += len(page)
        self._watermarks()
        self._state.scanned = self._cursors.scanned
        return len(page) == PAGE

    def _again(self) -> None:
        """Partitions that were resumed are sent what they may have missed."""
        for partition, since in enumerate(self._cursors.again):
            if since != SETTLED:
                for sent in self._outbox.cut_again(partition, self._cursors, self._lines):
                    self._deliver([sent])
                settled = tuple(
                    SETTLED if number == partition else one for number, one in enumerate(self._cursors.again)
                )
                self._move(self._cursors._replace(again=settled))

    def _lines(self, after: int, stop: int) -> list[tuple[int, bytes]]:
        return self._journal.lines(after, PAGE, stop)

    def _watermarks(self) -> None:
        """A partition that lies idle is told, once a second, how far the journal was scanned without an entry for it."""
        cursors, now = self._cursors, self._clock()
        at_end = cursors.scanned == self._layout.until
        idle = [
            partition for partition, sent in enumerate(cursors.sent)
            if sent < cursors.scanned and (at_end or now - self._sent_at[partition] >= WATERMARK_S)
        ]  # fmt: skip
        if idle:
            line = self._journal.lines_at([cursors.scanned])[cursors.scanned]
            self._deliver([self._outbox.watermark(partition, cursors, line_hash(line)) for partition in idle])
            sent = tuple(cursors.scanned if number in idle else one for number, one in enumerate(cursors.sent))
            self._move(cursors._replace(sent=sent))

    def _deliver(self, segments: Sequence[Sent], events: Sequence[tuple[int, bytes]] = ()) -> None:
        none: Headers = []
        records: list[Any] = [(self._layout.topic, sent.partition, None, packed(sent), none) for sent in segments]
        records += [(EVENTS_TOPIC, None, *binary_record(position, line)) for position, line in events]
        self._send(records)
        now = self._clock()
        for sent in segments:
            self._sent_at[sent.partition] = now
        self._state.segments += len(segments)

    def _move(self, after: Cursors) -> None:
        """Where another relay, or an order to send again, has changed them otherwise, theirs hold."""
        self._cursors = after if self._kept.move(self._cursors, after) else self._kept.load()


def _reached(cursors: Cursors, until: int) -> bool:
    return cursors.scanned >= until and min(cursors.sent) >= until and set(cursors.again) == {SETTLED}


class DatabaseCursors:
    """The cursors of a layout, in the database."""

    def __init__(self, db: Db, layout: Layout) -> None:
        self._db = db
        self._layout = layout
        self._version: str | None = None
        """The row's version as it was loaded or written here."""

    def load(self) -> Cursors:
        """What is kept; the layout's beginning, which is kept from then on, where nothing is."""
        number, start, partitions = self._layout.number, self._layout.from_position, self._layout.partitions
        self._db.execute(
            "INSERT INTO neraca.relays VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (number, start, [start] * partitions, [SETTLED] * partitions),
        )
        row = self._db.execute(
            "SELECT scanned, sent, again, xmin::text FROM neraca.relays WHERE layout = %s", (number,)
        ).fetchone()
        assert row is not None, "just written"  # noqa: S101 - for the type checker
        self._version = row[3]
        return Cursors(row[0], tuple(row[1]), tuple(row[2]))

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Compare and set, in one statement; by the row's version too, for the same order may be given twice."""
        row = self._db.execute(
            "UPDATE neraca.relays SET scanned = %s, sent = %s::bigint[], again = %s::bigint[] "
            "WHERE layout = %s AND scanned = %s AND sent = %s::bigint[] AND again = %s::bigint[] "
            "AND xmin::text = coalesce(%s, xmin::text) RETURNING xmin::text",
            (after.scanned, list(after.sent), list(after.again), self._layout.number, before.scanned,
             list(before.sent), list(before.again), self._version),
        ).fetchone()  # fmt: skip
        if row is not None:
            self._version = row[0]
        return row is not None
