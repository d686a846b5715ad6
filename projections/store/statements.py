"""The statements of a fold, on SQLite and on PostgreSQL, and which of their failures may pass."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from sqlalchemy import bindparam, insert, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from projections.store import rows_postgres as tables_postgres
from projections.store.schema import ACCOUNTS, CASE_FILES, DINAS_MONTHS, MOVED, WHY, Sought, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Dialect, Table

_PASSING: Final = (5, 13)
"""SQLITE_BUSY and SQLITE_FULL: what may pass by itself."""
_PASSING_STATES: Final = ("08", "25", "40", "53", "55", "57", "58")
"""PostgreSQL's classes of what may: connections, idle and undone transactions, resources, locks, operators, the system."""


class Rows(Protocol):
    """A statement that writes many rows."""

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of the statement's columns, in their order."""
        ...


class NewRows(Rows, Protocol):
    """One that adds rows, and may be at work while its caller goes on."""

    def running(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> AbstractContextManager[None]:
        """Rows are written by the end of the ``with``."""
        ...


class Keyed(Protocol):
    """A statement that reads rows by many keys."""

    def ask(self, db: Connection, keys: Sequence[tuple[Any, ...]]) -> Callable[[], Iterable[Any]]:
        """Send the question; what is returned gives the answer: the rows held, in no order."""
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
    moved: Rows | None
    together: Callable[[Connection], AbstractContextManager[None]]
    """Statements of which none has to wait for another's answer."""


_LEAF: Final = (ACCOUNTS.c.dinas, ACCOUNTS.c.asn, ACCOUNTS.c.service, ACCOUNTS.c.month)
_MONTH: Final = (DINAS_MONTHS.c.dinas, DINAS_MONTHS.c.month)
_CASE: Final = (CASE_FILES.c.dinas, CASE_FILES.c.service, CASE_FILES.c.case)


def on_sqlite(dialect: Dialect) -> Tools:
    """The statements on SQLite."""
    add = update(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("row")).values(measures=bindparam("measures"))
    return Tools(
        Sought(list(ACCOUNTS.c), _LEAF, dialect), Sought(list(DINAS_MONTHS.c), _MONTH, dialect),
        Sought((*_CASE, CASE_FILES.c.state), _CASE, dialect),
        Written(add, ("row", "measures"), dialect),
        Written(insert(ACCOUNTS), [column.name for column in ACCOUNTS.c], dialect),
        Written(insert(WHY), [column.name for column in WHY.c], dialect),
        _upsert(DINAS_MONTHS, dialect), Written(insert(CASE_FILES), [column.name for column in CASE_FILES.c], dialect),
        _upsert(CASE_FILES, dialect), None, lambda _: nullcontext(),
    )  # fmt: skip


def on_postgres() -> Tools:
    """The statements on PostgreSQL."""
    return Tools(
        tables_postgres.Joined(list(ACCOUNTS.c), _LEAF), tables_postgres.Joined(list(DINAS_MONTHS.c), _MONTH),
        tables_postgres.Joined((*_CASE, CASE_FILES.c.state), _CASE),
        tables_postgres.updating(ACCOUNTS.c.id, ACCOUNTS.c.measures), tables_postgres.Copied(ACCOUNTS),
        tables_postgres.Copied(WHY), tables_postgres.upserting(DINAS_MONTHS), tables_postgres.Copied(CASE_FILES),
        tables_postgres.upserting(CASE_FILES), tables_postgres.upserting(MOVED),
        tables_postgres.together,
    )  # fmt: skip


def passing(error: DBAPIError) -> bool:
    """Whether a failure may pass by itself: a full disk, a lock not had, a server that is away or going."""
    if (code := getattr(error.orig, "sqlite_errorcode", None)) is not None:
        return code & 0xFF in _PASSING
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state[:2] in _PASSING_STATES


def _upsert(table: Table, dialect: Dialect) -> Written:
    statement = sqlite_insert(table)
    keys, names = [column.name for column in table.primary_key], [column.name for column in table.c]
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return Written(statement.on_conflict_do_update(index_elements=keys, set_=changed), names, dialect)
