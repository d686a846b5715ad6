"""Queries of what is published: permits and tasks as they are, and of ratings the blocks that the rule publishes.

Everybody but auditors and the operator reads through these. Of an ASN ratings are read for half-years alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from domain.clock import local_date
from domain.fold.blocks import RATED, added, number_of, without_ratings
from domain.fold.cells import Waiting
from domain.fold.disclosed import Month
from domain.fold.half_years import half_years, served
from domain.fold.ledger import add, zero
from domain.fold.ratings import closes_at, closes_us
from projections.store.queries import Leaf, Queries
from projections.store.ratings import state_of_month
from projections.store.vectors import amounts_held

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import tzinfo

    from domain.fold.blocks import Block
    from domain.fold.cells import MonthState
    from domain.fold.ledger import Balance
    from domain.fold.postings import Amounts
    from domain.periods import Period
    from projections.store.ratings import StoredMonth

SETTLED_MOST: Final = 20_000
"""The most months of dinas whose close is remembered: some 20 MB."""


class Settled(NamedTuple):
    """The published sum of a dinas's month at an instant, the number that waits, and the blocks that its close has published."""

    amounts: Amounts
    waiting: Waiting
    blocks: tuple[Block, ...]
    state: MonthState


class Closes:
    """The months that closed since their last entry, as worked out once: each until another entry comes."""

    def __init__(self) -> None:
        self._months: dict[tuple[object, ...], Settled] = {}

    def settled(self, row: StoredMonth, zone: tzinfo) -> Settled:
        """A stored month after its close."""
        key = (row.dinas, row.month, row.changes, hash(row.state))
        month_now = self._months.get(key)
        if month_now is None:
            month = Month(state_of_month(row.state))
            month.close(closes_at(row.month, zone))
            blocks = tuple(block for block in month.moved.values() if block is not None)
            month_now = Settled(month.published(), month.waiting(), blocks, month.state)
            if len(self._months) >= SETTLED_MOST:
                self._months.clear()
            self._months[key] = month_now
        return month_now


class PublishedQueries(Queries):
    """The same queries, of what is published at an instant."""

    def __init__(
        self, whole: Queries, closes: Closes, zone: tzinfo, now_us: int, within: frozenset[str] | None = None
    ) -> None:
        super().__init__(whole.db, within)
        self._closes = closes
        self._zone = zone
        self._now_us = now_us
        self._today = local_date(now_us, zone).isoformat()
        self._ratings: dict[tuple[frozenset[str] | None, frozenset[str]], list[StoredMonth]] = {}
        """The rows read so far, by the months and the dinas that were asked for: all months are ``None``, all dinas none."""

    @property
    def context(self) -> tuple[Closes, tzinfo, int]:
        """The closes, the zone and the instant of this reading."""
        return self._closes, self._zone, self._now_us

    def limited(self, dinas: frozenset[str]) -> PublishedQueries:
        """Queries on the same snapshot, which find of an ASN what counts at some dinas alone."""
        return PublishedQueries(self, self._closes, self._zone, self._now_us, dinas)

    def ratings(self, months: Sequence[str] | None, dinas: Collection[str] = ()) -> list[StoredMonth]:
        """The ratings of dinas in some months, read once in this snapshot: part of what was read is not read again."""
        some = None if months is None else frozenset(months)
        key = (some, frozenset(dinas))
        if key in self._ratings:
            return self._ratings[key]
        for (months_read, dinas_read), rows in self._ratings.items():
            has_months = months_read is None or (some is not None and some <= months_read)
            has_dinas = not dinas_read or (key[1] and key[1] <= dinas_read)
            if has_months and has_dinas:
                self._ratings[key] = [
                    row for row in rows if (some is None or row.month in some) and (not key[1] or row.dinas in key[1])
                ]
                return self._ratings[key]
        self._ratings[key] = super().ratings(months, dinas)
        return self._ratings[key]

    def dinas_balances(self, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of each dinas, summed over months."""
        balances = {dinas: without_ratings(balance) for dinas, balance in super().dinas_balances(months).items()}
        for row in self.ratings(months):
            add(balances.setdefault(row.dinas, zero()), self._amounts(row))
        return balances

    def months_of_dinas(self, dinas: str, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of a dinas in each of some months that has one."""
        balances = {month: without_ratings(row) for month, row in super().months_of_dinas(dinas, months).items()}
        for row in self.ratings(months, [dinas]):
            add(balances[row.month], self._amounts(row))
        return balances

    def months_of_every_dinas(self, months: Sequence[str]) -> dict[tuple[str, str], Balance]:
        """The balance of each dinas in each of some months that has one: by dinas and month."""
        balances = {key: without_ratings(row) for key, row in super().months_of_every_dinas(months).items()}
        for row in self.ratings(months):
            add(balances[row.dinas, row.month], self._amounts(row))
        return balances

    def months_of_asn(self, asn: str, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of an ASN over all dinas, in each of some months that has one, without ratings."""
        return {month: without_ratings(row) for month, row in super().months_of_asn(asn, months).items()}

    def naming(self, asn: str, months: Sequence[str]) -> dict[str, int]:
        """The number of published ratings that name an ASN, over all dinas, in each of some months: all but those that wait."""
        numbers, dinas = dict.fromkeys(months, 0), set[str]()
        for name, month, amounts in self.leaves_of_asn(asn, months):
            numbers[month] += number_of(amounts)
            dinas.add(name)
        for row in self.ratings(months, dinas) if dinas else ():
            numbers[row.month] -= self.settled(row).state.naming(asn)
        return numbers

    def leaves(self, dinas: Collection[str], months: Sequence[str]) -> Iterator[Leaf]:
        """The leaf accounts of some dinas in some months; those of ratings name no ASN."""
        for leaf in super().leaves(dinas, months):
            yield leaf._replace(amounts=tuple(pair for pair in leaf.amounts if pair[0] not in RATED))
        for row in self.ratings(months, dinas) if dinas else ():
            for service, cell in self.settled(row).state.cells.items():
                if cell.shown:
                    yield Leaf(row.dinas, "", service, cell.shown)

    def waiting(self, months: Sequence[str], dinas: Collection[str] = ()) -> dict[str, Waiting]:
        """The numbers that waited at the last local midnight, of each dinas over some months."""
        sums: dict[str, Waiting] = {}
        for row in self.ratings(months, dinas):
            sums[row.dinas] = sums.get(row.dinas, Waiting()) + self._waiting(row)
        return sums

    def served_asn(self, dinas: str, period: Period) -> dict[str, Amounts]:
        """The ratings that are served of each ASN of a dinas: those of the closed half-years of a period."""
        sums: dict[str, Amounts] = {}
        for half in half_years(period):
            closes = closes_at(half.months[-1], self._zone)
            if closes_us(half.months[-1], self._zone) > self._now_us:
                continue
            blocks = [pair for pair in self._blocks(dinas, half) if pair[1].at <= closes]
            for asn, amounts in served(blocks).items():
                sums[asn] = added([sums.get(asn, ()), amounts])
        return sums

    def _blocks(self, dinas: str, half: Period) -> list[tuple[str, Block]]:
        """The published blocks of a dinas in a half-year, but for those of cells that are not shown."""
        months = {row.month: self.settled(row) for row in self.ratings(half.months, [dinas])}
        blocks = self.blocks(dinas, half.months)
        blocks += [(month, block) for month, month_now in months.items() for block in month_now.blocks]
        return [
            (month, block)
            for month, block in blocks
            if not block.number or months[month].state.cells[block.service].shown
        ]

    def settled(self, row: StoredMonth) -> Settled:
        """A month of a dinas as it is published now."""
        if self._closes_now(row):
            return self._closes.settled(row, self._zone)
        return Settled(amounts_held(row.measures), row.now, (), state_of_month(row.state))

    def _amounts(self, row: StoredMonth) -> Amounts:
        return self._closes.settled(row, self._zone).amounts if self._closes_now(row) else amounts_held(row.measures)

    def _waiting(self, row: StoredMonth) -> Waiting:
        if row.day >= self._today:
            return row.then
        return self._closes.settled(row, self._zone).waiting if self._closes_now(row) else row.now

    def _closes_now(self, row: StoredMonth) -> bool:
        return not row.closed and closes_us(row.month, self._zone) <= self._now_us
