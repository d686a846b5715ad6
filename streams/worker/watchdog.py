"""The watchdog: ends a worker that hangs, whose partitions were resumed, or whose layout is drained. It has clients of its own.

It judges only what it can see: without an answer from broker and database it forgets what it saw, and so it does when its
own process was stopped for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg

from projections.segment import NotWritten
from streams.journal.journal import PersistenceError
from streams.kafka.broker import NoBroker
from streams.places.location import NoDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from projections.store.partitions import PartitionStore, StoredPartition
    from streams.layouts import Layout, Layouts

LOOK_S: Final = 2.0
STILL_S: Final = 15.0
"""A partition with lag and without progress for this long means a hang."""
UNASSIGNED_S: Final = 33.0
"""An unassigned worker waits longer: time for the others to exit, leave the group and be replaced."""
ASLEEP_S: Final = 8.0
"""A look that comes this late means that the process itself was stopped."""
LOG: Final = logging.getLogger("neraca.watchdog")


class Still(NamedTuple):
    """A partition with lag that does not move: its offset, and since when."""

    read_next: int
    since: float


class Watchdog:
    """Judges, look by look, whether this process's partitions are stuck although there is something to read.

    A process without partitions looks at all of them, more patiently: if nobody folds, it may be deaf to its assignment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._still: dict[int, Still] = {}
        self._looked = clock()
        self._assigned = False

    def forget(self) -> None:
        """Forget all earlier looks."""
        self._still.clear()

    def look(self, ends: Mapping[int, int], rows: Mapping[int, StoredPartition], mine: frozenset[int]) -> list[int]:
        """The partitions that hang: of ``mine``, or of all of them if ``mine`` is empty."""
        now, has_partitions = self._clock(), bool(mine)
        if now - self._looked > ASLEEP_S or has_partitions != self._assigned:
            self.forget()
        self._looked, self._assigned = now, has_partitions
        watched_partitions = mine if has_partitions else frozenset(rows)
        for partition, at in rows.items():
            still = self._still.get(partition)
            if at.stopped is not None or partition not in watched_partitions or at.read_next >= ends.get(partition, 0):
                self._still.pop(partition, None)
            elif still is None or still.read_next != at.read_next:
                self._still[partition] = Still(at.read_next, now)
        patience_s = STILL_S if has_partitions else UNASSIGNED_S
        return sorted(partition for partition, still in self._still.items() if now - still.since > patience_s)


class Watch(NamedTuple):
    """The threads that watch a worker, and what they are made of."""

    store: PartitionStore
    layout: Layout
    layouts: Layouts
    ends: Callable[[], Mapping[int, int]]
    mine: Callable[[], frozenset[int]]
    stopped: Callable[[], Mapping[int, str]]
    lag: Callable[[Mapping[int, int]], None]
    free: Callable[[], object]
    end: Callable[[str], None]

    def start(self) -> None:
        """Begin to watch, and in a second thread to free locks: a look may wait for the very lock that is to be freed."""
        threading.Thread(target=self._run, name="neraca-watchdog", daemon=True).start()
        threading.Thread(target=self._freeing, name="neraca-freeing", daemon=True).start()

    def _freeing(self) -> None:
        while True:
            time.sleep(LOOK_S)
            try:
                self.free()
            except (NoDatabase, psycopg.Error) as error:
                LOG.info("cannot see which sessions are stuck: %s", error)

    def _run(self) -> None:
        dog = Watchdog()
        while True:
            time.sleep(LOOK_S)
            self.look(dog)

    def look(self, dog: Watchdog) -> None:
        """Look once; without an answer from broker and database nothing is judged."""
        try:
            ends, rows = self.ends(), self.store.standing()
            self._judge(dog, ends, rows)
            mine = self.layout.number
            if self.layouts.is_over(mine) and self.layouts.current(self.layout.partitions).number != mine:
                self.end(f"layout {mine} is drained")
        except (NoBroker, NoDatabase, NotWritten, PersistenceError, psycopg.Error) as error:
            LOG.info("cannot see: %s", error)
            dog.forget()
        except Exception as error:
            LOG.exception("watching failed")
            self.end(f"watching failed: {error!r}")

    def _judge(self, dog: Watchdog, ends: Mapping[int, int], rows: Mapping[int, StoredPartition]) -> None:
        mine = self.mine()
        hanging = dog.look(ends, rows, mine)
        self.lag(
            {
                partition: max(0, ends.get(partition, 0) - rows[partition].read_next)
                for partition in mine
                if partition in rows
            }
        )
        if hanging:
            self.end(f"partitions {hanging} have lag and no progress, and {sorted(mine)} are assigned here")
        partitions = resumed_of(self.stopped(), rows)
        if partitions:
            self.end(f"partitions {partitions} are resumed")


def resumed_of(stops: Mapping[int, str], rows: Mapping[int, StoredPartition]) -> list[int]:
    """The partitions that a fold knows as stopped although they are so no more: its process reads them again."""
    return [partition for partition in stops if partition in rows and rows[partition].stopped is None]
