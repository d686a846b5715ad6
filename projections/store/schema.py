"""The tables of one generation of balances, on SQLite and PostgreSQL alike, and statements on them for many rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    select,
)
from sqlalchemy.sql.dml import UpdateBase

METADATA: Final = MetaData()
_ID: Final = BigInteger().with_variant(Integer, "sqlite")

SOURCES: Final = Table(
    "sources", METADATA,
    Column("source", Text, primary_key=True),
    Column("journal", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("read_next", BigInteger, nullable=False, server_default="0"),
    Column("recorded", Text, nullable=False, server_default=""),
    Column("stopped", Text),
)  # fmt: skip
"""How far each source of entries is folded: the journal's id, the last position, what identifies that entry.

Of a partition also the first record of its topic not yet applied, when its newest entry was recorded, and why it stands.
"""

ACCOUNTS: Final = Table(
    "accounts", METADATA,
    Column("id", _ID, primary_key=True),
    Column("dinas", Text, nullable=False),
    Column("asn", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Index("accounts_leaf", "dinas", "month", "asn", "service", unique=True),
    Index("accounts_asn", "asn", "month"),
    postgresql_with={"fillfactor": 60},
)  # fmt: skip
"""A row per leaf account; ``measures`` is a JSON object of its non-zero integers, as in its digest line.

The leaf's index also finds the leaves of a dinas in a month. On PostgreSQL a row that grows finds room on its page: written
elsewhere it would be entered anew into each index.
"""

DINAS_MONTHS: Final = Table(
    "dinas_months", METADATA,
    Column("dinas", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("measures", Text, nullable=False),
    sqlite_with_rowid=False,
)  # fmt: skip
"""The sums of a dinas's leaves by month, moved in the same transaction by the same postings."""

WHY: Final = Table(
    "why", METADATA,
    Column("account", BigInteger, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)  # fmt: skip
"""Which entries moved an account."""

CASE_FILES: Final = Table(
    "case_files", METADATA,
    Column("dinas", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("case", Text, primary_key=True),
    Column("state", LargeBinary, nullable=False),
    Column("open_asn", Text),
    Column("received_us", BigInteger),
    Column("due_us", BigInteger),
    Column("kind", Text),
    Column("paused_us", BigInteger),
    sqlite_with_rowid=False,
)  # fmt: skip
Index(
    "case_files_open",
    CASE_FILES.c.dinas,
    CASE_FILES.c.open_asn,
    CASE_FILES.c.due_us,
    CASE_FILES.c.kind,
    CASE_FILES.c.paused_us,
    sqlite_where=CASE_FILES.c.open_asn.is_not(None),
    postgresql_where=CASE_FILES.c.open_asn.is_not(None),
)
"""What was said of each case; while it is open, ``open_asn`` (``""`` for nobody) and what it is counted by."""

MOVED: Final = Table(
    "moved", METADATA,
    Column("dinas", Text, primary_key=True),
    Column("position", BigInteger, nullable=False, index=True),
)  # fmt: skip
"""How far its source was folded when a dinas last moved; kept on PostgreSQL, for readers in other processes."""

RULES: Final = Table(
    "rules", METADATA,
    Column("position", BigInteger, primary_key=True),
    Column("line", LargeBinary, nullable=False),
)  # fmt: skip
"""The rule entries, as the journal holds them."""


class Written:
    """A statement compiled once: rows go to the driver as they are, in a third of the time each costs on the long way."""

    def __init__(self, statement: UpdateBase, names: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        self._sql = str(compiled)
        self._order = [names.index(name) for name in compiled.positiontup or ()]
        self._as_named = self._order == list(range(len(names)))

    def run(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of the statement's names, in their order."""
        if rows:
            ordered = list(rows) if self._as_named else [tuple(row[at] for at in self._order) for row in rows]
            db.exec_driver_sql(self._sql, ordered)

    @contextmanager
    def running(self, db: Connection, rows: Sequence[tuple[Any, ...]]) -> Iterator[None]:
        """The same, before its caller goes on."""
        self.run(db, rows)
        yield


class Sought:
    """Rows of a table by many keys at once.

    A join from the keys: SQLite answers ``(a, b) IN (VALUES …)`` by reading the whole table.
    """

    AT_ONCE: Final = 200

    def __init__(self, columns: Sequence[Column[Any]], key: Sequence[Column[Any]], dialect: Dialect) -> None:
        named = [dialect.identifier_preparer.format_column(column, use_table=True) for column in key]
        chosen, _, table = str(select(*columns).compile(dialect=dialect)).rpartition("FROM")
        self._head = f"WITH sought ({', '.join(f'k{at}' for at in range(len(key)))}) AS (VALUES "
        where = " AND ".join(f"{name} = sought.k{at}" for at, name in enumerate(named))
        self._tail = f") {chosen}FROM sought CROSS JOIN{table} WHERE {where}"
        self._key = f"({', '.join('?' * len(key))})"

    def ask(self, db: Connection, keys: Sequence[tuple[Any, ...]]) -> Callable[[], Iterable[Any]]:
        """What is returned gives the answer: the rows held, in no order."""
        return lambda: self._rows(db, keys)

    def _rows(self, db: Connection, keys: Sequence[tuple[Any, ...]]) -> Iterator[Any]:
        for start in range(0, len(keys), self.AT_ONCE):
            chunk = keys[start : start + self.AT_ONCE]
            sql = f"{self._head}{', '.join([self._key] * len(chunk))}{self._tail}"
            yield from db.exec_driver_sql(sql, tuple(chain.from_iterable(chunk)))
