"""What watches a worker from inside, with clients of its own: hangs, orders to resume, drained layouts, the rulebook.

The watchdog judges only what it can see: without an answer from broker and database it forgets what it saw, and so it does
when its own process was stopped for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg

from domain.events.entries import decode
from projections.segment import NotWritten
from streams.journal.journal import PersistenceError, line_hash
from streams.kafka.broker import NoBroker
from streams.places.directory import NoDatabase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from domain.events.entries import AnyEntry
    from projections.store.partitions import PartitionStore, StoredPartition
    from streams.journal.journal import Journal
    from streams.layouts import Layout, Layouts

LOOK_S: Final = 2.0
STILL_S: Final = 15.0
"""A partition with lag and without progress for this long means a hang."""
UNASSIGNED_S: Final = 33.0
"""Whoever folds nothing waits for longer than others need to end by theirs, to leave the group and to be followed."""
ASLEEP_S: Final = 8.0
"""A look that comes this late means that the process itself was stopped."""
RULES_S: Final = 0.2
LOG: Final = logging.getLogger("neraca.watchdog")


class Still(NamedTuple):
    """Since when a partition with lag stands at an offset."""

    read_next: int
    since: float


class Watchdog:
    """Judges, look by look, whether this process's partitions stand still although there is something to read.

    A process without any looks at all of them, more patiently: when nobody folds, it may be deaf to its assignment.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, Still] = {}
        self._looked = clock()
        self._assigned = False

    def forget(self) -> None:
        """Nothing was seen."""
        self._seen.clear()

    def look(self, ends: Mapping[int, int], standing: Mapping[int, StoredPartition], mine: frozenset[int]) -> list[int]:
        """The partitions that hang: of ``mine``, or of all where ``mine`` is empty."""
        now, assigned = self._clock(), bool(mine)
        if now - self._looked > ASLEEP_S or assigned != self._assigned:
            self.forget()
        self._looked, self._assigned = now, assigned
        judged = mine if assigned else frozenset(standing)
        for partition, stored in standing.items():
            held = self._seen.get(partition)
            if stored.stopped is not None or partition not in judged or stored.read_next >= ends.get(partition, 0):
                self._seen.pop(partition, None)
            elif held is None or held.read_next != stored.read_next:
                self._seen[partition] = Still(stored.read_next, now)
        patience_s = STILL_S if assigned else UNASSIGNED_S
        return sorted(one for one, still in self._seen.items() if now - still.since > patience_s)


class Watch(NamedTuple):
    """What the watching threads are made of."""

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
        """Begin to watch; in a thread apart, since a look may wait for the very lock that is to be freed, begin to free."""
        threading.Thread(target=self._run, name="neraca-watchdog", daemon=True).start()
        threading.Thread(target=self._freeing, name="neraca-freeing", daemon=True).start()

    def _freeing(self) -> None:
        while True:
            time.sleep(LOOK_S)
            try:
                self.free()
            except (NoDatabase, psycopg.Error) as error:
                LOG.info("cannot see who stands still: %s", error)

    def _run(self) -> None:
        dog = Watchdog()
        while True:
            time.sleep(LOOK_S)
            self.look(dog)

    def look(self, dog: Watchdog) -> None:
        """Look once; what cannot be seen is not judged."""
        try:
            ends, standing = self.ends(), self.store.standing()
            self._judge(dog, ends, standing)
            mine = self.layout.number
            if self.layouts.is_over(mine) and self.layouts.reached(self.layout.partitions).number != mine:
                self.end(f"layout {mine} is drained")
        except (NoBroker, NoDatabase, NotWritten, PersistenceError, psycopg.Error) as error:
            LOG.info("cannot see: %s", error)
            dog.forget()
        except Exception as error:
            LOG.exception("watching failed")
            self.end(f"watching failed: {error!r}")

    def _judge(self, dog: Watchdog, ends: Mapping[int, int], standing: Mapping[int, StoredPartition]) -> None:
        hanging = dog.look(ends, standing, self.mine())
        self.lag({one: max(0, ends.get(one, 0) - standing[one].read_next) for one in self.mine() if one in standing})
        if hanging:
            self.end(f"partitions {hanging} have lag and no progress, and {sorted(self.mine())} are assigned here")
        resumed = [one for one in self.stopped() if one in standing and standing[one].stopped is None]
        if resumed:
            self.end(f"partitions {resumed} are resumed")


class Rules:
    """Folds the rulebook's entries from the journal: whichever worker comes first, the others pass."""

    def __init__(self, store: PartitionStore, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._at = -1

    def start(self) -> None:
        """Begin to fold them."""
        threading.Thread(target=self._run, name="neraca-rules", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self.step()
            except (NotWritten, PersistenceError, psycopg.Error) as error:
                LOG.info("the rulebook waits: %s", error)
            except Exception:
                LOG.exception("the rulebook was not folded")
            time.sleep(RULES_S)

    def step(self) -> None:
        """Fold the rules up to the journal's head of now; what another holds may be no further, and is looked at again."""
        head = self._journal.head()
        if head == self._at:
            return
        if self._store.fold_rules(head, line_hash(self._journal.lines_at([head])[head]), self._entries):
            self._at = head

    def _entries(self, after: int) -> list[tuple[int, bytes, AnyEntry]]:
        return [(position, line, decode(line)) for position, line in self._journal.rule_lines(after)]
