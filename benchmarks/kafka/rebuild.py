"""rebuild: balances in PostgreSQL folded in pages, beside the library's loop that commits each event with its tracking there.

Both fill the same tables by the same postings; the library's view writes plain SQL.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
import psycopg
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresDatastore, PostgresTrackingRecorder

from benchmarks.kafka.ground import JOURNAL
from benchmarks.measure import Figure, pairs, shown
from benchmarks.prepared import ZONE
from benchmarks.rebuild import added
from domain.events.entries import AnyEntry, decode
from domain.fold.casefiles import EMPTY, CaseFile, changes_of, merged, open_file
from domain.fold.ledger import Ledger
from domain.fold.postings import Posting, postings_of
from neraca.keep import REBUILD_PAGE
from neraca.wiring import now_us, uncollected
from projections.store.vectors import balance_of
from streams.following.follower import catch_up
from streams.journal.journal import Journal, JournalApplication
from streams.places.database import Database

if TYPE_CHECKING:
    from benchmarks.kafka.ground import Ground

ONE_BY_ONE: Final = 3000
PAIRS: Final = 3
SCHEMA: Final = "neraca_1"
ACCOUNT: Final = "WHERE dinas=%s AND asn=%s AND service=%s AND month=%s"
CASE: Final = 'WHERE dinas=%s AND service=%s AND "case"=%s'


class BalancesView(PostgresTrackingRecorder):
    """A materialised view as the library documents it: what an event changes and its tracking, in one transaction."""

    def post(self, entry: AnyEntry, tracking: Tracking) -> None:
        """Apply one event."""
        with self.datastore.transaction(commit=True) as cursor:
            for posting in postings_of(entry):
                self._account(cursor, posting, tracking.notification_id)
                self._dinas(cursor, posting)
            for key, change in changes_of(entry):
                cursor.execute(f"SELECT state FROM {SCHEMA}.case_files {CASE}", key)
                row = cursor.fetchone()
                held = EMPTY if row is None else msgspec.json.decode(row["state"], type=CaseFile)
                file = merged(held, change)
                opened = open_file(key, file)
                values = (*key, msgspec.json.encode(file), *((None,) * 5 if opened is None else opened[3:]))
                cursor.execute(f"DELETE FROM {SCHEMA}.case_files {CASE}", key)
                cursor.execute(f"INSERT INTO {SCHEMA}.case_files VALUES (%s,%s,%s,%s,%s,%s,%s,%s,%s)", values)
            self._insert_tracking(cursor, tracking)

    def _account(self, cursor: Any, posting: Posting, position: int) -> None:  # noqa: ANN401 - the library's cursor
        cursor.execute(f"SELECT id, measures FROM {SCHEMA}.accounts {ACCOUNT}", posting.account)
        row = cursor.fetchone()
        text = added(None if row is None else row["measures"], posting)
        if row is None:
            cursor.execute(
                f"INSERT INTO {SCHEMA}.accounts (dinas, asn, service, month, measures) VALUES (%s,%s,%s,%s,%s) RETURNING id",
                (*posting.account, text),
            )
            account = cursor.fetchone()["id"]
        else:
            account = row["id"]
            cursor.execute(f"UPDATE {SCHEMA}.accounts SET measures=%s WHERE id=%s", (text, account))
        cursor.execute(f"INSERT INTO {SCHEMA}.why VALUES (%s,%s)", (account, position))

    def _dinas(self, cursor: Any, posting: Posting) -> None:  # noqa: ANN401 - the library's cursor
        key = (posting.account[0], posting.account[3])
        cursor.execute(f"SELECT measures FROM {SCHEMA}.dinas_months WHERE dinas=%s AND month=%s", key)
        row = cursor.fetchone()
        text = added(None if row is None else row["measures"], posting)
        cursor.execute(
            f"INSERT INTO {SCHEMA}.dinas_months VALUES (%s,%s,%s) "
            "ON CONFLICT (dinas, month) DO UPDATE SET measures = excluded.measures",
            (*key, text),
        )


def paged(ground: Ground) -> float:
    """Events a second of a catch-up from zero into a new generation."""
    with ground.database(JOURNAL) as url:
        database = Database(url)
        journal = Journal.open(database.journal, ZONE, now_us())
        generations = database.generations()
        _, store = generations.begin()
        with uncollected():
            begun = time.perf_counter()
            pace = catch_up(journal, store, REBUILD_PAGE) / (time.perf_counter() - begun)
        store.engine.dispose()
        generations.close()
        journal.close()
    return pace


def one_by_one(ground: Ground, *, relaxed: bool = False) -> float:
    """Events a second of the library's pull loop, each commit durable, or ``relaxed`` to `synchronous_commit=off`."""
    with ground.database(JOURNAL) as url:
        database = Database(url)
        generations = database.generations()
        generations.begin()[1].engine.dispose()
        generations.close()
        if relaxed:
            with psycopg.connect(url, autocommit=True) as db:
                db.execute(f"ALTER DATABASE {db.info.dbname} SET synchronous_commit = off".encode())
        application = JournalApplication(database.environment)
        host, port = ground.postgres.url.rpartition("@")[2].partition("/")[0].split(":")
        datastore = PostgresDatastore(url.rpartition("/")[2], host, port, "neraca", "")
        view = BalancesView(datastore)
        view.create_table()
        begun, done = time.perf_counter(), 0
        while done < ONE_BY_ONE:
            start = (view.max_tracking_id("neraca") or 0) + 1
            for notification in application.recorder.select_notifications(start, min(500, ONE_BY_ONE - done)):
                view.post(decode(notification.state), Tracking("neraca", notification.id))
                done += 1
        took = time.perf_counter() - begun
        _same(url, application)
        datastore.close()
        application.close()
    return done / took


def _same(url: str, application: JournalApplication) -> None:
    """The library's view holds what a plain fold of the same events holds."""
    folded = Ledger()
    for notification in application.recorder.select_notifications(1, ONE_BY_ONE):
        folded.post(postings_of(decode(notification.state)))
    with psycopg.connect(url) as db:
        rows = db.execute(f"SELECT dinas, asn, service, month, measures FROM {SCHEMA}.accounts").fetchall()
    assert {tuple(row[:4]): balance_of(row[4]) for row in rows} == folded.accounts


def run(ground: Ground) -> list[Figure]:
    """The ratios of this measurement."""
    ratio = pairs(lambda: paged(ground), lambda: one_by_one(ground), PAIRS)
    relaxed = pairs(lambda: paged(ground), lambda: one_by_one(ground, relaxed=True), PAIRS)
    return [
        Figure(
            "rebuild ÷ the library's loop", ratio, 10, note="same tables; there a durable commit an event, as it comes"
        ),
        shown("rebuild ÷ the library's loop at synchronous_commit=off", relaxed, note="balances may be that soft"),
    ]
