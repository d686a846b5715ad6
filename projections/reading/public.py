"""Queries of what the public is shown: of what is published, the cells of permits and tasks that hold ten and more.

`domain/fold/shown.py` has the rule. Every sum is one of the cells that are shown: a dinas's, a month's, a service's.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from domain.fold.blocks import added
from domain.fold.ledger import add
from domain.fold.shown import left_out
from projections.reading.published import PublishedQueries
from projections.store.queries import Leaf

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from domain.fold.ledger import Balance
    from domain.fold.postings import Amounts

MONTHS_MOST: Final = 50_000
"""The most months of dinas whose small cells are remembered."""
Month = tuple[str, str]
"""A dinas and a month."""
Cells = dict[str, "Amounts"]
"""The amounts that are left out, by service; nothing of a month in which every cell is shown."""


class SmallCells:
    """The cells of a version that are too small to be shown, by dinas and month: of each its services and their amounts.

    Each month of a dinas is worked out when it is first read. The next version takes over those of dinas that did not move.
    """

    def __init__(self, months: dict[Month, Cells]) -> None:
        self._months = months

    def of(self, keys: Iterable[Month]) -> dict[Month, Cells]:
        """Those of some months, as far as they are known."""
        months = self._months
        return {key: cells for key in keys if (cells := months.get(key)) is not None}

    def keep(self, months: dict[Month, Cells]) -> None:
        """Remember some; callers may invent names and months, so all are dropped when they are too many."""
        if len(self._months) + len(months) > MONTHS_MOST:
            self._months = {}
        self._months |= months

    def except_of(self, dinas: Collection[str]) -> SmallCells:
        """Those of every other dinas."""
        return SmallCells({key: cells for key, cells in self._months.copy().items() if key[0] not in dinas})


class PublicQueries(PublishedQueries):
    """The same queries, of what the public is shown; of the own dinas all that is published."""

    def __init__(
        self,
        published: PublishedQueries,
        own: frozenset[str],
        small: SmallCells,
        within: frozenset[str] | None = None,
    ) -> None:
        super().__init__(published, *published.context, within)
        self.own = own
        self._small = small
        self._dinas: dict[tuple[str, ...], list[str]] = {}

    def limited(self, dinas: frozenset[str]) -> PublicQueries:
        """Queries on the same snapshot, which find of an ASN what counts at some dinas alone."""
        return PublicQueries(self, self.own, self._small, dinas)

    def dinas_balances(self, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of each dinas, summed over months: that of the cells that are shown."""
        balances = super().dinas_balances(months)
        for (dinas, _), cells in self.small(months).items():
            _take_out(balances[dinas], cells)
        return balances

    def months_of_dinas(self, dinas: str, months: Sequence[str]) -> dict[str, Balance]:
        """The balance of a dinas in each of some months that has one: that of the cells that are shown."""
        balances = super().months_of_dinas(dinas, months)
        for (_, month), cells in self.small(months, [dinas]).items():
            _take_out(balances[month], cells)
        return balances

    def months_of_every_dinas(self, months: Sequence[str]) -> dict[tuple[str, str], Balance]:
        """The same of each dinas: by dinas and month."""
        balances = super().months_of_every_dinas(months)
        for key, cells in self.small(months).items():
            _take_out(balances[key], cells)
        return balances

    def leaves(self, dinas: Collection[str], months: Sequence[str]) -> Iterator[Leaf]:
        """The leaf accounts of some dinas in some months, and what is left out of them, negated and of no ASN."""
        yield from super().leaves(dinas, months)
        for (name, _), cells in self.small(months, dinas).items() if dinas else ():
            for service, amounts in cells.items():
                yield Leaf(name, "", service, tuple((index, -amount) for index, amount in amounts))

    def services_left_out(self, months: Sequence[str], dinas: Collection[str] = ()) -> dict[str, set[str]]:
        """The services of dinas of which some months' permits, wholly or in part, are left out; ``""`` for the tasks."""
        services: dict[str, set[str]] = {}
        for (name, _), cells in self.small(months, dinas).items():
            services.setdefault(name, set()).update(cells)
        return services

    def small(self, months: Sequence[str], dinas: Collection[str] = ()) -> dict[Month, Cells]:
        """The amounts left out of some dinas, or of all, in some months: by service, of each dinas and month."""
        keys = list(product(sorted(set(dinas) - self.own) if dinas else self._names(months), months))
        cells = self._small.of(keys)
        missing = [key for key in keys if key not in cells]
        if missing:
            fresh = self._read(missing)
            self._small.keep(fresh)
            cells |= fresh
        return {key: cells[key] for key in keys if cells[key]}

    def _names(self, months: Sequence[str]) -> list[str]:
        """Every dinas with a balance in some months but for the own, read once in this snapshot."""
        key = tuple(months)
        if key not in self._dinas:
            self._dinas[key] = [name for name in self.dinas_of_months(months) if name not in self.own]
        return self._dinas[key]

    def _read(self, keys: Collection[Month]) -> dict[Month, Cells]:
        """The small cells of some months of dinas."""
        small: dict[Month, Cells] = {key: {} for key in keys}
        balances = self.small_cells({dinas for dinas, _ in keys}, {month for _, month in keys})
        for (dinas, _, service, month), balance in balances.items():
            amounts = left_out(balance)
            if amounts and (dinas, month) in small:
                small[dinas, month][service] = amounts
        return small


def _take_out(balance: Balance, cells: Cells) -> None:
    add(balance, added(cells.values(), -1))
