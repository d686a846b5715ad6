"""Generations of balances on PostgreSQL: a schema each, and a row that says which generation is served.

A fold locks that row in share mode. A rebuild catches up, locks it alone and serves the new generation, so that nothing is
folded in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, create_engine, text

from projections.segment import Superseded
from projections.store.store import Store
from projections.store.version import PROJECTION_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA: Final = "neraca"
"""The schema of everything but the balances."""
IDLE_MS: Final = 8000
"""The longest time a transaction may be idle: a stopped process must not hold locks."""


def postgres_engine(url: str, schema: str, role: str | None = None) -> Engine:
    """An engine whose names are those of a schema, and whose transactions end when their process is stopped.

    With ``role`` it acts as that role, of which the user of the URL is a member.
    """
    options = f"-c search_path={schema},{SCHEMA} -c idle_in_transaction_session_timeout={IDLE_MS}"
    options += f" -c role={role}" if role else ""
    settings = {"options": options, "connect_timeout": 5, "application_name": f"neraca {schema}"}
    return create_engine(url, connect_args=settings, pool_pre_ping=True, pool_size=5, max_overflow=15)


def schema_of(generation: int) -> str:
    """The schema of a generation."""
    return f"{SCHEMA}_{generation}"


class PostgresGenerations:
    """The generations of one database."""

    def __init__(self, url: str, role: str | None = None) -> None:
        self._url = url
        self._role = role
        self._engine = postgres_engine(url, SCHEMA, role)

    def serving(self) -> int | None:
        """The number of the generation served, or ``None`` when there is none of this version."""
        with self._engine.begin() as db:
            row = db.execute(
                text("SELECT generation FROM generations WHERE served AND version = :version"),
                {"version": PROJECTION_VERSION},
            ).scalar()
        return None if row is None else int(row)

    def serves_another_version(self) -> bool:
        """True while the generation served is of another version."""
        with self._engine.begin() as db:
            query = text("SELECT 1 FROM generations WHERE served AND version <> :version")
            return db.execute(query, {"version": PROJECTION_VERSION}).first() is not None

    def current(self) -> tuple[int, Store] | None:
        """The generation served, or ``None`` when there is none of this version."""
        generation = self.serving()
        return None if generation is None else (generation, self.store(generation))

    def store(self, generation: int) -> Store:
        """The store of the served generation; it refuses to fold once another is served."""

        def guard(db: Connection) -> None:
            is_served = db.execute(
                text(f"SELECT served FROM {SCHEMA}.generations WHERE generation = :at FOR SHARE"), {"at": generation}
            ).scalar()
            if not is_served:
                message = f"generation {generation} is no longer served"
                raise Superseded(message)

        store = Store(postgres_engine(self._url, schema_of(generation), self._role), guard)
        store.complete()
        return store

    def begin(self) -> tuple[int, Store]:
        """A new, empty generation, not served yet."""
        with self._engine.begin() as db:
            db.execute(text("LOCK TABLE generations IN EXCLUSIVE MODE"))
            last = db.execute(text("SELECT max(generation) FROM generations")).scalar()
            generation = int(last or 0) + 1
            db.execute(
                text("INSERT INTO generations VALUES (:at, :version, false)"),
                {"at": generation, "version": PROJECTION_VERSION},
            )
            db.execute(text(f"CREATE SCHEMA {schema_of(generation)}"))
        store = Store(postgres_engine(self._url, schema_of(generation), self._role))
        store.create()
        return generation, store

    def flip(self, generation: int, finish: Callable[[], object] = lambda: None, *, undivided: bool = False) -> None:
        """Serve a generation from now on. No fold runs between ``finish``, which catches it up, and the change."""
        with self._engine.begin() as db:
            db.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            old = db.execute(text("SELECT generation FROM generations WHERE served FOR UPDATE")).scalar()
            finish()
            if old is not None and not undivided:
                _carry_partitions(db, schema_of(int(old)), schema_of(generation))
            db.execute(text("UPDATE generations SET served = (generation = :at)"), {"at": generation})
            db.execute(text("SELECT pg_notify('neraca_moved', '')"))

    def sweep(self, keep: int) -> None:
        """Remove generations older than the one before ``keep``, which may still have readers."""
        with self._engine.begin() as db:
            rows = db.execute(text("SELECT generation FROM generations WHERE generation < :at"), {"at": keep})
            older = sorted(int(row[0]) for row in rows)[:-1]
            for generation in older:
                db.execute(text(f"DROP SCHEMA IF EXISTS {schema_of(generation)} CASCADE"))
                db.execute(text("DELETE FROM generations WHERE generation = :at"), {"at": generation})

    def close(self) -> None:
        """Release the connections."""
        self._engine.dispose()


def _carry_partitions(db: Connection, old: str, new: str) -> None:
    """Let partitions continue in the new generation, which was folded as one source, from its position."""
    exists = db.execute(text("SELECT to_regclass(:name)"), {"name": f"{old}.sources"}).scalar()
    if exists is None or not db.execute(text(f"SELECT 1 FROM {old}.sources WHERE source <> 'journal'")).first():
        return
    carry = (
        f"INSERT INTO {new}.sources (source, journal, position, hash, read_next, recorded) "
        f"SELECT was.source, reached.journal, reached.position, reached.hash, was.read_next, reached.recorded "
        f"FROM {old}.sources was, {new}.sources reached WHERE was.source <> 'journal' AND reached.source = 'journal'"
    )
    db.execute(text(carry))
    db.execute(text(f"DELETE FROM {new}.sources WHERE source = 'journal'"))
