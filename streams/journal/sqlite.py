"""The journal's tables on SQLite: the library's recorder with an append of our own.

Owns the lock (`BEGIN IMMEDIATE`: a check before the lock would race), positions, natural keys and case notes.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

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
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteConnection, SQLiteDatastore, SQLiteFactory

from streams.journal.appending import FACT_LIST, RULE_LIST, AppendedRows, Appending, StoredRow, hex_of
from streams.journal.searching import condition
from streams.journal.sqlite_schema import create_statements, lines_query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing.utils import Environment, EnvType

    from projections.ports import LineSearch
    from streams.journal.salt import Salts

_CHUNK: Final = 500
FULL: Final = 2
_WRITER: Final = ("wal_autocheckpoint=8000", "cache_size=-65536")
"""Appends touch pages all over a large journal's indexes: cache 64 MB, and checkpoint after 32 MB of WAL, not after 4.

Every commit still waits for the disk (``synchronous=FULL``, SQLite's default).
"""


class SqliteTables:
    """The journal's tables within one append transaction that holds the write lock."""

    def __init__(self, connection: sqlite3.Connection, table: str) -> None:
        self._db = connection
        self._table = table

    def head(self) -> int:
        """The position of the last entry; 0 before the first."""
        (head,) = self._db.execute(f"SELECT MAX(rowid) FROM {self._table}").fetchone()
        return head or 0

    def events(self, originators: Sequence[str]) -> Iterator[tuple[str, int, bytes]]:
        """Originator, position and line of each event in the journal."""
        for chunk in _chunks(originators):
            marks = ",".join("?" * len(chunk))
            yield from self._db.execute(
                f"SELECT originator_id, rowid, state FROM {self._table} "
                f"WHERE originator_version=1 AND originator_id IN ({marks})",
                chunk,
            )

    def holders(self, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each natural key that is held, and the originator that holds it."""
        for chunk in _chunks(keys):
            marks = ",".join("?" * len(chunk))
            yield from self._db.execute(f"SELECT key, holder FROM natural_keys WHERE key IN ({marks})", chunk)

    def notes(self, cases: Sequence[str]) -> Iterator[tuple[str, int, bytes]]:
        """Case, position and line of each pause and resumption, in order."""
        for chunk in _chunks(cases):
            marks = ",".join("?" * len(chunk))
            yield from self._db.execute(
                f"SELECT key, position, state FROM case_notes JOIN {self._table} ON {self._table}.rowid = position "
                f"WHERE key IN ({marks}) ORDER BY position",
                chunk,
            )

    def rules(self, after: int) -> Iterator[StoredRow]:
        """Position, line and leaf of the rule entries after a position, in order."""
        return self._db.execute(_rules(self._table), [after])

    def holds_facts(self) -> bool:
        """True if any fact is in the journal."""
        return (
            self._db.execute(f"SELECT 1 FROM {self._table} WHERE topic IN ({FACT_LIST}) LIMIT 1").fetchone() is not None
        )

    def write(self, batch: AppendedRows) -> None:
        """Write the rows of the transaction; it commits afterwards."""
        self._db.executemany(f"INSERT INTO {self._table} VALUES (?,?,?,?,?)", [row[:5] for row in batch.rows])
        self._db.executemany("INSERT INTO leaves VALUES (?,?)", [(row[0], row[5]) for row in batch.rows])
        self._db.executemany("INSERT OR REPLACE INTO natural_keys VALUES (?,?)", batch.held_keys)
        self._db.executemany("DELETE FROM natural_keys WHERE key=?", [(key,) for key in batch.free_keys])
        self._db.executemany("INSERT INTO case_notes VALUES (?,?)", batch.notes)


def _rules(table: str) -> str:
    return lines_query(table, f"topic IN ({RULE_LIST}) AND {table}.rowid > ?")


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


class JournalDatastore(SQLiteDatastore):
    """The library's pool for readers, and a connection of its own for the writer.

    The pool hands out another connection each time, whose cache the commits of the others have made stale.
    """

    def __init__(self, db_name: str, **settings: Any) -> None:  # noqa: ANN401 - the library's settings, passed on
        super().__init__(db_name, **settings)
        self._writing = threading.Lock()
        self._writer: SQLiteConnection | None = None

    @contextmanager
    def get_connection(self, *, commit: bool) -> Iterator[SQLiteConnection]:
        """A connection to read, or the one to write. Raises: ``OperationalError`` while another thread writes for long."""
        if not commit or self.pool.is_sqlite_memory_mode:
            with super().get_connection(commit=commit) as connection:
                yield connection
            return
        if not self._writing.acquire(timeout=self.pool.pool_timeout):
            message = "another thread writes"
            raise OperationalError(message)
        try:
            if self._writer is None:
                self._writer = self.pool._create_connection()  # noqa: SLF001 - the library offers no other way
                for pragma in _WRITER:
                    self._writer._sqlite_conn.execute(f"PRAGMA {pragma}")  # noqa: SLF001 - the same
            yield self._writer
        finally:
            self._writing.release()

    def close(self) -> None:
        """Close the writer's connection too."""
        if self._writer is not None:
            self._writer._close()  # noqa: SLF001 - as the pool does
            self._writer = None
        super().close()


class JournalRecorder(SQLiteApplicationRecorder):
    """The library's application recorder over our table, whose positions survive VACUUM and are consecutive."""

    def __init__(self, datastore: SQLiteDatastore, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name)
        self.insert_events_statement = (
            f"INSERT INTO {events_table_name} (originator_id, originator_version, topic, state) VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        """The tables of the journal, its indexes, and the triggers that keep its lines as they are."""
        return create_statements(self.events_table_name)

    @contextmanager
    def appending(self, salts: Salts) -> Iterator[Appending]:
        """One append: the write lock first, then all reads and writes, then one commit."""
        with self._immediate() as db:
            append = Appending(SqliteTables(db, self.events_table_name), salts)
            yield append
            append.flush()

    @contextmanager
    def looking(self) -> Iterator[SqliteTables]:
        """The journal's tables, to read and not to write."""
        with self.datastore.transaction(commit=False) as cursor:
            yield SqliteTables(cursor.sqlite_cursor.connection, self.events_table_name)

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

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[StoredRow]:
        """Positions, lines and leaves after a position, in order."""
        table = self.events_table_name
        with self.datastore.transaction(commit=False) as cursor:
            cursor.sqlite_cursor.row_factory = None  # tuples, not the library's rows: they take a third of the time
            query = lines_query(table, f"{table}.rowid > ? AND {table}.rowid <= ?")
            cursor.execute(f"{query} LIMIT ?", [after, stop if stop is not None else 2**62, limit])
            rows: list[StoredRow] = cursor.fetchall()
            return rows

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        marks = ",".join("?" * len(positions))
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid, state FROM {self.events_table_name} WHERE rowid IN ({marks})",
                list(positions),
            )
            return {row[0]: row[1] for row in cursor.fetchall()}

    def newest(self, search: LineSearch, after: int, until: int, limit: int) -> list[tuple[int, bytes]]:
        """The newest lines of ``(after, until]`` that match, up to ``limit``, the newest first."""
        # SQLite may be built so that LIKE matches no blob; of a text it compares the letters of ASCII in either case.
        where, values = condition(search, "CAST(state AS TEXT) LIKE ? ESCAPE '\\'", "?")
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(
                f"SELECT rowid, state FROM {self.events_table_name} WHERE {where} AND rowid > ? AND rowid <= ? "
                "ORDER BY rowid DESC LIMIT ?",
                [*values, after, until, limit],
            )
            return [(row[0], row[1]) for row in cursor.fetchall()]

    def rule_lines(self, after: int = 0) -> list[StoredRow]:
        """Every rule entry and every opening after a position, in order."""
        with self.datastore.transaction(commit=False) as cursor:
            cursor.execute(_rules(self.events_table_name), [after])
            return [(row[0], row[1], row[2]) for row in cursor.fetchall()]

    def is_transient(self, error: BaseException) -> bool:  # noqa: ARG002 - of no kind
        """A file that cannot be read does not mend by itself."""
        return False

    def durability_fault(self) -> str | None:
        """The reason why an acknowledged event would not survive a power cut; ``None`` if it would."""
        with self.datastore.get_connection(commit=True) as connection:
            level = int(connection._sqlite_conn.execute("PRAGMA synchronous").fetchone()[0])  # noqa: SLF001 - see _immediate
        return None if level >= FULL else "the database runs below synchronous=FULL"


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

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        library_datastore = self.datastore
        self.datastore = JournalDatastore(
            library_datastore.pool.db_name,
            lock_timeout=library_datastore.pool.lock_timeout,
            single_row_tracking=library_datastore.single_row_tracking,
            originator_id_type=library_datastore.originator_id_type,
        )
        library_datastore.close()
