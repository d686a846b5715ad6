"""The tables of one generation of balances, on SQLite and PostgreSQL alike."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()
ID: Final = BigInteger().with_variant(Integer, "sqlite")

SOURCES: Final = Table(
    "sources",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("journal", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("read_next", BigInteger, nullable=False, server_default="0"),
    Column("recorded", Text, nullable=False, server_default=""),
    Column("stopped", Text),
)
"""The progress of each source of entries: the journal's id, the last folded position, and the entry's hash.

A partition's row also holds the first record of its topic that is not applied yet, the time when its newest entry was
recorded, and the reason if it has stopped.
"""

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("dinas", Text, nullable=False),
    Column("asn", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Index("accounts_leaf", "dinas", "month", "asn", "service", unique=True),
    Index("accounts_asn", "asn", "month"),
    postgresql_with={"fillfactor": 60},
)
"""A row per leaf account; ``measures`` is a JSON object of its non-zero integers, as in its digest line.

The leaf's index also finds the leaves of a dinas in a month. On PostgreSQL a row that grows finds room on its page: moved to
another, it would be entered anew into each index.
"""

DINAS_MONTHS: Final = Table(
    "dinas_months",
    METADATA,
    Column("dinas", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("measures", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The sums of a dinas's leaves by month, updated in the same transaction by the same postings."""

WHY: Final = Table(
    "why",
    METADATA,
    Column("account", BigInteger, primary_key=True),
    Column("position", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)
"""The entries that moved each account."""

CASE_FILES: Final = Table(
    "case_files",
    METADATA,
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
)
"""All that was recorded about each case. While it is open, ``open_asn`` names its ASN (``""`` for nobody).

By the columns after it open files are counted and listed; they are null in a file that is not open.
"""
_IS_OPEN: Final = CASE_FILES.c.open_asn.is_not(None)
Index(
    "case_files_open",
    CASE_FILES.c.dinas,
    CASE_FILES.c.open_asn,
    CASE_FILES.c.due_us,
    CASE_FILES.c.kind,
    CASE_FILES.c.paused_us,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)
OPEN_BY_ASN: Final = Index(
    "case_files_open_asn",
    CASE_FILES.c.open_asn,
    CASE_FILES.c.due_us,
    CASE_FILES.c.kind,
    CASE_FILES.c.paused_us,
    sqlite_where=_IS_OPEN,
    postgresql_where=_IS_OPEN,
)
"""Finds the open files of one ASN. Generations of this version that lack it get it when they are opened."""

MOVED: Final = Table(
    "moved",
    METADATA,
    Column("dinas", Text, primary_key=True),
    Column("position", BigInteger, nullable=False, index=True),
    Column("facts", BigInteger, nullable=False),
)
"""The position of its source when a dinas last moved; kept on PostgreSQL, for readers in other processes.

``facts``: the same without the ratings; 0 if nothing else moved it.
"""

RATINGS: Final = Table(
    "ratings",
    METADATA,
    Column("dinas", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("measures", Text, nullable=False),
    Column("ratings", BigInteger, nullable=False),
    Column("reversals", BigInteger, nullable=False),
    Column("day", Text, nullable=False),
    Column("ratings_then", BigInteger, nullable=False),
    Column("reversals_then", BigInteger, nullable=False),
    Column("closed", BigInteger, nullable=False),
    Column("changes", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""The ratings of a dinas's month: ``measures`` are those of its published blocks, ``state`` holds what waits.

``ratings`` and ``reversals`` count what waits, and, with ``_then``, what waited when the local ``day`` of the newest
change began.
"""

BLOCKS: Final = Table(
    "blocks",
    METADATA,
    Column("dinas", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("service", Text, primary_key=True),
    Column("tap", BigInteger, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("block", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""A row for each block that was published; its ``block`` is empty once it was taken out."""

RULES: Final = Table(
    "rules",
    METADATA,
    Column("position", BigInteger, primary_key=True),
    Column("line", LargeBinary, nullable=False),
)
"""The rule entries, as the journal holds them."""
