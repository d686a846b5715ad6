"""The journal's tables on SQLite: the library's recorder with an append of our own.

Owns the lock (`BEGIN IMMEDIATE`: a check before the lock would race), positions, natural keys and case notes.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from eventsourcing.persistence import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    PersistenceError,
    ProgrammingError,
    StoredEvent,
)
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteDatastore, SQLiteFactory

from domain.events import FACT_TYPES, OPENED_TYPE, RULE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

RULE_LIST: Final = ", ".join(f"'{topic}'" for topic in sorted({*RULE_TYPES, OPENED_TYPE}))
_CHUNK: Final = 500
FULL: Final = 2


def hex_of(originator_id: UUID | str) -> str:
    """How the table spells an originator."""
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id


class Appending:
    """One append transaction: reads see the journal and what this transaction has added; writes go at its end."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._db = connection
        self._table = table
        self._rows: list[tuple[int, str, int, str, bytes]] = []
        self._by_originator: dict[str, tuple[int, bytes] | None] = {}
        self._keys: dict[str, str | None] = {}
        self._keys_changed: set[str] = set()
        self._notes: list[tuple[str, int]] = []
        self._noted: dict[str, list[bytes]] = {}
        (head,) = connection.execute(f"SELECT MAX(rowid) FROM {table}").fetchone()
        self.head: int = head or 0

    def prefetch(self, originators: Iterable[str], keys: Iterable[str]) -> None:
        """Look up many at once what ``find`` and ``holder`` will be asked."""
        for chunk in _chunks(originators):
            self._by_originator.update(dict.fromkeys(chunk))
            marks = ",".join("?" * len(chunk))
            rows = self._db.execute(
                f"SELECT originator_id, rowid, state FROM {self._table} "
                f"WHERE originator_version=1 AND originator_id IN ({marks})",
                chunk,
            )
            self._by_originator.update((originator, (position, state)) for originator, position, state in rows)
        for chunk in _chunks(keys):
            self._keys.update(dict.fromkeys(chunk))
            marks = ",".join("?" * len(chunk))
            self._keys.update(self._db.execute(f"SELECT key, holder FROM natural_keys WHERE key IN ({marks})", chunk))

    def find(self, originator: str) -> tuple[int, bytes] | None:
        """The position and line of an event, if the journal holds it."""
        if originator not in self._by_originator:
            self.prefetch([originator], [])
        return self._by_originator[originator]

    def holder(self, key: str) -> str | None:
        """The originator that holds a natural key."""
        if key not in self._keys:
            self.prefetch([], [key])
        return self._keys[key]

    def prefetch_notes(self, cases: Iterable[str]) -> None:
        """Look up many at once what ``notes`` will be asked."""
        for chunk in _chunks(case for case in cases if case not in self._noted):
            marks = ",".join("?" * len(chunk))
            rows = self._db.execute(
                f"SELECT key, state FROM case_notes JOIN {self._table} ON {self._table}.rowid = position "
                f"WHERE key IN ({marks}) ORDER BY position",
                chunk,
            )
            self._noted.update((case, []) for case in chunk)
            for case, state in rows:
                self._noted[case].append(state)

    def notes(self, case: str) -> list[bytes]:
        """The lines of a case's pauses and resumptions, in order, those of this transaction included."""
        if case not in self._noted:
            self.prefetch_notes([case])
        return self._noted[case]

    def rules_since(self, position: int) -> list[tuple[int, bytes]]:
        """Rule entries recorded after a position, by this transaction too."""
        rows = self._db.execute(
            f"SELECT rowid, state FROM {self._table} WHERE topic IN ({RULE_LIST}) AND rowid > ? ORDER BY rowid",
            [position],
        )
        return [(at, state) for at, state in rows]

    def holds_facts(self) -> bool:
        """Whether any fact is in the journal, or about to be."""
        facts = ", ".join(f"'{topic}'" for topic in sorted(FACT_TYPES))
        row = self._db.execute(f"SELECT 1 FROM {self._table} WHERE topic IN ({facts}) LIMIT 1").fetchone()
        return row is not None or any(row[3] in FACT_TYPES for row in self._rows)

    def add(self, originator: str, topic: str, line: bytes, *, note: str | None = None) -> int:
        """One event enters the journal, at the position returned."""
        self.head += 1
        self._rows.append((self.head, originator, 1, topic, line))
        self._by_originator[originator] = (self.head, line)
        if note is not None:
            self.notes(note).append(line)
            self._notes.append((note, self.head))
        return self.head

    def set_key(self, key: str, holder: str | None) -> None:
        """A natural key is held by an originator, or free."""
        self._keys[key] = holder
        self._keys_changed.add(key)

    def flush(self) -> None:
        """Write what was added; the transaction commits it."""
        self._db.executemany(f"INSERT INTO {self._table} VALUES (?,?,?,?,?)", self._rows)
        held = [(key, self._keys[key]) for key in sorted(self._keys_changed)]
        self._db.executemany("INSERT OR REPLACE INTO natural_keys VALUES (?,?)", [row for row in held if row[1]])
        self._db.executemany("DELETE FROM natural_keys WHERE key=?", [(key,) for key, holder in held if not holder])
        self._db.executemany("INSERT INTO case_notes VALUES (?,?)", self._notes)


def _chunks(items: Iterable[str]) -> Iterator[list[str]]:
    listed = list(dict.fromkeys(items))
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]


class JournalRecorder(SQLiteApplicationRecorder):
    """The library's application recorder over our table, whose positions survive VACUUM and are consecutive."""

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name)
        self.insert_events_statement = (
            f"INSERT INTO {events_table_name} (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """The tables of the journal, and the partial index that finds rules among a million facts."""
        table = self.events_table_name
        return [
            (
                f"CREATE TABLE IF NOT EXISTS {table} (rowid INTEGER PRIMARY KEY, originator_id TEXT NOT NULL, "
                "originator_version INTEGER NOT NULL, topic TEXT NOT NULL, state BLOB NOT NULL, "
                "UNIQUE (originator_id, originator_version))"
            ),
            f"CREATE INDEX IF NOT EXISTS {table}_rules ON {table} (rowid) WHERE topic IN ({RULE_LIST})",
            "CREATE TABLE IF NOT EXISTS natural_keys (key TEXT PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID",
            (
                "CREATE TABLE IF NOT EXISTS case_notes (key TEXT, position INTEGER, "
                "PRIMARY KEY (key, position)) WITHOUT ROWID"
            ),
        ]

    @contextmanager
    def appending(self) -> Iterator[Appending]:
        """One append: the write lock first, then whatever is looked up and added, then one commit."""
        with self._immediate() as db:
            append = Appending(db, self.events_table_name)
            yield append
            append.flush()

    @contextmanager
    def _immediate(self) -> Iterator[sqlite3.Connection]:
        with self.datastore.get_connection(commit=True) as connection:
            db = connection._sqlite_conn  # noqa: SLF001 - the library offers no way to choose how a transaction begins
            try:
                db.execute("BEGIN IMMEDIATE")
                try:
                    db.row_factory, rows = None, db.row_factory
                    yield db
                finally:
                    db.row_factory = rows
                db.commit()
            except sqlite3.Error as error:
                raise _translated(error) from error
            finally:
                if db.in_transaction:
                    db.rollback()

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:  # noqa: ANN401 - the library's signature
        """The library's own append, under our lock; the journal itself appends through ``appending``."""
        with self._immediate() as db:
            return [
                db.execute(
                    self.insert_events_statement,
                    (hex_of(event.originator_id), event.originator_version, event.topic, event.state),
                ).lastrowid
                or 0
                for event in stored_events
            ]

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """Positions and lines after a position, in order."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid, state FROM {self.events_table_name} "
                "WHERE rowid > ? AND rowid <= ? ORDER BY rowid LIMIT ?",
                [after, stop if stop is not None else 2**62, limit],
            )
            return [(row[0], row[1]) for row in cursor.fetchall()]

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        marks = ",".join("?" * len(positions))
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid, state FROM {self.events_table_name} WHERE rowid IN ({marks})",
                list(positions),
            )
            return {row[0]: row[1] for row in cursor.fetchall()}

    def rule_lines(self) -> list[tuple[int, bytes]]:
        """Every rule entry and every opening, in order."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid, state FROM {self.events_table_name} WHERE topic IN ({RULE_LIST}) ORDER BY rowid"
            )
            return [(row[0], row[1]) for row in cursor.fetchall()]

    def synchronous(self) -> int:
        """The durability the connection really has; 2 is FULL."""
        with self.datastore.get_connection(commit=False) as connection:
            return int(connection._sqlite_conn.execute("PRAGMA synchronous").fetchone()[0])  # noqa: SLF001 - see _immediate


_TRANSLATIONS: Final = (
    (sqlite3.InterfaceError, InterfaceError),
    (sqlite3.DataError, DataError),
    (sqlite3.OperationalError, OperationalError),
    (sqlite3.IntegrityError, IntegrityError),
    (sqlite3.ProgrammingError, ProgrammingError),
    (sqlite3.DatabaseError, DatabaseError),
)


def _translated(error: sqlite3.Error) -> PersistenceError:
    return next((ours(error) for theirs, ours in _TRANSLATIONS if isinstance(error, theirs)), PersistenceError(error))


class JournalFactory(SQLiteFactory):
    """Constructs the recorder above; named by the environment of the application."""

    application_recorder_class = JournalRecorder
