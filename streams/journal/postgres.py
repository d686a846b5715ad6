"""The journal's tables on PostgreSQL: the library's recorder with an append of our own.

Owns the lock (the whole table, first thing: a check before the lock would race), positions, natural keys and case notes.
Positions are given under the lock, not by a sequence, so that they are consecutive here too.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import psycopg
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from psycopg.errors import LockNotAvailable
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier
from psycopg_pool import PoolTimeout

from streams.journal.appending import FACT_LIST, RULE_LIST, AppendedRows, Appending, StoredRow, hex_of
from streams.journal.postgres_schema import LOCK, create_statements
from streams.journal.searching import condition
from streams.journal.stuck_sessions import StuckSessions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from eventsourcing.persistence import StoredEvent
    from psycopg import Connection, Cursor

    from projections.ports import LineSearch
    from streams.journal.salt import Salts

CHANNEL: Final = "neraca_journal"
"""Notified after every append."""
LOCK_WAIT_S: Final = 20
"""The longest time an append waits for others before its callers have to try again."""
_TABLES: Final = 7_305_531_004
"""A lock for making the library's tables and functions: it replaces the functions at each opening, which must not race."""
RECONNECT_S: Final = 5.0
"""The pool doubles its pause after each failed attempt and starts over after this time: it never pauses long."""
CONNECTION_WAIT_S: Final = 3.0
"""The longest wait for a connection of the pool: readers should soon learn that the database is away."""
_APPENDING: Final = """
SELECT pid FROM pg_locks WHERE granted AND mode = 'ExclusiveLock' AND relation = '"{}"."{}"'::regclass
"""
_SETTINGS: Final = ("fsync", "synchronous_commit", "full_page_writes")


class PostgresTables:
    """The journal's tables within one append transaction that holds the write lock."""

    def __init__(self, cursor: Cursor[tuple[Any, ...]], schema: str, table: str) -> None:
        self._cursor = cursor
        self._names = schema, table

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._cursor.execute(_named(query, *self._names), values or None, binary=True).fetchall()

    def head(self) -> int:
        """The position of the last entry; 0 before the first."""
        return self._rows("SELECT max(notification_id) FROM {events}")[0][0] or 0

    def events(self, originators: Sequence[str]) -> Iterator[tuple[str, int, bytes]]:
        """Originator, position and line of each event in the journal."""
        query = (
            "SELECT originator_id, notification_id, state FROM {events} "
            "WHERE originator_version = 1 AND originator_id = ANY(%s::uuid[])"
        )
        for originator, position, line in self._rows(query, list(originators)):
            yield originator.hex, position, line

    def holders(self, keys: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Each natural key that is held, and the originator that holds it."""
        yield from self._rows("SELECT key, holder FROM {in}.natural_keys WHERE key = ANY(%s::text[])", list(keys))

    def notes(self, cases: Sequence[str]) -> Iterator[tuple[str, int, bytes]]:
        """Case, position and line of each pause and resumption, in order."""
        query = (
            "SELECT key, position, state FROM {in}.case_notes JOIN {events} ON notification_id = position "
            "WHERE key = ANY(%s::text[]) ORDER BY position"
        )
        yield from self._rows(query, list(cases))

    def rules(self, after: int) -> Iterator[StoredRow]:
        """Position, line and leaf of the rule entries after a position, in order."""
        query = (
            f"SELECT notification_id, state, leaf FROM {{events}} WHERE topic IN ({RULE_LIST}) AND notification_id > %s "
            "ORDER BY notification_id"
        )
        yield from self._rows(query, after)

    def holds_facts(self) -> bool:
        """True if any fact is in the journal."""
        return bool(self._rows(f"SELECT 1 FROM {{events}} WHERE topic IN ({FACT_LIST}) LIMIT 1"))

    def write(self, batch: AppendedRows) -> None:
        """Write the rows of the transaction; it commits afterwards."""
        self._copy(
            "{events} (notification_id, originator_id, originator_version, topic, state, leaf)",
            ("int8", "uuid", "int8", "text", "bytea", "bytea"),
            ((position, UUID(hex=name), *row) for position, name, *row in batch.rows),
        )
        if batch.held_keys:
            keys, holders = map(list, zip(*batch.held_keys, strict=True))
            self._cursor.execute(
                _named(
                    "INSERT INTO {in}.natural_keys SELECT * FROM unnest(%s::text[], %s::text[]) "
                    "ON CONFLICT (key) DO UPDATE SET holder = excluded.holder",
                    *self._names,
                ),
                (keys, holders),
            )
        if batch.free_keys:
            self._cursor.execute(
                _named("DELETE FROM {in}.natural_keys WHERE key = ANY(%s::text[])", *self._names), (batch.free_keys,)
            )
        self._copy("{in}.case_notes (key, position)", ("text", "int8"), batch.notes)
        if batch.rows:
            self._cursor.execute(f"NOTIFY {CHANNEL}")

    def _copy(self, into: str, types: Sequence[str], rows: Any) -> None:  # noqa: ANN401 - rows of the types named
        with self._cursor.copy(_named(f"COPY {into} FROM STDIN (FORMAT BINARY)", *self._names)) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def _named(query: str, schema: str, table: str) -> bytes:
    """A fixed statement with the names of our own schema and table filled in."""
    return query.replace("{in}", f'"{schema}"').replace("{events}", f'"{schema}"."{table}"').encode()


class PostgresJournalRecorder(PostgresApplicationRecorder):
    """The library's application recorder over its own table, with positions given under the lock."""

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = "stored_events") -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        datastore.pool.reconnect_timeout = RECONNECT_S
        datastore.pool.timeout = CONNECTION_WAIT_S
        self._names = datastore.schema, events_table_name
        self._stuck_sessions = StuckSessions(_APPENDING.format(datastore.schema, LOCK))
        self.sql_create_statements += create_statements(*self._names)

    def _create_table(self, curs: Cursor[dict[str, Any]]) -> None:
        """Create missing tables, one process at a time."""
        curs.execute("SELECT pg_advisory_xact_lock(%s)", (_TABLES,))
        super()._create_table(curs)

    @contextmanager
    def appending(self, salts: Salts) -> Iterator[Appending]:
        """One append: the table lock first, then all reads and writes, then one commit."""
        with self._locked() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            append = Appending(PostgresTables(cursor, *self._names), salts)
            yield append
            append.flush()
            cursor.execute(
                SQL("NOTIFY {}").format(Identifier(self.channel_name))
            )  # the library's subscribers listen here

    @contextmanager
    def looking(self) -> Iterator[PostgresTables]:
        """The journal's tables, to read and not to write."""
        with (
            self.datastore.get_connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            yield PostgresTables(cursor, *self._names)

    @contextmanager
    def _locked(self) -> Iterator[Connection[Any]]:
        with self.datastore.get_connection() as connection, connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT_S}s'")
            try:
                connection.execute(_named(f"LOCK TABLE {{in}}.{LOCK} IN EXCLUSIVE MODE", *self._names))
            except LockNotAvailable:
                self._free()
                raise
            yield connection

    def _free(self) -> None:
        """End the lock's holder if its process is stopped within an append; by now no session waits for it any more."""
        with self.datastore.get_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            self._stuck_sessions.end(cursor)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int]:  # noqa: ANN401 - the library's signature
        """The library's own append, under our lock; the journal itself appends through ``appending``."""
        with self._locked() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            tables = PostgresTables(cursor, *self._names)
            head = tables.head()
            cursor.execute(SQL("NOTIFY {}").format(Identifier(self.channel_name)))
            rows: list[tuple[int, str, int, str, bytes, bytes | None]] = [
                (head + number, hex_of(event.originator_id), event.originator_version, event.topic, event.state, None)
                for number, event in enumerate(stored_events, 1)
            ]
            tables.write(AppendedRows(rows, [], [], []))
            return list(range(head + 1, head + 1 + len(stored_events)))

    def _read(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self.datastore.get_connection() as connection, connection.cursor(row_factory=tuple_row) as cursor:
            return cursor.execute(_named(query, *self._names), values or None, binary=True).fetchall()

    def max_notification_id(self) -> int | None:
        """The position of the last entry, read once; the library would ask a server that is away ten times."""
        ((position,),) = self._read("SELECT max(notification_id) FROM {events}")
        return None if position is None else int(position)

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[StoredRow]:
        """Positions, lines and leaves after a position, in order."""
        query = (
            "SELECT notification_id, state, leaf FROM {events} WHERE notification_id > %s AND notification_id <= %s "
            "ORDER BY notification_id LIMIT %s"
        )
        return [*self._read(query, after, stop if stop is not None else 2**62, limit)]

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        query = "SELECT notification_id, state FROM {events} WHERE notification_id = ANY(%s::bigint[])"
        return dict(self._read(query, list(positions)))

    def newest(self, search: LineSearch, after: int, until: int, limit: int) -> list[tuple[int, bytes]]:
        """The newest lines of ``(after, until]`` that match, up to ``limit``, the newest first."""
        # Collation "C": as on SQLite, the letters of ASCII alone match in either case.
        matches = "convert_from(state, 'UTF8') COLLATE \"C\" ILIKE %s::text ESCAPE '\\'"
        where, values = condition(search, matches, "%s::text")
        query = (
            f"SELECT notification_id, state FROM {{events}} WHERE {where} AND notification_id > %s "
            "AND notification_id <= %s ORDER BY notification_id DESC LIMIT %s"
        )
        return [(position, line) for position, line in self._read(query, *values, after, until, limit)]

    def rule_lines(self, after: int = 0) -> list[StoredRow]:
        """Every rule entry and every opening after a position, in order."""
        query = (
            f"SELECT notification_id, state, leaf FROM {{events}} WHERE topic IN ({RULE_LIST}) AND notification_id > %s "
            "ORDER BY notification_id"
        )
        return [*self._read(query, after)]

    def is_transient(self, error: BaseException) -> bool:
        """True for a missing connection, a lock not granted, and a server that is stopping or full."""
        cause = error.__cause__ or error
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError | PoolTimeout)

    def durability_fault(self) -> str | None:
        """The reason why an acknowledged event would not survive a power cut; ``None`` if it would."""
        for setting in _SETTINGS:
            ((value,),) = self._read(f"SHOW {setting}")
            if value == "off":
                return f"PostgreSQL runs with {setting}=off"
        return None


class PostgresJournalFactory(PostgresFactory):
    """Constructs the recorder above; named by the environment of the application."""

    application_recorder_class = PostgresJournalRecorder
