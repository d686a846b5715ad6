"""rebuild: balances folded in pages, beside the library's documented loop that commits each event with its tracking.

Both fill the same tables by the same postings; the library's view writes plain SQL, which costs it less than ours costs us.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from eventsourcing.persistence import Tracking
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder

from benchmarks.measure import Figure, pairs, shown
from benchmarks.prepared import data_directory
from domain.events.entries import AnyEntry, decode
from domain.fold.casefiles import EMPTY, CaseFile, changes_of, merged, open_file
from domain.fold.ledger import Ledger
from domain.fold.postings import Posting, postings_of
from neraca.keep import REBUILD_PAGE
from neraca.wiring import uncollected
from projections.store.generations_sqlite import sqlite_engine
from projections.store.store import Store
from projections.store.vectors import balance_of, measures_of
from streams.following.follower import catch_up
from streams.journal.journal import Journal, JournalApplication
from streams.places.directory import JournalFile

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTS: Final = 100_000
ONE_BY_ONE: Final = 3000
PAIRS: Final = 3
ACCOUNT: Final = "WHERE dinas=? AND asn=? AND service=? AND month=?"
CASE: Final = 'WHERE dinas=? AND service=? AND "case"=?'


class BalancesView(SQLiteTrackingRecorder):
    """A materialised view as the library documents it: what an event changes and its tracking, in one transaction."""

    def post(self, entry: AnyEntry, tracking: Tracking) -> None:
        """Apply one event."""
        with self.datastore.transaction(commit=True) as cursor:
            for posting in postings_of(entry):
                self._account(cursor, posting, tracking.notification_id)
                self._dinas(cursor, posting)
            for key, change in changes_of(entry):
                cursor.execute(f"SELECT state FROM case_files {CASE}", key)
                row = cursor.fetchone()
                held = EMPTY if row is None else msgspec.json.decode(row[0], type=CaseFile)
                file = merged(held, change)
                opened = open_file(key, file)
                shown = (None,) * 5 if opened is None else opened[3:]
                cursor.execute(
                    "INSERT OR REPLACE INTO case_files VALUES (?,?,?,?,?,?,?,?,?)",
                    (*key, msgspec.json.encode(file), *shown),
                )
            self._insert_tracking(cursor, tracking)

    def _account(self, cursor: Any, posting: Posting, position: int) -> None:  # noqa: ANN401 - the library's cursor
        cursor.execute(f"SELECT id, measures FROM accounts {ACCOUNT}", posting.account)
        row = cursor.fetchone()
        text = added(None if row is None else row[1], posting)
        if row is None:
            cursor.execute(
                "INSERT INTO accounts (dinas, asn, service, month, measures) VALUES (?,?,?,?,?)",
                (*posting.account, text),
            )
            cursor.execute("SELECT last_insert_rowid()")
            account = cursor.fetchone()[0]
        else:
            account = row[0]
            cursor.execute("UPDATE accounts SET measures=? WHERE id=?", (text, account))
        cursor.execute("INSERT INTO why VALUES (?,?)", (account, position))

    def _dinas(self, cursor: Any, posting: Posting) -> None:  # noqa: ANN401 - the library's cursor
        key = (posting.account[0], posting.account[3])
        cursor.execute("SELECT measures FROM dinas_months WHERE dinas=? AND month=?", key)
        row = cursor.fetchone()
        text = added(None if row is None else row[0], posting)
        cursor.execute("INSERT OR REPLACE INTO dinas_months VALUES (?,?,?)", (*key, text))


def added(text: str | None, posting: Posting) -> str:
    """A stored vector, or none yet, after one posting."""
    ledger = Ledger()
    if text is not None:
        ledger.accounts[posting.account] = balance_of(text)
    ledger.post([posting])
    return measures_of(ledger.accounts[posting.account])


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
        begun = time.perf_counter()
        return catch_up(journal, store, REBUILD_PAGE) / (time.perf_counter() - begun)


def one_by_one(path: Path, count: int, *, relaxed: bool = False) -> float:
    """Events a second of the library's pull loop, as it comes (synchronous=FULL) or ``relaxed`` to ours (NORMAL)."""
    application = JournalApplication(JournalFile(path).environment)
    with new_store() as (balances, store):
        datastore = SQLiteDatastore(str(balances))
        view = BalancesView(datastore)
        view.create_table()
        if relaxed:
            with datastore.get_connection(commit=True) as connection:
                connection._sqlite_conn.execute("PRAGMA synchronous=NORMAL")  # noqa: SLF001 - it has no setting for it
        begun = time.perf_counter()
        done = 0
        while done < count:
            start = (view.max_tracking_id("neraca") or 0) + 1
            for notification in application.recorder.select_notifications(start, min(500, count - done)):
                view.post(decode(notification.state), Tracking("neraca", notification.id))
                done += 1
        took = time.perf_counter() - begun
        _same(store, application, done)
        datastore.close()
    application.close()
    return done / took


def _same(store: Store, application: JournalApplication, count: int) -> None:
    """The library's view holds what a plain fold of the same events holds."""
    folded = Ledger()
    for notification in application.recorder.select_notifications(1, count):
        folded.post(postings_of(decode(notification.state)))
    with store.engine.connect() as db:
        rows = db.exec_driver_sql("SELECT dinas, asn, service, month, measures FROM accounts").fetchall()
    held = {tuple(row[:4]): balance_of(row[4]) for row in rows}
    assert held == folded.accounts


def run() -> list[Figure]:
    """The ratio of this measurement."""
    data = data_directory(FACTS)
    journal = Journal.read_only(data.journal)
    ratio = pairs(lambda: paged(journal), lambda: one_by_one(data.journal.path, ONE_BY_ONE), PAIRS)
    relaxed = pairs(lambda: paged(journal), lambda: one_by_one(data.journal.path, ONE_BY_ONE, relaxed=True), PAIRS)
    journal.close()
    return [
        Figure(
            "rebuild ÷ the library's loop", ratio, 10, note="same tables; there a durable commit an event, as it comes"
        ),
        shown("rebuild ÷ the library's loop at synchronous=NORMAL", relaxed, note="the durability of our balances"),
    ]
