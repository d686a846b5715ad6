"""The one durable store of balances: folds segments into a generation, with index and position, in one transaction.

Delivery at least once and a stored position make each entry count exactly once: entries folded before are dropped, and a
gap is never applied.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, func, insert, inspect, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex

from domain.events.entries import RULE_KINDS
from domain.fold.blocks import RATED
from domain.fold.casefiles import CaseFile, CaseKey, files_of, merged, open_file
from domain.fold.ledger import Ledger, months_of
from domain.fold.postings import Account, Posting, postings_of
from projections.segment import Gap, Moved, NotWritten, Segment, WrongJournal
from projections.store.queries import Queries
from projections.store.ratings import RatingFold, rating_changes
from projections.store.rows_postgres import PREFER_INDEX, free_ids
from projections.store.schema import ACCOUNTS, CASE_FILES, METADATA, OPEN_BY_ASN, RULES, SOURCES
from projections.store.statements import is_transient, on_postgres, on_sqlite
from projections.store.vectors import amounts_held, file_of, measures_of, state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import tzinfo

    from domain.events.entries import AnyEntry

MOVED_CHANNEL: Final = "neraca_moved"
_CLOSED: Final = (None,) * 5
_MAKING: Final = text("SELECT pg_advisory_xact_lock(7305531005)")
"""A lock for the one process that adds missing tables: PostgreSQL's IF NOT EXISTS alone admits two at once."""


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

    def complete(self) -> None:
        """Add the index that tables made by an earlier program of this version lack; folds wait for it.

        It takes 0.3 s after a million events.
        """
        if any(index["name"] == OPEN_BY_ASN.name for index in inspect(self.engine).get_indexes(CASE_FILES.name)):
            return
        with self.engine.begin() as db:
            if not self._on_sqlite:
                db.execute(_MAKING)
            db.execute(CreateIndex(OPEN_BY_ASN, if_not_exists=True))

    @contextmanager
    def snapshot(self) -> Iterator[Queries]:
        """A transaction whose queries all see the same moment."""
        with self._reading.begin() as db:
            yield Queries(db)

    def is_divided(self) -> bool:
        """True if partitions are folded apart here."""
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
        """Apply the entries of a segment beyond the stored position, all or none.

        Raises: ``Gap`` when it starts beyond the stored position; ``WrongJournal`` when it is of another journal;
        ``NotWritten`` on a transient failure.
        """
        try:
            return self._fold(segment)
        except DBAPIError as error:
            if is_transient(error):
                raise NotWritten(str(error.orig).strip()) from error
            raise

    def _fold(self, segment: Segment) -> Moved:
        with self.guarded() as db:
            position = self._locked_position(db, segment)
            if segment.after > position:
                message = f"{segment.source}: entries {position + 1} to {segment.after} are missing"
                raise Gap(message)
            fresh = [entry for entry in segment.entries if entry[0] > position]
            if segment.last <= position:
                return Moved(position)
            move = self.apply(db, fresh, segment.zone)
            self.tell(db, {dinas: (segment.last, dinas in move.facts) for dinas in move.dinas})
            db.execute(
                update(SOURCES)
                .where(SOURCES.c.source == segment.source)
                .values(position=segment.last, hash=segment.last_hash),
            )
        return replace(move, position=segment.last)

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

    def apply(self, db: Connection, fresh: Sequence[tuple[int, bytes, AnyEntry]], zone: tzinfo) -> Moved:
        """Add entries, none of which was added before, in the caller's transaction; ``zone`` is the journal's.

        Returns what they move. Statements are pipelined: we compute what needs no result while the server works.
        """
        rules = [{"position": position, "line": line} for position, line, entry in fresh if type(entry) in RULE_KINDS]
        if rules:
            db.execute(insert(RULES), rules)
        if not self._on_sqlite:
            db.execute(PREFER_INDEX)
        with self._tools.pipelined(db):
            files = files_of(entry for _, _, entry in fresh)
            cases = sorted(files)
            file_rows = self._tools.files.ask(db, cases)
            postings = [(position, posting) for position, _, entry in fresh for posting in postings_of(entry)]
            ledger = Ledger()
            ledger.post(posting for _, posting in postings)
            accounts = sorted(ledger.accounts)
            account_rows = self._tools.accounts.ask(db, accounts)
            ratings = RatingFold(db, self._tools, rating_changes(fresh))
            sums = months_of(ledger)
            sum_rows = self._tools.months.ask(db, [(dinas, month) for dinas, _, _, month in sorted(sums.accounts)])
            known_cases = self._put_files(db, files, file_rows())
            ids = self._add(db, ledger, account_rows())
            fresh_accounts = [account for account in accounts if account not in ids]
            free = self._free_ids(db, len(fresh_accounts))
            self._put_months(db, sums, sum_rows())
            ratings.put(zone)
            measures = [measures_of(ledger.accounts[account]) for account in fresh_accounts]
            ids |= zip(fresh_accounts, free(), strict=True)
        new_rows = [(ids[account], *account, text) for account, text in zip(fresh_accounts, measures, strict=True)]
        with self._tools.open.running(db, new_rows):
            reasons = sorted({(ids[posting.account], position) for position, posting in postings})
        with self._tools.why.running(db, reasons):
            fresh_files = [_file_row(case, files[case]) for case in cases if case not in known_cases]
        self._tools.open_file.run(db, fresh_files)
        cases_moved = frozenset(case[0] for case in cases)
        facts = frozenset(posting.account[0] for _, posting in postings if posting.amounts[0][0] not in RATED)
        dinas = frozenset(account[0] for account in sums.accounts)
        return Moved(0, dinas | cases_moved, bool(rules), facts | cases_moved)

    def tell(self, db: Connection, moves: Mapping[str, tuple[int, bool]]) -> None:
        """Notify readers in other processes of each dinas that moved, of its source's position, and if facts moved it."""
        if self._tools.moved is not None:
            rows = [(dinas, position, position * by_facts) for dinas, (position, by_facts) in sorted(moves.items())]
            self._tools.moved.run(db, rows)
            db.execute(select(func.pg_notify(MOVED_CHANNEL, "")))

    @contextmanager
    def guarded(self) -> Iterator[Connection]:
        """A fold's transaction, in which this generation stays the one served. Raises: ``Superseded``."""
        with self.engine.begin() as db:
            self._guard(db)
            yield db

    def _add(self, db: Connection, ledger: Ledger, rows: Iterable[Any]) -> dict[Account, int]:
        """Add to accounts that exist, in Python's integers, which do not overflow; returns the id of each."""
        present, ids = list[Posting](), dict[Account, int]()
        for row, dinas, asn, service, month, measures in rows:
            account = dinas, asn, service, month
            ids[account] = row
            present.append(Posting(account, amounts_held(measures)))
        ledger.post(present)
        self._tools.add.run(db, sorted((row, measures_of(ledger.accounts[account])) for account, row in ids.items()))
        return ids

    def _free_ids(self, db: Connection, number: int) -> Callable[[], Iterable[int]]:
        """Ids for new accounts. On SQLite a single fold adds rows, so they follow the last id; on PostgreSQL several do."""
        if self._on_sqlite:
            last = db.execute(select(ACCOUNTS.c.id).order_by(ACCOUNTS.c.id.desc()).limit(1)).scalar() or 0
            return lambda: range(last + 1, last + 1 + number)
        return free_ids(db, number)

    def _put_months(self, db: Connection, sums: Ledger, rows: Iterable[Any]) -> None:
        """Add the same postings to the months of their dinas."""
        sums.post(Posting((dinas, "", "", month), amounts_held(measures)) for dinas, month, measures in rows)
        self._tools.put_month.run(
            db, [(account[0], account[3], measures_of(balance)) for account, balance in sorted(sums.accounts.items())]
        )

    def _put_files(self, db: Connection, files: dict[CaseKey, CaseFile], rows: Iterable[Any]) -> set[CaseKey]:
        """Merge changes into case files that exist; returns their keys."""
        present = {(row[0], row[1], row[2]): file_of(row[3]) for row in rows}
        self._tools.put_file.run(db, [_file_row(key, merged(present[key], files[key])) for key in sorted(present)])
        return set(present)


def _file_row(key: CaseKey, file: CaseFile) -> tuple[Any, ...]:
    """A file as stored, in the order of the table's columns."""
    open_state = open_file(key, file)
    return (*key, state_of(file), *(_CLOSED if open_state is None else open_state[3:]))
