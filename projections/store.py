"""The one durable store of balances: folds segments into a generation, balances, index and position in one transaction.

At-least-once delivery plus the stored position is exactly-once in effect: what was folded is dropped, no gap is applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, bindparam, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from domain.casefiles import EMPTY, CaseFile, CaseKey, changes_of, merged, open_file
from domain.entries import Rule
from domain.ledger import Balance, Ledger, zero
from domain.measures import INDEX, MEASURES
from domain.postings import Account, Posting, postings_of
from projections.segment import Gap, Moved, Segment, WrongJournal
from projections.tables import ACCOUNTS, CASE_FILES, DINAS_MONTHS, METADATA, RULES, SOURCES, WHY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

PROJECTION_VERSION: Final = 1
"""Raised whenever a measure, a table or the meaning of either changes: balances of another version are folded anew."""
_CHUNK: Final = 200
_T = TypeVar("_T")

_MEASURES: Final = msgspec.json.Decoder(dict[str, int])
_FILE: Final = msgspec.json.Decoder(CaseFile)


def balance_of(measures: str) -> Balance:
    """A stored vector. Raises: ``msgspec.ValidationError`` when it holds anything but integers."""
    balance = zero()
    for name, amount in _MEASURES.decode(measures).items():
        balance[INDEX[name]] = amount
    return balance


def measures_of(balance: Balance) -> str:
    """A vector as stored: its non-zero measures."""
    return msgspec.json.encode({MEASURES[index]: amount for index, amount in enumerate(balance) if amount}).decode()


class Store:
    """One generation of balances."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._insert = sqlite_insert if engine.dialect.name == "sqlite" else postgres_insert

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

        Raises: ``Gap`` when it starts beyond the stored position; ``WrongJournal`` when it is of another journal.
        """
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
        ledger, touched = Ledger(), list[tuple[Account, int]]()
        files: dict[CaseKey, CaseFile] = {}
        rules: list[dict[str, object]] = []
        for position, line, entry in fresh:
            postings = postings_of(entry)
            ledger.post(postings)
            touched += [(posting.account, position) for posting in postings]
            for key, change in changes_of(entry):
                files[key] = merged(files.get(key, EMPTY), change)
            if isinstance(entry, Rule):
                rules.append({"position": position, "line": line})
        ids = self._post(db, ledger)
        self._post_dinas(db, ledger)
        self._index(db, ids, touched)
        self._file(db, files)
        if rules:
            db.execute(insert(RULES), rules)
        accounts = ledger.accounts
        return Moved(
            last, frozenset(a[0] for a in accounts) | frozenset(key[0] for key in files),
            frozenset(a[1] for a in accounts if a[1]), bool(rules),
        )  # fmt: skip

    def _post(self, db: Connection, delta: Ledger) -> dict[Account, int]:
        """Leaf accounts: read, add, write back; the sums are Python's, which do not overflow."""
        leaf = tuple_(ACCOUNTS.c.dinas, ACCOUNTS.c.asn, ACCOUNTS.c.service, ACCOUNTS.c.month)
        held: dict[Account, tuple[int, str]] = {}
        for chunk in _chunks(sorted(delta.accounts)):
            for row in db.execute(select(ACCOUNTS).where(leaf.in_(chunk))):
                held[row[1], row[2], row[3], row[4]] = (row[0], row[5])
        before = Ledger()
        before.accounts = {account: balance_of(measures) for account, (_, measures) in held.items()}
        known = [{"row": held[account][0], "measures": text} for account, text in _sums(before, delta, held)]
        if known:
            statement = update(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("row")).values(measures=bindparam("measures"))
            db.execute(statement, known)
        fresh = [account for account in delta.accounts if account not in held]
        return {account: row for account, (row, _) in held.items()} | self._open(db, fresh, delta)

    def _open(self, db: Connection, fresh: list[Account], delta: Ledger) -> dict[Account, int]:
        """Accounts nobody posted to before; this fold alone adds rows, so their ids follow the last one."""
        if not fresh:
            return {}
        last = db.execute(select(ACCOUNTS.c.id).order_by(ACCOUNTS.c.id.desc()).limit(1)).scalar() or 0
        ids = {account: last + number for number, account in enumerate(fresh, 1)}
        db.execute(insert(ACCOUNTS), [
            {
                "id": row, "dinas": a[0], "asn": a[1], "service": a[2], "month": a[3],
                "measures": measures_of(delta.accounts[a]),
            }  # fmt: skip  # noqa: RUF028
            for a, row in ids.items()
        ])  # fmt: skip  # noqa: RUF028
        return ids

    def _post_dinas(self, db: Connection, delta: Ledger) -> None:
        sums = Ledger()
        sums.post(
            Posting((account[0], "", "", account[3]), tuple(enumerate(balance)))
            for account, balance in delta.accounts.items()
        )
        key = tuple_(DINAS_MONTHS.c.dinas, DINAS_MONTHS.c.month)
        for chunk in _chunks(sorted({(account[0], account[3]) for account in sums.accounts})):
            before = Ledger()
            for row in db.execute(select(DINAS_MONTHS).where(key.in_(chunk))):
                before.accounts[row[0], "", "", row[1]] = balance_of(row[2])
            rows = [
                {"dinas": dinas, "month": month, "measures": text}
                for (dinas, _, _, month), text in _sums(before, sums, [(d, "", "", m) for d, m in chunk])
            ]
            self._upsert(db, DINAS_MONTHS, rows)

    def _index(self, db: Connection, ids: dict[Account, int], touched: list[tuple[Account, int]]) -> None:
        rows = {(ids[account], position) for account, position in touched}
        if rows:
            db.execute(insert(WHY), [{"account": account, "position": position} for account, position in sorted(rows)])

    def _file(self, db: Connection, files: dict[CaseKey, CaseFile]) -> None:
        key = tuple_(CASE_FILES.c.dinas, CASE_FILES.c.service, CASE_FILES.c.case)
        held: dict[CaseKey, CaseFile] = {}
        for chunk in _chunks(sorted(files)):
            rows = db.execute(
                select(CASE_FILES.c.dinas, CASE_FILES.c.service, CASE_FILES.c.case, CASE_FILES.c.state).where(
                    key.in_(chunk)
                )
            )
            held.update(((row[0], row[1], row[2]), _FILE.decode(row[3])) for row in rows)
        if files:
            self._upsert(
                db, CASE_FILES, [_file_row(k, merged(held.get(k, EMPTY), change)) for k, change in files.items()]
            )

    def _upsert(self, db: Connection, table: Any, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401 - a table
        statement = self._insert(table)
        keys = [column.name for column in table.primary_key]
        changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        db.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def _sums(before: Ledger, delta: Ledger, wanted: Iterable[Account]) -> Iterator[tuple[Account, str]]:
    """What some accounts hold after a delta, as stored."""
    listed = list(wanted)
    before.post(Posting(account, tuple(enumerate(delta.accounts[account]))) for account in listed)
    return ((account, measures_of(before.accounts[account])) for account in listed)


def _file_row(key: CaseKey, file: CaseFile) -> dict[str, Any]:
    opened = open_file(key, file)
    row: dict[str, Any] = {"dinas": key[0], "service": key[1], "case": key[2], "state": msgspec.json.encode(file)}
    if opened is None:
        return row | dict.fromkeys(("open_asn", "received_us", "due_us", "kind", "paused_us"))
    return row | {
        "open_asn": opened.asn, "received_us": opened.received_us, "due_us": opened.due_us, "kind": opened.kind,
        "paused_us": opened.paused_us,
    }  # fmt: skip


def _chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
