"""Queries on one snapshot of a generation: positions, balances, rules, and the entries behind a balance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Connection, Select, Text, bindparam, func, select

from domain.fold.digest import in_order
from domain.fold.ledger import Balance, Ledger
from domain.fold.postings import Account, Amounts, Posting
from domain.fold.shown import DENOMINATORS, is_small
from projections.segment import RULEBOOK, At
from projections.store.open_files import FOREVER, OpenFileQueries
from projections.store.ratings import StoredMonth, blocks_of
from projections.store.schema import ACCOUNTS, BLOCKS, CASE_FILES, DINAS_MONTHS, MOVED, RATINGS, RULES, SOURCES, WHY
from projections.store.vectors import amounts_held, balance_of, denominators_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement

    from domain.fold.blocks import Block
    from domain.score.scorecard import Subject

AT_ONCE: Final = 1000
"""The number of accounts in memory at once while all of them are read."""


# Statements that every page sends are made once, as in `open_files.py`.
_MONTHS: Final = bindparam("months", expanding=True, type_=Text)
_DINAS: Final = bindparam("dinas", type_=Text)
_ASN: Final = bindparam("asn", type_=Text)
_AT: Final = select(SOURCES.c.source, SOURCES.c.position)
_LAST_RULE: Final = select(func.max(RULES.c.position))
_OF_MONTHS: Final = DINAS_MONTHS.c.month.in_(_MONTHS)
_DINAS_BALANCES: Final = select(DINAS_MONTHS.c.dinas, DINAS_MONTHS.c.measures).where(_OF_MONTHS)
_MONTHS_OF_DINAS: Final = select(DINAS_MONTHS.c.month, DINAS_MONTHS.c.measures).where(
    DINAS_MONTHS.c.dinas == _DINAS, _OF_MONTHS
)
_MONTHS_OF_ASN: Final = select(ACCOUNTS.c.month, ACCOUNTS.c.measures).where(
    ACCOUNTS.c.asn == _ASN, ACCOUNTS.c.month.in_(_MONTHS)
)


class Leaf(NamedTuple):
    """A leaf account in one month: its dinas, ASN and service, and its non-zero amounts."""

    dinas: str
    asn: str
    service: str
    amounts: Amounts


class Queries:
    """Queries on one snapshot. ``files`` has those on case files; ``within``: the dinas whose accounts alone an ASN has."""

    def __init__(self, db: Connection, within: frozenset[str] | None = None) -> None:
        self.db = db
        self._within = within
        self.files = OpenFileQueries(db, within)

    def limited(self, dinas: frozenset[str]) -> Queries:
        """Queries on the same snapshot, which find of an ASN what counts at some dinas alone."""
        return Queries(self.db, dinas)

    def at(self) -> At:
        """The position up to which everything is folded, in this snapshot."""
        positions = {row[0]: row[1] for row in self.db.execute(_AT)}
        if len(positions) <= 1:
            return At(max(positions.values(), default=0))
        rulebook = positions.pop(RULEBOOK)
        pairs = sorted(positions.items(), key=lambda source: int(source[0].partition("/")[2]))
        partitions = tuple(position for _, position in pairs)
        return At(min(*partitions, rulebook), partitions, rulebook)

    def stop_reasons(self) -> dict[int, str]:
        """The partitions that have stopped, and why."""
        rows = self.db.execute(select(SOURCES.c.source, SOURCES.c.stopped).where(SOURCES.c.stopped.is_not(None)))
        return {int(row[0].partition("/")[2]): row[1] for row in rows}

    def moved_since(self, position: int) -> list[tuple[str, int, int]]:
        """Every dinas that moved after a position, the position of its partition when it did, and when facts moved it."""
        rows = self.db.execute(
            select(MOVED.c.dinas, MOVED.c.position, MOVED.c.facts).where(MOVED.c.position > position)
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def last_rule(self) -> int:
        """The position of the last rule entry."""
        return self.db.execute(_LAST_RULE).scalar() or 0

    def rule_lines(self, after: int) -> list[tuple[int, bytes]]:
        """Rule entries after a position."""
        rows = self.db.execute(select(RULES).where(RULES.c.position > after).order_by(RULES.c.position))
        return [(row[0], row[1]) for row in rows]

    def months(self) -> list[str]:
        """Every month that has a balance, oldest first."""
        query = select(DINAS_MONTHS.c.month).distinct().order_by(DINAS_MONTHS.c.month)
        return [row[0] for row in self.db.execute(query)]

    def dinas_balances(self, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of each dinas, summed over months."""
        return _sums(self.db.execute(_DINAS_BALANCES, {"months": months}))

    def months_of_dinas(self, dinas: str, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of a dinas in each of some months that has one."""
        rows = self.db.execute(_MONTHS_OF_DINAS, {"dinas": dinas, "months": months})
        return {row[0]: balance_of(row[1]) for row in rows}

    def months_of_every_dinas(self, months: Sequence[str]) -> dict[tuple[str, str], Balance]:
        """The balance of each dinas in each of some months that has one: by dinas and month."""
        query = select(DINAS_MONTHS).where(DINAS_MONTHS.c.month.in_(months))
        return {(row[0], row[1]): balance_of(row[2]) for row in self.db.execute(query)}

    def months_of_asn(self, asn: str, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of an ASN over all its dinas, in each of some months that has one."""
        query = _MONTHS_OF_ASN if self._within is None else _MONTHS_OF_ASN.where(self._is_within)
        return _sums(self.db.execute(query, {"asn": asn, "months": months}))

    def dinas_of_asn(self, asn: str, months: Sequence[str]) -> frozenset[str]:
        """The dinas at which an ASN has facts in some months."""
        query = select(ACCOUNTS.c.dinas, ACCOUNTS.c.measures)
        sums = _sums(self.db.execute(query.where(*self._of_asn(asn), ACCOUNTS.c.month.in_(months))))
        return frozenset(dinas for dinas, balance in sums.items() if any(balance))

    def leaves_of_asn(self, asn: str, months: Sequence[str]) -> Iterator[tuple[str, str, Amounts]]:
        """The leaf accounts of an ASN in some months: of each its dinas, its month and its non-zero amounts."""
        query = select(ACCOUNTS.c.dinas, ACCOUNTS.c.month, ACCOUNTS.c.measures)
        rows = self.db.execute(query.where(*self._of_asn(asn), ACCOUNTS.c.month.in_(months)))
        yield from ((row[0], row[1], amounts_held(row[2])) for row in rows)

    def _of_asn(self, asn: str) -> tuple[ColumnElement[bool], ...]:
        mine = ACCOUNTS.c.asn == asn
        return (mine,) if self._within is None else (mine, self._is_within)

    @property
    def _is_within(self) -> ColumnElement[bool]:
        """True of the accounts of the dinas that these queries are limited to."""
        return ACCOUNTS.c.dinas.in_(sorted(self._within or ()))

    def leaves(self, dinas: Collection[str], months: Sequence[str]) -> Iterator[Leaf]:
        """The leaf accounts of some dinas in some months."""
        query = select(ACCOUNTS.c.dinas, ACCOUNTS.c.asn, ACCOUNTS.c.service, ACCOUNTS.c.measures)
        rows = self.db.execute(query.where(ACCOUNTS.c.dinas.in_(sorted(dinas)), ACCOUNTS.c.month.in_(months)))
        yield from (Leaf(row[0], row[1], row[2], amounts_held(row[3])) for row in rows)

    def dinas_of_months(self, months: Sequence[str]) -> list[str]:
        """Every dinas that has a balance in some months, by id."""
        query = select(DINAS_MONTHS.c.dinas).where(DINAS_MONTHS.c.month.in_(months)).distinct()
        return sorted(row[0] for row in self.db.execute(query))

    def small_cells(self, dinas: Collection[str], months: Collection[str]) -> dict[Account, Balance]:
        """The balances of the cells (dinas, service, month) of some dinas and months that have a small denominator.

        Only these are read in full: most cells are large, and of them five numbers are enough.
        """
        query = select(ACCOUNTS.c.dinas, ACCOUNTS.c.service, ACCOUNTS.c.month, ACCOUNTS.c.measures)
        rows = self.db.execute(query.where(ACCOUNTS.c.dinas.in_(sorted(dinas)), ACCOUNTS.c.month.in_(sorted(months))))
        leaves = [((row[0], "", row[1], row[2]), row[3]) for row in rows]
        numbers: dict[Account, list[int]] = {}
        for cell, measures in leaves:
            sofar = numbers.setdefault(cell, [0] * len(DENOMINATORS))
            for place, number in enumerate(denominators_of(measures)):
                sofar[place] += number
        small = {cell for cell, sums in numbers.items() if any(map(is_small, sums))}
        ledger = Ledger()
        ledger.post(Posting(cell, amounts_held(measures)) for cell, measures in leaves if cell in small)
        return ledger.accounts

    def ratings(self, months: Sequence[str] | None, dinas: Collection[str] = ()) -> list[StoredMonth]:
        """The ratings of dinas in some months, or in all: of every dinas, or of those named."""
        query = select(RATINGS).order_by(RATINGS.c.dinas, RATINGS.c.month)
        if months is not None:
            query = query.where(RATINGS.c.month.in_(months))
        if dinas:
            query = query.where(RATINGS.c.dinas.in_(sorted(dinas)))
        return [StoredMonth(*row) for row in self.db.execute(query)]

    def blocks(self, dinas: str, months: Sequence[str]) -> list[tuple[str, Block]]:
        """The published blocks of a dinas in some months, each with its month."""
        query = select(BLOCKS.c.month, BLOCKS.c.block).where(BLOCKS.c.dinas == dinas, BLOCKS.c.month.in_(months))
        rows = self.db.execute(query.order_by(BLOCKS.c.month, BLOCKS.c.service, BLOCKS.c.tap, BLOCKS.c.number))
        return [(row[0], block) for row in rows for block in blocks_of([row[1]])]

    def accounts(self) -> Iterator[tuple[Account, Balance]]:
        """Every leaf account."""
        return self._accounts(select(ACCOUNTS))

    def accounts_by_dinas(self) -> Iterator[Iterator[tuple[Account, Balance]]]:
        """Every leaf account, one dinas after another, in the order of a digest's lines."""
        dinas = [row[0] for row in self.db.execute(select(DINAS_MONTHS.c.dinas).distinct())]
        for name in in_order(dinas):
            yield self._accounts(select(ACCOUNTS).where(ACCOUNTS.c.dinas == name))

    def _accounts(self, query: Select[Any]) -> Iterator[tuple[Account, Balance]]:
        for row in self.db.execute(query).yield_per(AT_ONCE):
            yield (row[1], row[2], row[3], row[4]), balance_of(row[5])

    def asn_alike(self, asn: str) -> set[str]:
        """The ids of ASN in any fact that the database takes for a text but for its capitals."""
        query = select(ACCOUNTS.c.asn).where(func.lower(ACCOUNTS.c.asn) == func.lower(asn)).distinct()
        return {row[0] for row in self.db.execute(query)}

    def services_known(self, dinas: str) -> set[str]:
        """Every service that a fact or a file of a dinas ever named."""
        from_facts = select(ACCOUNTS.c.service).where(ACCOUNTS.c.dinas == dinas, ACCOUNTS.c.service != "")
        from_files = select(CASE_FILES.c.service).where(CASE_FILES.c.dinas == dinas)
        return {row[0] for row in self.db.execute(from_facts.union(from_files))}

    def knows(self, subject: Subject) -> bool:
        """True if any fact ever named a subject, or any file a dinas, or an open file an ASN."""
        if subject.kind == "dinas":
            query = select(DINAS_MONTHS.c.month).where(DINAS_MONTHS.c.dinas == subject.id).limit(1)
            return self.db.execute(query).first() is not None or self.files.any_of_dinas(subject.id)
        accounts = select(ACCOUNTS.c.id).where(ACCOUNTS.c.asn == subject.id).limit(1)
        return self.db.execute(accounts).first() is not None or self.files.any_of_asn(subject.id)

    def positions(
        self, months: Sequence[str], after: int, limit: int, subject: Mapping[str, str], *, newest: bool = False
    ) -> list[int]:
        """The positions after one that moved the accounts of some months, in order.

        ``subject`` maps names of columns (`dinas`, `asn`, `service`) to the value an account must have there. ``newest``:
        the positions before ``after`` instead, or all where it is 0, the last of them first.
        """
        query = select(WHY.c.position).join(ACCOUNTS, ACCOUNTS.c.id == WHY.c.account)
        others = [ACCOUNTS.c[name] == value for name, value in subject.items() if name != "asn"]
        mine = self._of_asn(subject["asn"]) if "asn" in subject else ()
        query = query.where(ACCOUNTS.c.month.in_(months), *mine, *others)
        query = query.where(WHY.c.position < (after or FOREVER) if newest else WHY.c.position > after)
        order = WHY.c.position.desc() if newest else WHY.c.position
        return [row[0] for row in self.db.execute(query.distinct().order_by(order).limit(limit))]


def _sums(rows: Iterable[Sequence[str]]) -> dict[str, Balance]:
    """Stored balances, added up by the first column of their rows."""
    return _totals((row[0], amounts_held(row[1])) for row in rows)


def _totals(amounts: Iterable[tuple[str, Amounts]]) -> dict[str, Balance]:
    """Amounts added up by name."""
    sums = Ledger()
    sums.post(Posting((name, "", "", ""), amount) for name, amount in amounts)
    return {account[0]: balance for account, balance in sums.accounts.items()}
