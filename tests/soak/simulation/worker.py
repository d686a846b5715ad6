"""Simulated workers: real folds and watchdogs, in processes that read, are assigned, overtaken, ended and started again."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from projections.segment import NotWritten
from streams.kafka.broker import NoBroker
from streams.worker import turn
from streams.worker.supervisor import FINAL, Exit, next_pause
from streams.worker.watchdog import LOOK_S, Watchdog, resumed_of
from tests.soak.simulation.relay import LAYOUT
from tests.soak.simulation.store import ProcessStore
from tests.soak.simulation.world import Killed, Process

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.soak.simulation.ground import Ground
    from tests.soak.simulation.group import Group

START_S: Final = 0.5
"""How long a process takes to start."""
ENDS: Final = {
    Exit.FAILED: "a worker's process failed",
    Exit.READ_AGAIN: "a worker's process ended to read again",
    Exit.WATCHDOG: "a watchdog ended its process",
    Exit.OVERTAKEN: "a worker's process was overtaken",
}


class Supervised(NamedTuple):
    """A start of a worker's process: its name, the supervisor that starts it, and the pause before."""

    name: str
    supervisor: str
    pause_s: float = 0.0


class Worker(Process):
    """One process of a worker. It takes turns as `streams/worker/shell.py` does, without the framework."""

    def __init__(
        self, ground: Ground, group: Group, supervisor: Supervised, restart: Callable[[Supervised], None]
    ) -> None:
        super().__init__(ground.world, "worker", supervisor.name)
        self._ground = ground
        self._group = group
        self._restart = restart
        self._program: Any = ground.program.fold
        self.supervised = supervisor
        self._born = self.world.now
        balances = ground.balances
        balances.epochs[self.name] = epoch = balances.epochs.get(self.name, 0) + 1
        self._store = ProcessStore(balances, self, epoch, ground.check_gap, torn_at=ground.program.torn)
        trust = self._program.Trust(None, None)  # lines of the simulation are not those that an intake records
        self._fold = self._program.PartitionFold(
            self._store, ground.journal.id, LAYOUT, self._letter, trust, self.world.clock
        )
        self._dog = Watchdog(self.world.clock)
        self._mine: list[int] = []
        self._read_next: dict[int, int] = {}
        self._queue: list[Any] = []
        self._batch: list[Any] = []
        self._failures = turn.failures()
        self._looked = self._born
        self.world.after(0.0, self.tick)
        self.world.after(LOOK_S, self.look)
        group.join(self)

    def _letter(self, letter: Any) -> None:  # noqa: ANN401 - of the program under test, which may be a broken one
        self.world.seen["a record or segment was set aside"] += 1
        if self._ground.broker.away():
            raise turn.ReadAgain(letter.why)

    def woken(self) -> None:
        """A process that was given up finds out by and by."""
        self.world.after(self.world.chance.uniform(0.2, 3.0), lambda: self._group.join(self))

    def end(self, ending: turn.Ending) -> None:
        """End, and be started again by the supervisor unless that is final."""
        if not self.alive:
            return
        self.world.seen[ENDS[ending.code]] += 1
        self.world.say(f"{self.name}: {ending.why}")
        self._final = ending.code in FINAL
        self.die()

    _final = False

    def died(self) -> None:
        """The supervisor starts it again, after pauses that grow."""
        if self._final:
            return
        pause_s = next_pause(self.supervised.pause_s, self.world.now - self._born)
        again = self.supervised._replace(pause_s=pause_s)
        self.world.after(pause_s + START_S, lambda: self._restart(again))

    def seek(self) -> None:
        """Read from where the balances say. It runs beside a fold that is under way, as the framework's loop does."""
        if not self.alive:
            return
        if self.stopped:
            self.world.after(0.5, self.seek)
            return
        try:
            rows = self._store.standing()
        except NotWritten:
            self.world.after(0.5, self.seek)
            return
        except Killed:
            return
        self._fold.forget()
        self._mine = self._group.of(self)
        self._read_next = {partition: rows[partition].read_next for partition in self._mine}
        if not self._queue or not self.world.happens("records left over from before a seek"):
            self._queue.clear()
        self.world.say(f"{self.name} reads {self._read_next}")

    def tick(self) -> None:
        """Fetch, and take a turn with the fetched records, again and again until it is written.

        A turn is not always full: the framework waits only a moment for more records.
        """
        if not self.alive:
            return
        if self.stopped:
            self.world.after(0.5, self.tick)
            return
        self._fetch()
        if not self._batch and self._queue:
            size = self.world.chance.choice((turn.TAKE, self.world.chance.randint(1, turn.TAKE)))
            self._batch, self._queue = self._queue[:size], self._queue[size:]
        pause_s = self.world.chance.uniform(turn.WITHIN_S, 0.4)
        if self._batch or self.world.now - self._looked > turn.LOOK_S:
            self._looked = self.world.now
            try:
                self._take_turn()
            except NotWritten as error:
                retry_s = self._failures.pause_s(self.world.now)
                if retry_s is None:
                    self.end(turn.ending_of(turn.gave_up(error)))
                    return
                pause_s = retry_s
            except Killed:
                return
            except Exception as error:  # noqa: BLE001 - as in the worker, any other error ends the process
                self._end_on(error)
        self.world.after(pause_s, self.tick)

    def _end_on(self, error: Exception) -> None:
        ending = turn.ending_of(error)
        if ending.code is Exit.FAILED:
            self.world.wrong(f"{self.name}: the fold failed: {traceback.format_exc()}")
        self.end(ending)

    def _take_turn(self) -> None:
        """One fold; of no record too, since gaps are looked for also while no record arrives."""
        if {record.partition for record in self._batch} - set(self._group.of(self)):
            self.world.seen["a fold of partitions that another had by then"] += 1
        counts = self._fold.fold(self._batch)
        self._batch = []
        self._failures.clear()
        self.world.seen["entries applied"] += counts.applied
        self.world.seen["entries that came again, and were trimmed"] += counts.dropped

    def _fetch(self) -> None:
        for partition in self._mine:
            offset = self._read_next[partition]
            records, self._read_next[partition] = self._ground.broker.read(partition, offset, self._ground.fetch_most)
            self._queue += [
                self._program.Record(partition, record_offset, value)
                for record_offset, value in records
                if not self.world.happens("record passed over by the framework")
            ]

    def look(self) -> None:
        """The watchdog's look, in a thread of its own."""
        if not self.alive:
            return
        if not self.stopped:
            try:
                rows = self._store.standing()
                hanging = self._dog.look(self._ground.broker.ends(), rows, frozenset(self._mine))
                partitions = resumed_of(self._fold.stopped, rows)
                if hanging or partitions:
                    self.end(turn.Ending(Exit.WATCHDOG, f"hanging {hanging}, resumed {partitions}"))
            except (NotWritten, NoBroker):
                self._dog.forget()
            except Killed:
                return
        self.world.after(LOOK_S, self.look)
