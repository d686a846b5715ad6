"""Lanes: folds of one process side by side, each of partitions of its own. While one waits for the database, another reckons."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Final, Protocol

from streams.partition_fold import Counts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.partition_fold import PartitionFold, Record

LANES: Final = 2
"""Beyond two they wait for one another: only one of them runs Python at a time."""


class Folds(Protocol):
    """What a worker folds by."""

    @property
    def stopped(self) -> dict[int, str]:
        """The partitions that stand still, and why."""
        ...

    def fold(self, records: Iterable[Record]) -> Counts:
        """Apply records; called again with the same, it adds nothing twice."""
        ...

    def forget(self) -> None:
        """The partitions are read again from their stored offsets."""
        ...


class Lanes:
    """Several folds as one. A partition keeps its lane, so no two transactions of this process want the same rows."""

    def __init__(self, make: Callable[[], PartitionFold], number: int = LANES) -> None:
        self._folds = [make() for _ in range(number)]
        self._threads = ThreadPoolExecutor(number, thread_name_prefix="neraca-lane")
        self._lane_of: dict[int, int] = {}

    @property
    def stopped(self) -> dict[int, str]:
        """The partitions that stand still, and why."""
        return {partition: why for fold in self._folds for partition, why in fold.stopped.copy().items()}

    def forget(self) -> None:
        """The partitions are read again from their stored offsets; called from any thread."""
        for fold in self._folds:
            fold.forget()

    def fold(self, records: Iterable[Record]) -> Counts:
        """Apply records, each lane its share in one transaction; what one of them raises is raised once all have ended.

        Called again with the same, it adds nothing twice. Raises: what a fold raises.
        """
        shares: list[list[Record]] = [[] for _ in self._folds]
        for record in records:
            shares[self._lane_of.setdefault(record.offset, len(self._lane_of) % len(shares))].append(record)
        running = [self._threads.submit(fold.fold, share) for fold, share in zip(self._folds, shares, strict=True)]
        wait(running)
        counts = [one.result() for one in running]
        moved = {partition: to for one in counts for partition, to in one.moved.items()}
        return Counts(sum(one.applied for one in counts), sum(one.dropped for one in counts), moved)
