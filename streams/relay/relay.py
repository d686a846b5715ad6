"""The relay: a transactional outbox from the journal to Kafka. An advisory lock elects one relay; the others wait.

It reads after its cursors, sends, waits for every acknowledgement, then moves the cursors by compare-and-set. A broker
that is away costs time, not events.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import psycopg

from streams.journal.journal import PersistenceError
from streams.kafka.broker import NoBroker, Sender, ensure_topic
from streams.places.location import NoDatabase
from streams.relay.cursors import DatabaseCursors
from streams.relay.layout_relay import EVENTS_TOPIC, LayoutRelay, RelayState
from streams.retrying import PROMPT, Interrupted, Retrying

if TYPE_CHECKING:
    import threading

    from streams.journal.journal import Journal
    from streams.kafka.settings import KafkaSettings
    from streams.layouts import Layout, Layouts
    from streams.places.database import Database

GATHER_S: Final = 0.03
"""The time for which entries gather for a segment when the journal is read to its head."""
IDLE_S: Final = 0.25
ELECTION_S: Final = 1.0
"""The interval at which a waiting relay asks whether it is elected."""
SILENT_S: Final = 45.0
"""A relay that the database has not heard of for so long is stopped, or cut off: another is elected. No send takes as long."""
_SILENCE: Final = (
    "SELECT set_config(name, %s, false) FROM pg_settings WHERE setting = '0' "
    "AND name IN ('idle_session_timeout', 'idle_in_transaction_session_timeout')"
)
_RELAYING: Final = 7_305_531_003
"""The advisory lock that elects a relay."""
LOG: Final = logging.getLogger("neraca.relay")
Db = psycopg.Connection[tuple[Any, ...]]


class Relay:
    """Relays until it has to end."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        layouts: Layouts,
        kafka: KafkaSettings,
        *,
        partitions: int,
        events: bool = False,
        silent_s: float = SILENT_S,
    ) -> None:
        self._database = database
        self._silent_s = silent_s
        self._journal = journal
        self._layouts = layouts
        self._kafka = kafka
        self._partitions = partitions
        self._events = events
        self.state = RelayState()

    def run(self, ending: threading.Event) -> None:
        """Wait to be elected, relay, and begin again after every failure that may pass."""
        transient = (psycopg.Error, PersistenceError, NoBroker, NoDatabase)
        retrying = Retrying(transient, PROMPT, on_failure=self._failed, pause=ending.wait)
        with suppress(Interrupted):
            retrying.call(lambda: self._relay_once(ending, retrying))

    def _failed(self, error: Exception, _: int) -> None:
        self.state.failures += 1
        LOG.warning("relaying again in a moment: %s", str(error).strip())

    def _relay_once(self, ending: threading.Event, retrying: Retrying) -> None:
        try:
            with self._database.connect("relay") as db:
                self._relay_while_elected(db, ending, retrying)
        finally:
            self.state.active = False

    def _relay_while_elected(self, db: Db, ending: threading.Event, retrying: Retrying) -> None:
        """The session holds the lock: it loses it with its process, with its connection, or by its silence."""
        db.execute(_SILENCE, (f"{int(self._silent_s * 1000)}ms",))
        while not ending.is_set():
            row = db.execute("SELECT pg_try_advisory_lock(%s)", (_RELAYING,)).fetchone()
            if row is not None and row[0]:
                break
            ending.wait(ELECTION_S)
        else:
            return
        db.execute("LISTEN neraca_journal")
        self._require_layout(db)
        sender = Sender(self._kafka, ending=ending.is_set)
        self.state.active = True
        retrying.well()
        LOG.info("relaying to %s", self._kafka.label)
        try:
            while not ending.is_set():
                self._relay_layout(db, sender, ending)
        finally:
            sender.close()

    def _require_layout(self, db: Db) -> None:
        """See that there is a layout. The role of relays may not begin one: a worker does. Raises: ``NoDatabase``."""
        if self._database.makes_balances:
            self._layouts.current(self._partitions)
        elif not self._layouts.every(db):
            message = f"{self._database.label}: there is no layout yet; the first worker begins it"
            raise NoDatabase(message)

    def _relay_layout(self, db: Db, sender: Sender, ending: threading.Event) -> None:
        layout, _ = self._unfinished(db)
        ensure_topic(self._kafka, layout.topic, layout.partitions)
        if self._events:
            ensure_topic(self._kafka, EVENTS_TOPIC, layout.partitions, least=1)
        cursors = DatabaseCursors(db, layout)
        key = self._layouts.key_of(layout.number)
        run = LayoutRelay(self._journal, layout, cursors, sender.send, self.state, key=key, events=self._events)
        self.state.layout = layout.number
        while not ending.is_set() and not run.is_finished():
            now, head = self._unfinished(db)
            if layout.until is None and now != layout:
                return
            if not run.step(head):
                for _ in db.notifies(timeout=IDLE_S, stop_after=1):
                    ending.wait(GATHER_S)

    def _unfinished(self, db: Db) -> tuple[Layout, int]:
        """The first layout that is not relayed to its end, and the journal's head up to which that is known.

        A change of layout reads the journal's head while it holds the table. So a relay that waits for the table either
        sees the change, or knows a head that does not lie beyond it. The last layout has no end, and its cursors are
        not loaded here: the step that follows loads them.
        """
        with db.transaction():
            db.execute("LOCK TABLE neraca.layouts IN ROW SHARE MODE")
            head = self._journal.head()
            layouts = self._layouts.every(db)
        for layout in layouts:
            if layout.until is None or not DatabaseCursors(db, layout).load().has_reached(layout.until):
                return layout, head
        message = "there is no layout to relay"
        raise RuntimeError(message)
