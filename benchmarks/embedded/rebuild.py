"""rebuild: balances folded in pages, beside the library's documented loop that commits each event with its tracking."""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from eventsourcing.sqlite import SQLiteDatastore

from benchmarks.harness import Figure, Size, data_directory, pairs, shown
from benchmarks.library_loop import SqliteView, check, pulled
from neraca.keep import REBUILD_PAGE
from neraca.wiring import uncollected
from projections.store.generations_sqlite import sqlite_engine
from projections.store.store import Store
from streams.following.follower import catch_up
from streams.journal.journal import Journal, JournalApplication
from streams.places.directory import JournalFile

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTS: Final = 100_000
ONE_BY_ONE: Final = 3000
PAIRS: Final = 3


@contextmanager
def new_store() -> Iterator[tuple[Path, Store]]:
    """An empty generation in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "balances.sqlite"
        store = Store(sqlite_engine(path))
        store.create()
        yield path, store
        store.engine.dispose()


def paged(journal: Journal) -> float:
    """Events a second of a catch-up from zero."""
    with new_store() as (_, store), uncollected():
        beginning = time.perf_counter()
        return catch_up(journal, store, REBUILD_PAGE) / (time.perf_counter() - beginning)


def one_by_one(path: Path, count: int, *, settings: bool = False) -> float:
    """Events a second of the library's pull loop, as it comes (synchronous=FULL) or ``relaxed`` to ours (NORMAL)."""
    application = JournalApplication(JournalFile(path).environment)
    with new_store() as (balances, store):
        datastore = SQLiteDatastore(str(balances))
        view = SqliteView(datastore)
        view.create_table()
        if settings:
            with datastore.get_connection(commit=True) as connection:
                connection._sqlite_conn.execute("PRAGMA synchronous=NORMAL")  # noqa: SLF001 - it has no setting for it
        rate = pulled(application, view, count)
        with store.engine.connect() as db:
            rows = db.exec_driver_sql("SELECT dinas, asn, service, month, measures FROM accounts").fetchall()
        check(rows, application, count)
        datastore.close()
    application.close()
    return rate


def run(size: Size) -> list[Figure]:
    """The ratios of this measurement."""
    data, count = data_directory(size.facts(FACTS)), size.facts(ONE_BY_ONE)
    journal, path, number = Journal.read_only(data.journal), data.journal.path, size.count(PAIRS)
    ratio = pairs(lambda: paged(journal), lambda: one_by_one(path, count), number)
    settings = pairs(lambda: paged(journal), lambda: one_by_one(path, count, settings=True), number)
    journal.close()
    note = "same tables; there a durable commit an event, as it comes"
    return [
        Figure("rebuild ÷ the library's loop", ratio, 10, note=note),
        shown("rebuild ÷ the library's loop at synchronous=NORMAL", settings, note="the durability of our balances"),
    ]
