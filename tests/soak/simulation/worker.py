"""Simulated workers: real folds and watchdogs, in processes that read, are assigned, overtaken, ended and started anew."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

from projections.segment import NotWritten
from projections.store.partitions import Overtaken
from streams.kafka.broker import NoBroker
from streams.worker.supervisor import CALM_S, FINAL, PAUSE_MOST_S, Exit
from streams.worker.watchdog import LOOK_S, Watchdog
from tests.soak.simulation.relay import LAYOUT
from tests.soak.simulation.store import ProcessStore
from tests.soak.simulation.world import Killed, Process

if TYPE_CHECKING:
    from tests.soak.simulation.cluster import Cluster

TAKE: Final = 16
"""As the worker's: it is not imported from there, for the framework that comes with it."""
RETRY_S: Final = 90.0
LOOKS_ON_S: Final = 1.0
ENDS: Final = {
    Exit.FAILED: "a worker's process failed",
    Exit.READ_AGAIN: "a worker's process ended to read again",
    Exit.WATCHDOG: "a watchdog ended its process",
    Exit.OVERTAKEN: "a worker's process was overtaken",
}


class Worker(Process):
    """One process of a worker. Its shell does what `streams/worker/shell.py` does, without the framework."""

    def __init__(self, cluster: Cluster, name: str, pause_s: float, supervisor: object) -> None:
        super().__init__(cluster.world, "worker", name)
        self._cluster = cluster
        self._program: Any = cluster.program.fold
        self.supervisor = supervisor
        self._pause_s = pause_s
        self._born = self.world.now
        balances = cluster.balances
        balances.epochs[name] = epoch = balances.epochs.get(name, 0) + 1
        self._store = ProcessStore(balances, self, epoch, cluster.suspect, torn=cluster.program.torn)
        self._fold = self._program.PartitionFold(
            self._store, cluster.journal.id, LAYOUT, self._letter, self.world.clock
        )
        self._dog = Watchdog(self.world.clock)
        self._mine: list[int] = []
        self._read_next: dict[int, int] = {}
        self._queue: list[Any] = []
        self._batch: list[Any] = []
        self._batch_since = 0.0
        self._looked = self._born
        self.world.after(0.0, self.tick)
        self.world.after(LOOK_S, self.look)
        cluster.group.join(self)

    def _letter(self, letter: Any) -> None:  # noqa: ANN401 - of the program under test, which may be a broken one
        self.world.seen["a record or segment was set aside"] += 1
        if self._cluster.broker.away():
            raise self._program.ReadAgain(letter.why)

    def woken(self) -> None:
        """A process that was given up finds out by and by."""
        self.world.after(self.world.chance.uniform(0.2, 3.0), lambda: self._cluster.group.join(self))

    def end(self, code: Exit, why: str) -> None:
        """End, and be started anew by the supervisor unless that is final."""
        if not self.alive:
            return
        self.world.seen[ENDS[code]] += 1
        self.world.say(f"{self.name}: {why}")
        self._final = code in FINAL
        self.die()

    _final = False

    def died(self) -> None:
        """The supervisor starts it anew, in growing pauses."""
        if self._final:
            return
        calm = self.world.now - self._born > CALM_S
        pause_s = 0.1 if calm else min(PAUSE_MOST_S, self._pause_s * 2)
        self.world.after(pause_s + 0.5, lambda: self._cluster.start_worker(self.name, pause_s, self.supervisor))

    def seek(self) -> None:
        """Read where the balances say. It runs beside a fold that is under way, as the framework's loop does."""
        if not self.alive:
            return
        if self.stopped:
            self.world.after(0.5, self.seek)
            return
        try:
            standing = self._store.standing()
        except NotWritten:
            self.world.after(0.5, self.seek)
            return
        except Killed:
            return
        self._fold.forget()
        self._mine = self._cluster.group.of(self)
        self._read_next = {one: standing[one].read_next for one in self._mine}
        if not self._queue or not self.world.happens("records left over from before a seek"):
            self._queue.clear()
        self.world.say(f"{self.name} reads {self._read_next}")

    def tick(self) -> None:
        """Fetch, and fold what was fetched, again and again until it is written."""
        if not self.alive:
            return
        if self.stopped:
            self.world.after(0.5, self.tick)
            return
        self._fetch()
        if not self._batch and self._queue:
            self._batch, self._queue = self._queue[:TAKE], self._queue[TAKE:]
            self._batch_since = self.world.now
        pause_s = self.world.chance.uniform(0.05, 0.4)
        if self._batch or self.world.now - self._looked > LOOKS_ON_S:
            self._looked = self.world.now
            try:
                self._fold_batch()
            except NotWritten as error:
                pause_s = 1.0
                if self.world.now - self._batch_since > RETRY_S:
                    self.end(Exit.READ_AGAIN, f"the database is away: {error}")
            except Killed:
                return
            except Exception as error:  # noqa: BLE001 - as in the worker, whatever else it is ends the process
                self._end_on(error)
        self.world.after(pause_s, self.tick)

    def _end_on(self, error: Exception) -> None:
        if isinstance(error, Overtaken):
            self.end(Exit.OVERTAKEN, "overtaken")
        elif isinstance(error, self._program.ReadAgain):
            self.end(Exit.READ_AGAIN, str(error))
        else:
            self.world.wrong(f"{self.name}: the fold failed: {traceback.format_exc()}")
            self.end(Exit.FAILED, "failed")

    def _fold_batch(self) -> None:
        """One fold; of nothing too, for gaps are looked for also while no record comes."""
        if {record.partition for record in self._batch} - set(self._cluster.group.of(self)):
            self.world.seen["a fold of partitions that another had by then"] += 1
        counts = self._fold.fold(self._batch)
        self._batch = []
        self.world.seen["entries applied"] += counts.applied
        self.world.seen["entries that came again, and were trimmed"] += counts.dropped

    def _fetch(self) -> None:
        for partition in self._mine:
            offset = self._read_next[partition]
            found, self._read_next[partition] = self._cluster.broker.read(partition, offset, self._cluster.fetch_most)
            self._queue += [
                self._program.Record(partition, one, value)
                for one, value in found
                if not self.world.happens("record passed over by the framework")
            ]

    def look(self) -> None:
        """The watchdog's look, in a thread of its own."""
        if not self.alive:
            return
        if not self.stopped:
            try:
                standing = self._store.standing()
                hanging = self._dog.look(self._cluster.broker.ends(), standing, frozenset(self._mine))
                resumed = [one for one in self._fold.stopped if standing[one].stopped is None]
                if hanging or resumed:
                    self.end(Exit.WATCHDOG, f"hanging {hanging}, resumed {resumed}")
            except (NotWritten, NoBroker):
                self._dog.forget()
            except Killed:
                return
        self.world.after(LOOK_S, self.look)


class Group:
    """Which worker reads which partitions: static members, given up when nobody heard of them for a session's length."""

    SESSION_S: Final = 10.0

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._members: dict[str, Worker] = {}
        self._names: list[str] = []
        """The member that each partition is assigned to."""
        cluster.world.after(1.0, self.look)

    def of(self, process: Worker) -> list[int]:
        """The partitions of a process; of two that have one name, both read them."""
        return [one for one, owner in enumerate(self._names) if owner == process.name]

    def join(self, process: Worker) -> None:
        """A process comes, or comes back. A known name takes over what it had."""
        if not process.alive:
            return
        known = process.name in self._members
        self._members[process.name] = process
        if known:
            self._cluster.world.after(0.1, process.seek)
        else:
            self.assign()

    def assign(self) -> None:
        """Assign all partitions anew; each member learns it a little later."""
        world, names = self._cluster.world, sorted(self._members)
        if not names:
            return
        world.chance.shuffle(names)
        self._names = [names[one % len(names)] for one in range(self._cluster.partitions)]
        world.say(f"assigned: {self._names}")
        for process in self._members.values():
            world.after(world.chance.uniform(0.1, 1.0), process.seek)

    def look(self) -> None:
        """Give up who is silent."""
        world = self._cluster.world
        silent = [
            name for name, process in self._members.items()
            if process.silent_since is not None and world.now - process.silent_since > self.SESSION_S
        ]  # fmt: skip
        for name in silent:
            del self._members[name]
        if silent:
            self.assign()
        world.after(1.0, self.look)
