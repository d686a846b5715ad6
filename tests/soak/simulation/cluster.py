"""A simulated Neraca of many processes: who writes, relays, folds, operates and breaks things, and what must hold at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.relay.cutting import SETTLED
from tests.soak.simulation.broker import Broker
from tests.soak.simulation.journal import SimulatedJournal, told
from tests.soak.simulation.relay import KeptCursors, Relay
from tests.soak.simulation.store import Balances
from tests.soak.simulation.worker import ENDS, Group, Worker

if TYPE_CHECKING:
    from tests.soak.simulation.planted import Program
    from tests.soak.simulation.world import World

QUIET_S: Final = 20.0
"""How long all must stand where it should, with no process ended, to count as quiet."""
QUIET_MOST_S: Final = 480.0
"""Within this after the last fault, all is quiet, whatever was to be read again, stopped and resumed."""


class Cluster:
    """The parts, and the seed's size of each."""

    def __init__(self, world: World, program: Program) -> None:
        chance = world.chance
        self.world = world
        self.program = program
        self.partitions = chance.randint(1, 4)
        self._heavy = chance.random() < 0.05
        self.segment_most = chance.choice((0, 2, 5)) if not self._heavy else 0
        self.fetch_most = chance.choice((2, 8, 50))
        self.journal = SimulatedJournal(self.partitions, chance.choice((5, 40)) if not self._heavy else 1_000_000)
        self.broker = Broker(world, self.partitions)
        self.balances = Balances(world, self.journal, self.partitions, numbered=program.numbered)
        self.cursors = KeptCursors(self.partitions)
        self.relaying: Relay | None = None
        self.group = Group(self)
        self._relays: dict[str, Relay] = {}
        self._workers: dict[str, Worker] = {}
        self._line = 0
        self._jumps = chance.random() < 0.5
        self._attentive = chance.choice((0.3, 0.01))
        for number in range(chance.randint(1, 3)):
            self.start_relay(f"relay-{number}")
        for number in range(chance.randint(1, 4)):
            self.start_worker(f"worker-{number}", 0.1)
        for what in (self._write, self._break, self._operate):
            world.after(0.0, what)

    def start_relay(self, name: str) -> None:
        """A relay's process."""
        self._relays[name] = Relay(self, name)

    def start_worker(self, name: str, pause_s: float, supervisor: object | None = None) -> None:
        """A worker's process; its supervisor, or a new one, paused for so long before.

        As in `streams/worker/lease.py`: a supervisor whose name was taken since waits while a process that has it lives.
        """
        held = self._workers.get(name)
        if supervisor is not None and held is not None and held.alive and held.supervisor is not supervisor:
            self.world.seen["a worker waited for its name"] += 1
            self.world.after(1.0, lambda: self.start_worker(name, pause_s, supervisor))
            return
        self._workers[name] = Worker(self, name, pause_s, supervisor or object())

    def _write(self) -> None:
        """The journal grows, until a little after the last fault."""
        world, chance, lines = self.world, self.world.chance, told()
        self.balances.flush()
        many = 1 if chance.random() < 0.7 else chance.randint(2, 12)
        same = self._heavy and chance.random() < 0.02
        for _ in range(chance.choice((700, 1500, 7000)) if same else many):
            self._line += 0 if same else 1
            jump = chance.randint(1, 3) if self._jumps and chance.random() < 0.1 else 0
            self.journal.add(lines[self._line % len(lines)], jump=jump)
        if world.now < world.calm_after + 5.0:
            world.after(chance.expovariate(2.0), self._write)

    def _break(self) -> None:
        """Faults that strike from outside, once a second."""
        world, chance = self.world, self.world.chance
        if world.happens("broker away"):
            self.broker.away_until = world.now + chance.uniform(1.0, 15.0)
        if world.happens("store away for long"):
            self.balances.away_until = world.now + chance.uniform(1.0, 20.0)
        if world.happens("assignment moved"):
            self.group.assign()
        if world.happens("relay overtaken while it goes on"):
            self.relaying = None
        if world.happens("database crashed"):
            self.balances.crash()
        if world.happens("balances rebuilt"):
            self.balances.rebuild()
        if world.happens("entry not to be folded"):
            self.balances.poison.add(self.journal.head() + 1)
        if world.happens("worker's name started twice"):
            self.start_worker(chance.choice(sorted(self._workers)), 0.1)
        if world.now < world.calm_after:
            world.after(1.0, self._break)
        else:
            self.balances.poison.clear()

    def _operate(self) -> None:
        """Now and then somebody looks for partitions that stand still, and lets them go on."""
        attentive = self._attentive if self.world.now < self.world.calm_after else 0.3
        for partition, stored in self.balances.stored.items():
            if stored.stopped is not None and self.world.chance.random() < attentive:
                self._resume(partition)
        self.world.after(3.0, self._operate)

    def _resume(self, partition: int) -> None:
        """What `streams/worker/resuming.py` does, in one transaction."""
        balances, cursors = self.balances, self.cursors
        if partition in balances.locks:
            return
        balances.flush()
        stored = balances.stored[partition]
        balances.gaps = {key: times for key, times in balances.gaps.items() if key[0] != partition}
        again = list(cursors.now.again)
        again[partition] = stored.position
        cursors.now = cursors.now._replace(again=tuple(again))
        balances.stored[partition] = stored._replace(stopped=None)
        self.world.seen["a partition was resumed"] += 1
        self.world.say(f"partition {partition} is resumed at {stored.position}")

    def suspect(self, partition: int, position: int) -> None:
        """Each gap that is met has a cause: what follows was spoilt by a fault, is still to come, or can be read again."""
        stored, cursors = self.balances.stored[partition], self.cursors.now
        following = list(self.broker.following(partition, position))
        owed = cursors.sent[partition] <= position or cursors.again[partition] != SETTLED
        readable = any(offset >= stored.read_next and whole for offset, _, whole in following)
        destroyed = any(not whole for _, _, whole in following)
        if not (owed or readable or destroyed):
            self.world.wrong(
                f"partition {partition} misses what follows position {position}; nobody will send it, no fault took it: "
                f"cursors {cursors}, to be read from {stored.read_next}, "
                f"on the topic at {[offset for offset, _, _ in following]}"
            )

    def settled(self) -> bool:
        """Whether everything stands at the journal's head, and nothing is left to send or to read."""
        if self.world.now < self.world.calm_after + 6.0 or self.broker.away():
            return False
        head, cursors, ends = self.journal.head(), self.cursors.now, self.broker.ends()
        return (cursors.scanned, set(cursors.sent), set(cursors.again)) == (head, {head}, {SETTLED}) and all(
            stored.position == head and stored.read_next == ends[one] and stored.stopped is None
            for one, stored in self.balances.stored.items()
        )

    def let_run(self) -> float:
        """Run to quiet; how long after the last fault it came. What must hold then is looked at."""
        world, since = self.world, None
        world.run(world.calm_after)
        while since is None or world.now - since < QUIET_S:
            if world.now > world.calm_after + QUIET_MOST_S or world.problems:
                break
            ended = self._ended()
            world.run(world.now + 1.0)
            if not self.settled() or self._ended() != ended:
                since = None
            elif since is None:
                since = world.now
        else:
            self.balances.verify("at the end")
            self._compare()
            return max(0.0, since - world.calm_after)
        if not world.problems:
            world.wrong(f"not quiet: head {self.journal.head()}, {self.cursors.now}, {self.balances.stored}")
        return 0.0

    def _ended(self) -> int:
        return sum(self.world.seen[why] for why in ENDS.values())

    def _compare(self) -> None:
        held = {account: balance for account, balance in self.balances.ledger.accounts.items() if any(balance)}
        counted = self.journal.counted(self.journal.head()).accounts
        if held != {account: balance for account, balance in counted.items() if any(balance)}:
            self.world.wrong("balances are not what the journal's lines add up to")
