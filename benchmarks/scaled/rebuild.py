"""rebuild: balances in PostgreSQL folded in pages, beside the library's loop that commits each event with its tracking there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import psycopg
from eventsourcing.postgres import PostgresDatastore

from benchmarks.harness import ZONE, Figure, pairs, shown
from benchmarks.library_loop import PostgresView, check, pulled
from benchmarks.scaled.ground import JOURNAL
from neraca.keep import REBUILD_PAGE
from neraca.wiring import now_us, uncollected
from streams.following.follower import catch_up
from streams.journal.journal import Journal, JournalApplication
from streams.places.database import Database

if TYPE_CHECKING:
    from benchmarks.scaled.ground import Ground

ONE_BY_ONE: Final = 3000
PAIRS: Final = 3


def paged(ground: Ground) -> float:
    """Events a second of a catch-up from zero into a new generation."""
    with ground.database(JOURNAL) as url:
        database = Database(url)
        journal = Journal.open(database.journal, ZONE, now_us())
        generations = database.generations()
        _, store = generations.begin()
        with uncollected():
            beginning = time.perf_counter()
            pace = catch_up(journal, store, REBUILD_PAGE) / (time.perf_counter() - beginning)
        store.engine.dispose()
        generations.close()
        journal.close()
    return pace


def one_by_one(ground: Ground, *, settings: bool = False) -> float:
    """Events a second of the library's pull loop, each commit durable, or ``relaxed`` to `synchronous_commit=off`."""
    count = ground.size.facts(ONE_BY_ONE)
    with ground.database(JOURNAL) as url:
        database = Database(url)
        generations = database.generations()
        generations.begin()[1].engine.dispose()
        generations.close()
        if settings:
            with psycopg.connect(url, autocommit=True) as db:
                db.execute(f"ALTER DATABASE {db.info.dbname} SET synchronous_commit = off".encode())
        application = JournalApplication(database.environment)
        host, port = ground.postgres.url.rpartition("@")[2].partition("/")[0].split(":")
        datastore = PostgresDatastore(url.rpartition("/")[2], host, port, "neraca", "")
        view = PostgresView(datastore)
        view.create_table()
        rate = pulled(application, view, count)
        with psycopg.connect(url) as db:
            rows = db.execute("SELECT dinas, asn, service, month, measures FROM neraca_1.accounts").fetchall()
        check(rows, application, count)
        datastore.close()
        application.close()
    return rate


def run(ground: Ground) -> list[Figure]:
    """The ratios of this measurement."""
    number = ground.size.count(PAIRS)
    ratio = pairs(lambda: paged(ground), lambda: one_by_one(ground), number)
    settings = pairs(lambda: paged(ground), lambda: one_by_one(ground, settings=True), number)
    note = "same tables; there a durable commit an event, as it comes"
    return [
        Figure("rebuild ÷ the library's loop", ratio, 10, note=note),
        shown("rebuild ÷ the library's loop at synchronous_commit=off", settings, note="balances may be that soft"),
    ]
