"""The tables of one generation of balances, on SQLite and PostgreSQL alike."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()
_ID: Final = BigInteger().with_variant(Integer, "sqlite")

SOURCES: Final = Table(
    "sources", METADATA,
    Column("source", Text, primary_key=True),
    Column("journal", Text, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)  # fmt: skip
"""How far each source of entries is folded: the journal's id, the last position, and what identifies that entry."""

ACCOUNTS: Final = Table(
    "accounts", METADATA,
    Column("id", _ID, primary_key=True),
    Column("dinas", Text, nullable=False),
    Column("asn", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("month", Text, nullable=False),
    Column("measures", Text, nullable=False),
    Index("accounts_leaf", "dinas", "asn", "service", "month", unique=True),
    Index("accounts_month", "dinas", "month"),
    Index("accounts_asn", "asn", "month"),
)  # fmt: skip
"""A row per leaf account; ``measures`` is a JSON object of its non-zero integers, as in its digest line."""

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
    sqlite_where=CASE_FILES.c.open_asn.is_not(None),
    postgresql_where=CASE_FILES.c.open_asn.is_not(None),
)
"""What was said of each case; while it is open, ``open_asn`` (``""`` for nobody) and what it is counted by."""

RULES: Final = Table(
    "rules", METADATA,
    Column("position", BigInteger, primary_key=True),
    Column("line", LargeBinary, nullable=False),
)  # fmt: skip
"""The rule entries, as the journal holds them."""
