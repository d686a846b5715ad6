"""The one durable store of balances: folds segments into a generation, balances, index and position in one transaction.

At least once with the stored position is exactly-once in effect: what was folded is dropped, no gap is applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import Connection, Dialect, Engine, Table, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError

from domain.casefiles import CaseFile, CaseKey, changes_of, merged, open_file
from domain.entries import Rule
from domain.ledger import Balance, Ledger, amounts_of, zero
from domain.measures import INDEX, MEASURES
from domain.postings import Account, Posting, postings_of
from projections.segment import Gap, Moved, NotWritten, Segment, WrongJournal
from projections.tables import ACCOUNTS, CASE_FILES, DINAS_MONTHS, METADATA, RULES, SOURCES, WHY, Sought, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

PROJECTION_VERSION: Final = 1
"""Raised whenever a measure, a table or the meaning of either changes: balances of another version are folded anew."""
_PASSING: Final = (5, 13)
"""SQLITE_BUSY and SQLITE_FULL: what may pass by itself."""
_MEASURES: Final = msgspec.json.Decoder(dict[str, int])
_FILE: Final = msgspec.json.Decoder(CaseFile)
_ENCODER: Final = msgspec.json.Encoder()
_STORED: Final[Callable[..., msgspec.Struct]] = msgspec.defstruct(
    "_Stored", [(name, int, 0) for name in MEASURES], omit_defaults=True, gc=False
)
_CLOSED: Final = (None,) * 5


def balance_of(measures: str) -> Balance:
    """A stored vector. Raises: ``msgspec.ValidationError`` when it holds anything but integers."""
    balance = zero()
    for name, amount in _MEASURES.decode(measures).items():
        balance[INDEX[name]] = amount
    return balance


def measures_of(balance: Balance) -> str:
    """A vector as stored: its non-zero measures."""
    return _ENCODER.encode(_STORED(*balance)).decode()


class Store:
    """One generation of balances."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        dialect = engine.dialect
        leaf, files = ACCOUNTS.c, CASE_FILES.c
        self._accounts = Sought(list(leaf), (leaf.dinas, leaf.asn, leaf.service, leaf.month), dialect)
        self._months = Sought(list(DINAS_MONTHS.c), (DINAS_MONTHS.c.dinas, DINAS_MONTHS.c.month), dialect)
        case = (files.dinas, files.service, files.case)
        self._files = Sought((*case, files.state), case, dialect)
        add = update(ACCOUNTS).where(leaf.id == bindparam("row")).values(measures=bindparam("measures"))
        self._add = Written(add, ("row", "measures"), dialect)
        self._open = Written(insert(ACCOUNTS), [column.name for column in leaf], dialect)
        self._why = Written(insert(WHY), [column.name for column in WHY.c], dialect)
        self._put_month, self._put_file = _upsert(DINAS_MONTHS, dialect), _upsert(CASE_FILES, dialect)

    def create(self) -> None:
        """Make the tables that are missing."""
        METADATA.create_all(self.engine)

    def source(self, source: str) -> tuple[str, int, str] | None:
        """The journal, position and hash up to which a source is folded."""
        with self.engine.connect() as db:
            row = db.execute(
                select(SOURCES.c.journal, SOURCES.c.position, SOURCES.c.hash).where(SOURCES.c.source == source)
            ).first()
        return None if row is None else (row[0], row[1], row[2])

    def fold(self, segment: Segment) -> Moved:
        """Apply a segment's entries beyond the stored position, all or none.

        Raises: ``Gap`` when it starts beyond the stored position; ``WrongJournal`` when it is of another journal;
        ``NotWritten`` when that may pass.
        """
        try:
            return self._fold(segment)
        except OperationalError as error:
            if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _PASSING:
                raise NotWritten(str(error.orig)) from error
            raise

    def _fold(self, segment: Segment) -> Moved:
        with self.engine.begin() as db:
            stored = self._locked_position(db, segment)
            if segment.after > stored:
                message = f"{segment.source}: entries {stored + 1} to {segment.after} are missing"
                raise Gap(message)
            fresh = [entry for entry in segment.entries if entry[0] > stored]
            if segment.last <= stored:
                return Moved(stored)
            moved = self._apply(db, fresh, segment.last)
            db.execute(
                update(SOURCES)
                .where(SOURCES.c.source == segment.source)
                .values(position=segment.last, hash=segment.last_hash),
            )
        return moved

    def _locked_position(self, db: Connection, segment: Segment) -> int:
        row = db.execute(
            select(SOURCES.c.journal, SOURCES.c.position).where(SOURCES.c.source == segment.source).with_for_update()
        ).first()
        if row is None:
            first = {"source": segment.source, "journal": segment.journal, "position": 0, "hash": ""}
            db.execute(insert(SOURCES).values(**first))
            return 0
        if row[0] != segment.journal:
            message = f"the balances are of journal {row[0]}, the entries of journal {segment.journal}"
            raise WrongJournal(message)
        return int(row[1])

    def _apply(self, db: Connection, fresh: Sequence[tuple[int, bytes, Any]], last: int) -> Moved:
        ledger, touched = Ledger(), set[tuple[Account, int]]()
        files: dict[CaseKey, CaseFile] = {}
        rules: list[dict[str, object]] = []
        posted = [(position, posting) for position, _, entry in fresh for posting in postings_of(entry)]
        ledger.post(posting for _, posting in posted)
        touched.update((posting.account, position) for position, posting in posted)
        for position, line, entry in fresh:
            for key, change in changes_of(entry):
                files[key] = merged(files[key], change) if key in files else change
            if isinstance(entry, Rule):
                rules.append({"position": position, "line": line})
        ids = self._post(db, ledger)
        self._post_dinas(db, ledger)
        self._why.run(db, sorted((ids[account], position) for account, position in touched))
        self._file(db, files)
        if rules:
            db.execute(insert(RULES), rules)
        accounts = ledger.accounts
        return Moved(last, frozenset(a[0] for a in accounts) | frozenset(key[0] for key in files), bool(rules))

    def _post(self, db: Connection, delta: Ledger) -> dict[Account, int]:
        """Leaf accounts: read, add, write back; the sums are Python's, which do not overflow."""
        held: dict[Account, tuple[int, str]] = {
            (row[1], row[2], row[3], row[4]): (row[0], row[5])
            for row in self._accounts.rows(db, sorted(delta.accounts))
        }
        before = Ledger()
        before.accounts = {account: balance_of(measures) for account, (_, measures) in held.items()}
        self._add.run(db, [(held[account][0], text) for account, text in _sums(before, delta, held)])
        fresh = sorted(delta.accounts.keys() - held.keys())
        return {account: row for account, (row, _) in held.items()} | self._begin(db, fresh, delta)

    def _begin(self, db: Connection, fresh: list[Account], delta: Ledger) -> dict[Account, int]:
        """Accounts nobody posted to before; this fold alone adds rows, so their ids follow the last one."""
        if not fresh:
            return {}
        last = db.execute(select(ACCOUNTS.c.id).order_by(ACCOUNTS.c.id.desc()).limit(1)).scalar() or 0
        ids = {account: last + number for number, account in enumerate(fresh, 1)}
        self._open.run(db, [(row, *account, measures_of(delta.accounts[account])) for account, row in ids.items()])
        return ids

    def _post_dinas(self, db: Connection, delta: Ledger) -> None:
        sums, before = Ledger(), Ledger()
        sums.post(
            Posting((account[0], "", "", account[3]), amounts_of(balance))
            for account, balance in delta.accounts.items()
        )
        months = [(account[0], account[3]) for account in sorted(sums.accounts)]
        for row in self._months.rows(db, months):
            before.accounts[row[0], "", "", row[1]] = balance_of(row[2])
        wanted = [(dinas, "", "", month) for dinas, month in months]
        self._put_month.run(db, [(dinas, month, text) for (dinas, _, _, month), text in _sums(before, sums, wanted)])

    def _file(self, db: Connection, files: dict[CaseKey, CaseFile]) -> None:
        held = {(row[0], row[1], row[2]): _FILE.decode(row[3]) for row in self._files.rows(db, sorted(files))}
        self._put_file.run(db, [
            _file_row(key, merged(held[key], change) if key in held else change) for key, change in sorted(files.items())
        ])  # fmt: skip


def _sums(before: Ledger, delta: Ledger, wanted: Iterable[Account]) -> Iterator[tuple[Account, str]]:
    """What some accounts hold after a delta, as stored."""
    listed = list(wanted)
    before.post(Posting(account, amounts_of(delta.accounts[account])) for account in listed)
    return ((account, measures_of(before.accounts[account])) for account in listed)


def _file_row(key: CaseKey, file: CaseFile) -> tuple[Any, ...]:
    """A file as stored, in the order of the table's columns."""
    opened = open_file(key, file)
    return (*key, msgspec.json.encode(file), *(_CLOSED if opened is None else opened[3:]))


def _upsert(table: Table, dialect: Dialect) -> Written:
    statement = (sqlite_insert if dialect.name == "sqlite" else postgres_insert)(table)
    keys, names = [column.name for column in table.primary_key], [column.name for column in table.c]
    changed = {name: statement.excluded[name] for name in names if name not in keys}
    return Written(statement.on_conflict_do_update(index_elements=keys, set_=changed), names, dialect)
