"""The library's documented pull loop: each event and its tracking in one transaction, into the tables of the balances.

It fills them by the same postings in plain SQL, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
from eventsourcing.persistence import Tracking, TrackingRecorder
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.sqlite import SQLiteTrackingRecorder

from domain.events.entries import AnyEntry, decode
from domain.fold.casefiles import EMPTY, CaseFile, Change, changes_of, merged, open_file
from domain.fold.ledger import Ledger
from domain.fold.postings import Posting, postings_of
from projections.store.schema import CASE_FILES
from projections.store.vectors import balance_of, measures_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from streams.journal.journal import JournalApplication

AT_ONCE: Final = 500
_COLUMNS: Final = [column.name for column in CASE_FILES.columns][3:]


class View(TrackingRecorder):
    """A materialised view as the library documents it."""

    schema: ClassVar[str]
    mark: ClassVar[str]

    def post(self, entry: AnyEntry, tracking: Tracking) -> None:
        """Apply one event."""
        with self.datastore.transaction(commit=True) as cursor:  # type: ignore[attr-defined]
            for posting in postings_of(entry):
                self._account(cursor, posting, tracking.notification_id)
                self._month(cursor, posting)
            for change in changes_of(entry):
                self._file(cursor, change)
            self._insert_tracking(cursor, tracking)  # type: ignore[attr-defined]

    def _run(self, cursor: Any, statement: str, *values: object) -> None:  # noqa: ANN401 - the library's cursor
        cursor.execute(statement.replace("@", self.schema).replace("?", self.mark), values)

    def _account(self, cursor: Any, posting: Posting, position: int) -> None:  # noqa: ANN401 - the library's cursor
        where = "dinas=? AND asn=? AND service=? AND month=?"
        self._run(cursor, f"SELECT id, measures FROM @accounts WHERE {where}", *posting.account)
        row = cursor.fetchone()
        text = _added(row, posting)
        if row is None:
            columns = "dinas, asn, service, month, measures"
            values = (*posting.account, text)
            self._run(cursor, f"INSERT INTO @accounts ({columns}) VALUES (?,?,?,?,?) RETURNING id", *values)
            row = cursor.fetchone()
        else:
            self._run(cursor, "UPDATE @accounts SET measures=? WHERE id=?", text, row["id"])
        self._run(cursor, "INSERT INTO @why VALUES (?,?)", row["id"], position)

    def _month(self, cursor: Any, posting: Posting) -> None:  # noqa: ANN401 - the library's cursor
        key = (posting.account[0], posting.account[3])
        self._run(cursor, "SELECT measures FROM @dinas_months WHERE dinas=? AND month=?", *key)
        text = _added(cursor.fetchone(), posting)
        put = "ON CONFLICT (dinas, month) DO UPDATE SET measures = excluded.measures"
        self._run(cursor, f"INSERT INTO @dinas_months VALUES (?,?,?) {put}", *key, text)

    def _file(self, cursor: Any, change: Change) -> None:  # noqa: ANN401 - the library's cursor
        key, additions = change
        self._run(cursor, 'SELECT state FROM @case_files WHERE dinas=? AND service=? AND "case"=?', *key)
        row = cursor.fetchone()
        file = merged(EMPTY if row is None else msgspec.json.decode(row["state"], type=CaseFile), additions)
        library_app = open_file(key, file)
        values = (*key, msgspec.json.encode(file), *((None,) * 5 if library_app is None else library_app[3:]))
        put = ", ".join(f"{column} = excluded.{column}" for column in _COLUMNS)
        conflict = f'ON CONFLICT (dinas, service, "case") DO UPDATE SET {put}'
        self._run(cursor, f"INSERT INTO @case_files VALUES (?,?,?,?,?,?,?,?,?) {conflict}", *values)


class SqliteView(View, SQLiteTrackingRecorder):
    """The view on SQLite."""

    schema = ""
    mark = "?"


class PostgresView(View, PostgresTrackingRecorder):
    """The view in the first generation of balances on PostgreSQL."""

    schema = "neraca_1."
    mark = "%s"


def _added(row: Any, posting: Posting) -> str:  # noqa: ANN401 - a row of either database
    """A stored vector, or none yet, after one posting."""
    ledger = Ledger()
    if row is not None:
        ledger.accounts[posting.account] = balance_of(row["measures"])
    ledger.post([posting])
    return measures_of(ledger.accounts[posting.account])


def pulled(application: JournalApplication, view: View, count: int) -> float:
    """Events a second of the loop over the first ``count`` events."""
    beginning, finish = time.perf_counter(), 0
    while finish < count:
        start = (view.max_tracking_id("neraca") or 0) + 1
        for notification in application.recorder.select_notifications(start, min(AT_ONCE, count - finish)):
            view.post(decode(notification.state), Tracking("neraca", notification.id))
            finish += 1
    return finish / (time.perf_counter() - beginning)


def check(rows: Iterable[Any], application: JournalApplication, count: int) -> None:
    """The accounts of the view are those of a plain fold of the same events. Raises: ``AssertionError``."""
    fold_s = Ledger()
    for notification in application.recorder.select_notifications(1, count):
        fold_s.post(postings_of(decode(notification.state)))
    assert {tuple(row[:4]): balance_of(row[4]) for row in rows} == fold_s.accounts
