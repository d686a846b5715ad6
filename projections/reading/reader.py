"""Reading: snapshots of the served balances, and the caches that they share."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from domain.clock import day_begins_us, local_date, local_month
from domain.periods import Period, parse_period
from domain.rules.rulebook import Rulebook
from projections.reading.cache import VersionCache, moved_between, open_files_at
from projections.reading.public import PublicQueries, SmallCells
from projections.reading.published import Closes, PublishedQueries
from projections.reading.snapshot import Snapshot
from projections.reading.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from datetime import tzinfo

    from projections.live import Live
    from projections.store.queries import Queries

__all__ = ["Reader", "Snapshot"]

VIEWS_MOST: Final = 4
"""The most kinds of callers whose sums are cached; those of the public are among the first to come back."""


class Reader:
    """Opens snapshots of the served balances, and knows when an earlier reading is out of date."""

    def __init__(self, live: Live, zone: tzinfo, now_us: Callable[[], int]) -> None:
        self.live = live
        self.zone = zone
        self.now_us = now_us
        self._lock = threading.Lock()
        self._rulebook: tuple[int, Rulebook] = (-1, Rulebook())
        self._cache: VersionCache | None = None
        self._published: dict[frozenset[str] | None, VersionCache] = {}
        self._small: tuple[Version, SmallCells] | None = None
        self._closes = Closes()

    def period(self, text: str | None) -> Period:
        """The period asked for; the current month in the zone by default. Raises: ``ValueError``."""
        return self.month(self.now_us()) if text is None else parse_period(text)

    def month(self, instant_us: int) -> Period:
        """The month of an instant in the zone."""
        return parse_period(local_month(instant_us, self.zone))

    @contextmanager
    def snapshot(self, *, published: bool = False, own: frozenset[str] | None = None) -> Iterator[Snapshot]:
        """One consistent reading; ``published``: of ratings only what is published, for all but auditors and the operator.

        ``own``: the dinas whose small cells are shown too; ``None`` for those of every dinas.
        """
        (generation, store), now_us = self.live.served, self.now_us()
        with store.snapshot() as queries:
            cache = self._cache_at(queries, generation, now_us)
            if not published:
                yield Snapshot(queries, cache, now_us)
                return
            blocks = PublishedQueries(queries, self._closes, self.zone, now_us)
            if own is not None:
                blocks = PublicQueries(blocks, own, self._small_at(queries, cache.version))
            yield Snapshot(blocks, self._published_at(cache, own), now_us)

    def _small_at(self, queries: Queries, version: Version) -> SmallCells:
        """The cells that are too small to be shown at a version."""
        before = self._small
        if before is not None and before[0] == version:
            return before[1]
        small = SmallCells({})
        if before is not None and version.at.is_behind(before[0].at):  # another thread has read on meanwhile
            return small
        if before is not None and before[0].generation == version.generation:
            moving: Collection[str] | None
            if version.at.partitions:  # here a reader hears of movements from the database
                moving = {row[0] for row in queries.moved_since(before[0].position)}
            else:
                moving = moved_between(self.live.movement, before[0], version.generation, version.at)
            small = small if moving is None else before[1].except_of(moving)
        self._small = version, small
        return small

    def _published_at(self, exact: VersionCache, own: frozenset[str] | None) -> VersionCache:
        """The cache of what is published at a version to callers with some dinas of their own, or with all."""
        before, version = self._published.get(own), exact.version
        if before is not None and before.version == version:
            return before
        cache = VersionCache(version, exact.rulebook, exact.open_files)
        if before is not None and before.version.day == version.day:
            moving = moved_between(self.live.movement, before.version, version.generation, version.at)
            if moving is not None:
                cache.carry(before, moving)
        if own not in self._published and len(self._published) >= VIEWS_MOST:
            oldest = next(
                (view for view in list(self._published) if view), None
            )  # but for the public's, and all dinas'
            self._published.pop(oldest, None)
        self._published[own] = cache
        return cache

    def version(self) -> Version:
        """The version that a reading made now would have."""
        cache, now_us = self._cache, self.now_us()
        generation, store = self.live.served
        if cache is not None and cache.version.at == self.live.at and cache.version.holds(generation, now_us):
            return cache.version
        with store.snapshot() as queries:
            return self._cache_at(queries, generation, now_us).version

    def is_current(self, version: Version) -> bool:
        """True if a reading of ``version`` would come out the same now."""
        return version.at == self.live.at and version.holds(self.live.generation, self.now_us())

    def _cache_at(self, queries: Queries, generation: int, now_us: int) -> VersionCache:
        """The cache for a snapshot; only figures that may have changed since the last version are counted again."""
        at, before = queries.at(), self._cache
        if before is not None and before.version.at == at and before.version.holds(generation, now_us):
            return before
        moving = None if before is None else moved_between(self.live.movement, before.version, generation, at)
        open_files = open_files_at(queries, now_us, {} if before is None else before.open_files, moving)
        overdue = sum(counts.open.overdue for counts in open_files.values())
        today = local_date(now_us, self.zone)
        ends_us = day_begins_us(today + timedelta(days=1), self.zone) - 1
        dues = (counts.next_due_us for counts in open_files.values() if counts.next_due_us is not None)
        until_us = min((ends_us, *dues))
        version = Version(self.live.journal, generation, at, overdue, until_us, today.isoformat())
        cache = VersionCache(version, self._rules(queries, generation), open_files)
        if before is not None and moving is not None:
            cache.carry(before, moving)
        self._cache = cache
        return cache

    def _rules(self, queries: Queries, generation: int) -> Rulebook:
        """The rulebook as of a snapshot. A new object whenever a rule is added: readers in flight keep theirs."""
        with self._lock:
            known_generation, rulebook = self._rulebook
            if known_generation == generation and queries.last_rule() == rulebook.position:
                return rulebook
            fresh = rulebook.copy() if known_generation == generation else Rulebook()
            fresh.read(queries.rule_lines(fresh.position))
            self._rulebook = (generation, fresh)
            return fresh
