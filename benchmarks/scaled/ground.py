"""The ground of one run: a PostgreSQL and a Kafka of its own, and databases that hold the prepared journal.

A database is a copy of a template: the journal alone, or with empty balances whose partitions begin at zero.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import psycopg

from benchmarks.harness import ZONE, Size, data_directory
from local.local_kafka import LocalKafka
from local.local_postgres import LocalPostgres
from neraca.wiring import now_us
from streams.journal.journal import Journal
from streams.kafka.broker import NoBroker, ensure_topic, quiet
from streams.kafka.settings import KafkaSettings
from streams.layouts import Layout, Layouts
from streams.places.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streams.places.directory import JournalFile

FACTS: Final = 300_000
PARTITIONS: Final = 12
"""Of every topic, ours and the baselines': the default of `neraca relay`."""
JOURNAL: Final = "journal_alone"
BEGUN: Final = "balances_begun"
_EVENTS: Final = ("int8", "uuid", "int8", "text", "bytea", "bytea")
_COPIES: Final = (
    (
        (
            "SELECT e.rowid, originator_id, originator_version, topic, state, leaf "
            "FROM stored_events e JOIN leaves ON position = e.rowid"
        ),
        _EVENTS,
        "neraca.neraca_events (notification_id, originator_id, originator_version, topic, state, leaf)",
    ),
    ("SELECT key, holder FROM natural_keys", ("text", "text"), "neraca.natural_keys (key, holder)"),
    ("SELECT key, position FROM case_notes", ("text", "int8"), "neraca.case_notes (key, position)"),
)


class Ground(NamedTuple):
    """The servers of a run, and its size."""

    postgres: LocalPostgres
    kafka: LocalKafka
    folder: Path
    size: Size

    @property
    def facts(self) -> int:
        """The number of facts of its journal."""
        return self.size.facts(FACTS)

    @property
    def settings(self) -> KafkaSettings:
        """How the broker is reached."""
        return KafkaSettings((self.kafka.bootstrap,))

    @property
    def prepared(self) -> JournalFile:
        """The same journal in its file, as it was recorded."""
        return data_directory(self.facts).journal

    def url(self, name: str) -> str:
        """The address of a database of this name."""
        return self.postgres.url.rpartition("/")[0] + f"/{name}"

    @contextmanager
    def database(self, template: str) -> Iterator[str]:
        """The address of a copy of a template, for the length of a ``with``; all before it has reached the disk."""
        name = f"copy_of_{template}"
        self.postgres.drop(name)
        with psycopg.connect(self.url("postgres"), autocommit=True) as db:
            db.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY".encode())
            db.execute("CHECKPOINT")
        try:
            yield self.url(name)
        finally:
            self.postgres.drop(name)


def known_topic(settings: KafkaSettings, topic: str, partitions: int) -> None:
    """Make a topic, and wait until the broker knows it: an app that reads before finds no partitions. Raises: ``NoBroker``."""
    ensure_topic(settings, topic, partitions)
    deadline = time.monotonic() + 30
    while True:
        try:
            return ensure_topic(settings, topic, partitions)  # it exists: this looks at its partitions
        except NoBroker:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def begun(database: Database) -> Layout:
    """Empty balances are served, cut into partitions that stand at zero; the layout."""
    journal = Journal.open(database.journal, ZONE, now_us())
    generations = database.generations()
    generation, store = generations.begin()
    generations.flip(generation)
    layout = Layouts(database, journal).current(PARTITIONS)
    store.engine.dispose()
    generations.close()
    journal.close()
    return layout


def copied(path: Path, database: Database) -> None:
    """A journal of SQLite, row by row, in PostgreSQL: the same events at the same positions."""
    Journal.open(database.prepare().journal, ZONE, now_us()).close()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source, database.connected("copy") as db:
        db.execute("SET session_replication_role = replica")  # no trigger keeps the lines of this copy from change
        for reading, types, into in _COPIES:
            db.execute(f"TRUNCATE {into.partition(' ')[0]}".encode())
            with db.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)".encode()) as copy:
                copy.set_types(types)
                for row in source.execute(reading):
                    copy.write_row(_typed(row, types))
        db.execute("VACUUM ANALYZE")


def _typed(row: tuple[Any, ...], types: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(UUID(hex=value) if kind == "uuid" else value for value, kind in zip(row, types, strict=True))


def prepare(ground: Ground) -> None:
    """Make both templates."""
    journal = Database(ground.postgres.database(JOURNAL))
    copied(ground.prepared.path, journal)
    with psycopg.connect(ground.url("postgres"), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {BEGUN} TEMPLATE {JOURNAL} STRATEGY FILE_COPY".encode())
    begun(Database(ground.url(BEGUN)))


@contextmanager
def standing(size: Size) -> Iterator[Ground]:
    """A run's servers, started and prepared, and removed at the end."""
    quiet()
    with tempfile.TemporaryDirectory(prefix="neraca-bench-") as folder:
        path = Path(folder)
        path.chmod(0o711)  # PostgreSQL runs as another user
        with LocalPostgres(path / "postgres") as postgres, LocalKafka(path / "kafka") as kafka:
            ground = Ground(postgres, kafka, path, size)
            print(f"a journal of {ground.facts:,} facts in PostgreSQL …", file=sys.stderr, flush=True)
            prepare(ground)
            yield ground
