"""The cache of one version, shared by its readings: rules, open files, rankings, and the sums of each dinas.

When the fold goes on, the sums of every dinas that did not move are carried over to the next version.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from domain.fold.ledger import Balance, Ledger
from domain.fold.postings import Posting
from projections.store.open_files import NONE_OPEN

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from domain.fold.postings import Amounts
    from domain.periods import Period
    from domain.rules.rulebook import Rulebook
    from domain.score.scorecard import Scorecard, Standing
    from projections.movement import Movement
    from projections.reading.published import PublishedQueries
    from projections.reading.version import Version
    from projections.segment import At
    from projections.store.open_files import Open, OpenOfDinas
    from projections.store.queries import Leaf, Queries

_Value = TypeVar("_Value")
BALANCES_MOST: Final = 30_000
"""The most balances of ASN and services that are cached: about 20 MB."""
SERVED_MOST: Final = 4096
"""The most half-years and years of dinas of which the ratings that are served of ASN are cached."""
PERIODS_MOST: Final = 24
"""The most periods of which the ranking of all dinas is cached."""


class DinasSums(NamedTuple):
    """The leaves of a dinas in a period, added up by ASN and by service; service ``""`` holds what has no service."""

    asn: dict[str, Balance]
    services: dict[str, Balance]


def summed(leaves: Iterable[Leaf]) -> dict[str, DinasSums]:
    """Leaves added up, by dinas."""
    by_asn, by_service, rows = Ledger(), Ledger(), list(leaves)
    by_asn.post(Posting((leaf.dinas, leaf.asn, "", ""), leaf.amounts) for leaf in rows if leaf.asn)
    by_service.post(Posting((leaf.dinas, "", leaf.service, ""), leaf.amounts) for leaf in rows)
    sums: dict[str, DinasSums] = {}
    for (dinas, asn, _, _), balance in by_asn.accounts.items():
        sums.setdefault(dinas, DinasSums({}, {})).asn[asn] = balance
    for (dinas, _, service, _), balance in by_service.accounts.items():
        sums.setdefault(dinas, DinasSums({}, {})).services[service] = balance
    return sums


class VersionCache:
    """The cache that readings of one version share. Thread-safe; nobody changes a balance in it."""

    def __init__(
        self,
        version: Version,
        rulebook: Rulebook,
        open_files: Mapping[str, OpenOfDinas],
    ) -> None:
        self.version = version
        self.rulebook = rulebook
        self.open_files = open_files
        self.months: list[str] | None = None
        self.standings: dict[str, list[Standing]] = {}
        self.rankings: dict[str, list[Scorecard]] = {}
        self._lock = threading.Lock()
        self._sums: dict[tuple[str, str], DinasSums] = {}
        self._served: dict[tuple[str, str], dict[str, Amounts]] = {}

    def open_of(self, dinas: str) -> Open:
        """The number of open files of a dinas."""
        counts = self.open_files.get(dinas)
        return NONE_OPEN if counts is None else counts.open

    def sums(self, queries: Queries, dinas: Collection[str], period: Period) -> dict[str, DinasSums]:
        """The sums of some dinas in a period; one statement reads all that are not cached yet."""
        with self._lock:
            by_dinas = {name: sums for name in dinas if (sums := self._sums.get((name, period.name))) is not None}
        missing = [name for name in dinas if name not in by_dinas]
        if missing:
            counts = summed(queries.leaves(missing, period.months))
            fresh = {name: counts.get(name) or DinasSums({}, {}) for name in missing}
            self._store(fresh, period)
            by_dinas |= fresh
        return by_dinas

    def _store(self, fresh: Mapping[str, DinasSums], period: Period) -> None:
        """Cache sums, and drop the oldest while there are too many."""
        with self._lock:
            self._sums.update({(name, period.name): sums for name, sums in fresh.items()})
            number = sum(map(_size, self._sums.values()))
            for key in list(self._sums):
                if number <= BALANCES_MOST:
                    break
                number -= _size(self._sums.pop(key))

    def served(self, queries: PublishedQueries, dinas: str, period: Period) -> dict[str, Amounts]:
        """The ratings that are served of each ASN of a dinas in a period: they rest on every block of its half-years."""
        key = (dinas, period.name)
        amounts = self._served.get(key)
        if amounts is None:
            amounts = queries.served_asn(dinas, period)
            with self._lock:
                if (
                    sum(map(len, self._served.values())) + len(amounts) > BALANCES_MOST
                    or len(self._served) >= SERVED_MOST
                ):
                    self._served.clear()
                self._served[key] = amounts
        return amounts

    def carry(self, before: VersionCache, moving: Collection[str]) -> None:
        """Take over what an earlier version knows of every dinas that did not move since."""
        with before._lock:
            self._sums = {key: sums for key, sums in before._sums.items() if key[0] not in moving}
            self._served = {key: sums for key, sums in before._served.items() if key[0] not in moving}


def cache_for(period: Period, cache: dict[str, _Value], value: _Value) -> None:
    """Cache a period's value; when the cache is full, drop all others."""
    if len(cache) >= PERIODS_MOST:
        cache.clear()
    cache[period.name] = value


def _size(sums: DinasSums) -> int:
    return len(sums.asn) + len(sums.services) + 1


def moved_between(movement: Movement, before: Version, generation: int, at: At) -> frozenset[str] | None:
    """The dinas that moved between a version and a later position; ``None`` if they are not known for certain."""
    if before.generation != generation or before.at.partitions or at.partitions:
        return None
    moves = movement.since(before.position, at.position)
    # A snapshot may see a fold that is not reported yet.
    if moves is None or (moves and moves[-1].position < at.position):
        return None
    return frozenset[str]().union(*(move.dinas for move in moves))


def open_files_at(
    queries: Queries, now_us: int, before: Mapping[str, OpenOfDinas], moving: Collection[str] | None
) -> dict[str, OpenOfDinas]:
    """The open files of every dinas, counted anew if the dinas moved or one more file may be overdue."""
    if moving is None:
        return queries.files.by_dinas(now_us)
    stale = {dinas for dinas, (_, next_due_us) in before.items() if next_due_us is not None and next_due_us < now_us}
    stale |= set(moving)
    fresh = queries.files.by_dinas(now_us, stale) if stale else {}
    return {dinas: counts for dinas, counts in before.items() if dinas not in stale} | fresh
