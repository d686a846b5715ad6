"""The one durable store of balances: folds segments into a generation, balances, index and position in one transaction.

At least once with the stored position is exactly-once in effect: what was folded is dropped, no gap is applied.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from domain.events.entries import RULE_KINDS
from domain.fold.casefiles import CaseFile, CaseKey, files_of, merged, open_file
from domain.fold.ledger import Balance, Ledger, months_of
from domain.fold.postings import Account, Amounts, Posting, postings_of
from domain.measures import INDEX, MEASURES
from projections.segment import Gap, Moved, NotWritten, Segment, WrongJournal
from projections.store.rows_postgres import BY_INDEX, free_ids
from projections.store.schema import ACCOUNTS, METADATA, RULES, SOURCES
from projections.store.statements import on_postgres, on_sqlite, passing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from domain.events.entries import AnyEntry

MOVED_CHANNEL: Final = "neraca_moved"
_FILE: Final = msgspec.json.Decoder(CaseFile)
_ENCODER: Final = msgspec.json.Encoder()
_STORED: Final[Callable[..., msgspec.Struct]] = msgspec.defstruct(
    "_Stored", [(name, int, 0) for name in MEASURES], omit_defaults=True, forbid_unknown_fields=True, gc=False
)
_MEASURES: Final = msgspec.json.Decoder[Any](_STORED)
_AMOUNTS: Final = msgspec.json.Decoder(dict[str, int])
_CLOSED: Final = (None,) * 5


def balance_of(measures: str) -> Balance:
    """A stored vector. Raises: ``msgspec.ValidationError`` when it holds anything but integers."""
    return list(astuple(_MEASURES.decode(measures)))


def amounts_held(measures: str) -> Amounts:
    """A stored vector as the amounts of one posting. Raises: ``msgspec.ValidationError``; ``KeyError`` for an unknown measure."""
    held = _AMOUNTS.decode(measures)
    return tuple(zip(map(INDEX.__getitem__, held), held.values(), strict=True))


def file_of(state: bytes) -> CaseFile:
    """A stored case file. Raises: ``msgspec.ValidationError``."""
    return _FILE.decode(state)


def measures_of(balance: Balance) -> str:
    """A vector as stored: its non-zero measures."""
    return _ENCODER.encode(_STORED(*balance)).decode()


@contextmanager
def uncollected() -> Iterator[None]:
    """What a fold makes holds no cycle and ends with it: the collector, which would look at all of it, waits."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Store:
    """One generation of balances."""

    def __init__(self, engine: Engine, guard: Callable[[Connection], None] = lambda _: None) -> None:
        self.engine = engine
        self._guard = guard
        self._on_sqlite = engine.dialect.name == "sqlite"
        self._tools = on_sqlite(engine.dialect) if self._on_sqlite else on_postgres()
        self._reading = engine if self._on_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")

    def create(self) -> None:
        """Make the tables that are missing."""
        METADATA.create_all(self.engine)

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A transaction in which all is read of one moment."""
        return self._reading.begin()

    def divided(self) -> bool:
        """Whether partitions are folded apart here."""
        with self.engine.connect() as db:
            return (
                db.execute(select(SOURCES.c.source).where(SOURCES.c.source.contains("/")).limit(1)).first() is not None
            )

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
        except DBAPIError as error:
            if passing(error):
                raise NotWritten(str(error.orig).strip()) from error
            raise

    def _fold(self, segment: Segment) -> Moved:
        with self.guarded() as db:
            stored = self._locked_position(db, segment)
            if segment.after > stored:
                message = f"{segment.source}: entries {stored + 1} to {segment.after} are missing"
                raise Gap(message)
            fresh = [entry for entry in segment.entries if entry[0] > stored]
            if segment.last <= stored:
                return Moved(stored)
            dinas, rules = self.apply(db, fresh)
            self.tell(db, dict.fromkeys(dinas, segment.last))
            db.execute(
                update(SOURCES)
                .where(SOURCES.c.source == segment.source)
                .values(position=segment.last, hash=segment.last_hash),
            )
        return Moved(segment.last, dinas, rules)

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

    @uncollected()
    def apply(self, db: Connection, fresh: Sequence[tuple[int, bytes, AnyEntry]]) -> tuple[frozenset[str], bool]:
        """Add entries, none of which was added before, in the caller's transaction: the dinas they move, and the rulebook.

        What PostgreSQL is asked or told it does meanwhile: whatever needs no answer is computed between question and answer.
        """
        rules = [{"position": position, "line": line} for position, line, entry in fresh if type(entry) in RULE_KINDS]
        if rules:
            db.execute(insert(RULES), rules)
        if not self._on_sqlite:
            db.execute(BY_INDEX)
        with self._tools.together(db):
            files = files_of(entry for _, _, entry in fresh)
            cases = sorted(files)
            held_files = self._tools.files.ask(db, cases)
            posted = [(position, posting) for position, _, entry in fresh for posting in postings_of(entry)]
            added = Ledger()
            added.post(posting for _, posting in posted)
            accounts = sorted(added.accounts)
            held = self._tools.accounts.ask(db, accounts)
            sums = months_of(added)
            held_sums = self._tools.months.ask(db, [(dinas, month) for dinas, _, _, month in sorted(sums.accounts)])
            known_cases = self._put_files(db, files, held_files())
            ids = self._add(db, added, held())
            fresh_accounts = [account for account in accounts if account not in ids]
            free = self._free_ids(db, len(fresh_accounts))
            self._put_months(db, sums, held_sums())
            measures = [measures_of(added.accounts[account]) for account in fresh_accounts]
            ids |= zip(fresh_accounts, free(), strict=True)
        opened = [(ids[account], *account, text) for account, text in zip(fresh_accounts, measures, strict=True)]
        with self._tools.open.running(db, opened):
            reasons = sorted({(ids[posting.account], position) for position, posting in posted})
        with self._tools.why.running(db, reasons):
            fresh_files = [_file_row(case, files[case]) for case in cases if case not in known_cases]
        self._tools.open_file.run(db, fresh_files)
        return frozenset(account[0] for account in sums.accounts) | frozenset(case[0] for case in cases), bool(rules)

    def tell(self, db: Connection, moved: Mapping[str, int]) -> None:
        """Tell readers in other processes which dinas moved, and how far their source is folded."""
        if self._tools.moved is not None:
            self._tools.moved.run(db, sorted(moved.items()))
            db.execute(select(func.pg_notify(MOVED_CHANNEL, "")))

    @contextmanager
    def guarded(self) -> Iterator[Connection]:
        """A fold's transaction, in which this generation stays the one served. Raises: ``Superseded``."""
        with self.engine.begin() as db:
            self._guard(db)
            yield db

    def _add(self, db: Connection, added: Ledger, rows: Iterable[Any]) -> dict[Account, int]:
        """Accounts posted to before: what they hold is posted too, in Python's integers, which do not overflow. The id of each."""
        held, ids = list[Posting](), dict[Account, int]()
        for row, dinas, asn, service, month, measures in rows:
            account = dinas, asn, service, month
            ids[account] = row
            held.append(Posting(account, amounts_held(measures)))
        added.post(held)
        self._tools.add.run(db, sorted((row, measures_of(added.accounts[account])) for account, row in ids.items()))
        return ids

    def _free_ids(self, db: Connection, number: int) -> Callable[[], Iterable[int]]:
        """On SQLite one fold alone adds rows, so ids follow the last one; on PostgreSQL several do, each its own."""
        if self._on_sqlite:
            last = db.execute(select(ACCOUNTS.c.id).order_by(ACCOUNTS.c.id.desc()).limit(1)).scalar() or 0
            return lambda: range(last + 1, last + 1 + number)
        return free_ids(db, number)

    def _put_months(self, db: Connection, sums: Ledger, rows: Iterable[Any]) -> None:
        """The same postings, to the months of their dinas."""
        sums.post(Posting((dinas, "", "", month), amounts_held(measures)) for dinas, month, measures in rows)
        self._tools.put_month.run(
            db, [(account[0], account[3], measures_of(balance)) for account, balance in sorted(sums.accounts.items())]
        )

    def _put_files(self, db: Connection, files: dict[CaseKey, CaseFile], rows: Iterable[Any]) -> set[CaseKey]:
        """Case files opened before: read, merge, write back. Their keys."""
        held = {(row[0], row[1], row[2]): file_of(row[3]) for row in rows}
        self._tools.put_file.run(db, [_file_row(key, merged(held[key], files[key])) for key in sorted(held)])
        return set(held)


def _file_row(key: CaseKey, file: CaseFile) -> tuple[Any, ...]:
    """A file as stored, in the order of the table's columns."""
    opened = open_file(key, file)
    return (*key, _ENCODER.encode(file), *(_CLOSED if opened is None else opened[3:]))
