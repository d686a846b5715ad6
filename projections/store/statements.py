"""The statements of a fold, on SQLite and on PostgreSQL, and which of their failures are transient."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from projections.store import rows_postgres, rows_sqlite
from projections.store.schema import ACCOUNTS, BLOCKS, CASE_FILES, DINAS_MONTHS, RATINGS, WHY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Dialect, Table

_TRANSIENT: Final = (5, 13)
"""SQLITE_BUSY and SQLITE_FULL: failures that may end by themselves."""
_TRANSIENT_STATES: Final = ("08", "25", "40", "53", "55", "57", "58")
"""PostgreSQL's classes of transient failures: connections, idle and undone transactions, resources, locks, the system."""


class Rows(Protocol):
    """A statement that writes many rows."""

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of the statement's columns, in their order."""
        ...


class NewRows(Rows, Protocol):
    """A statement that adds rows, and may still run while its caller goes on."""

    def running(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> AbstractContextManager[None]:
        """Start writing rows; they are written by the end of the ``with``."""
        ...


class Keyed(Protocol):
    """A statement that reads rows by many keys."""

    def ask(self, db: Connection, keys: Sequence[tuple[Any, ...]]) -> Callable[[], Iterable[Any]]:
        """Start the query; call the result to fetch the rows, in any order."""
        ...


class Tools(NamedTuple):
    """The statements of a fold on one kind of database."""

    accounts: Keyed
    months: Keyed
    files: Keyed
    add: Rows
    open: NewRows
    why: NewRows
    put_month: Rows
    open_file: NewRows
    put_file: Rows
    ratings: Keyed
    blocks: Keyed
    put_ratings: Rows
    put_blocks: Rows
    moved: Rows | None
    pipelined: Callable[[Connection], AbstractContextManager[None]]
    """A context within which no statement waits for the result of another."""


_LEAF: Final = (ACCOUNTS.c.dinas, ACCOUNTS.c.asn, ACCOUNTS.c.service, ACCOUNTS.c.month)
_MONTH: Final = (DINAS_MONTHS.c.dinas, DINAS_MONTHS.c.month)
_RATINGS: Final = (RATINGS.c.dinas, RATINGS.c.month)
_BLOCKS: Final = (BLOCKS.c.dinas, BLOCKS.c.month)
_CASE: Final = (CASE_FILES.c.dinas, CASE_FILES.c.service, CASE_FILES.c.case)


MOVE: Final = (
    "INSERT INTO moved AS held (dinas, position, facts) SELECT * FROM unnest(%s::text[], %s::bigint[], %s::bigint[]) "
    "ON CONFLICT (dinas) DO UPDATE SET position = excluded.position, facts = greatest(held.facts, excluded.facts)"
)
"""Enters the positions at which dinas moved; those that ratings alone moved have 0 for their facts."""


def on_sqlite(dialect: Dialect) -> Tools:
    """The statements on SQLite."""
    add = update(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("row")).values(measures=bindparam("measures"))

    def inserting(table: Table) -> rows_sqlite.BulkWrite:
        return rows_sqlite.BulkWrite(insert(table), [column.name for column in table.c], dialect)

    return Tools(
        accounts=rows_sqlite.BulkSelect(list(ACCOUNTS.c), _LEAF, dialect),
        months=rows_sqlite.BulkSelect(list(DINAS_MONTHS.c), _MONTH, dialect),
        files=rows_sqlite.BulkSelect((*_CASE, CASE_FILES.c.state), _CASE, dialect),
        add=rows_sqlite.BulkWrite(add, ("row", "measures"), dialect),
        open=inserting(ACCOUNTS),
        why=inserting(WHY),
        put_month=rows_sqlite.upserting(DINAS_MONTHS, dialect),
        open_file=inserting(CASE_FILES),
        put_file=rows_sqlite.upserting(CASE_FILES, dialect),
        ratings=rows_sqlite.BulkSelect((*_RATINGS, RATINGS.c.measures, RATINGS.c.state), _RATINGS, dialect),
        blocks=rows_sqlite.BulkSelect((*_BLOCKS, BLOCKS.c.block), _BLOCKS, dialect),
        put_ratings=rows_sqlite.upserting(RATINGS, dialect),
        put_blocks=rows_sqlite.upserting(BLOCKS, dialect),
        moved=None,
        pipelined=lambda _: nullcontext(),
    )


def on_postgres() -> Tools:
    """The statements on PostgreSQL."""
    return Tools(
        accounts=rows_postgres.ArraySelect(list(ACCOUNTS.c), _LEAF),
        months=rows_postgres.ArraySelect(list(DINAS_MONTHS.c), _MONTH),
        files=rows_postgres.ArraySelect((*_CASE, CASE_FILES.c.state), _CASE),
        add=rows_postgres.updating(ACCOUNTS.c.id, ACCOUNTS.c.measures),
        open=rows_postgres.CopyIn(ACCOUNTS),
        why=rows_postgres.CopyIn(WHY),
        put_month=rows_postgres.upserting(DINAS_MONTHS),
        open_file=rows_postgres.CopyIn(CASE_FILES),
        put_file=rows_postgres.upserting(CASE_FILES),
        ratings=rows_postgres.ArraySelect((*_RATINGS, RATINGS.c.measures, RATINGS.c.state), _RATINGS),
        blocks=rows_postgres.ArraySelect((*_BLOCKS, BLOCKS.c.block), _BLOCKS),
        put_ratings=rows_postgres.upserting(RATINGS),
        put_blocks=rows_postgres.upserting(BLOCKS),
        moved=rows_postgres.ArrayWrite(MOVE),
        pipelined=rows_postgres.pipelined,
    )


def is_transient(error: DBAPIError) -> bool:
    """True if a failure is transient: a full disk, a lock that was not granted, a server that is away or stopping."""
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _TRANSIENT
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state[:2] in _TRANSIENT_STATES
