"""A simulated Neraca of many processes: it writes, relays, folds, is operated and broken, and must come to rest at the head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from streams.relay.cursors import SETTLED
from streams.relay.resuming import resume
from streams.worker.lease import may_take
from tests.soak.simulation.ground import Ground
from tests.soak.simulation.group import Group
from tests.soak.simulation.journal import recorded_lines
from tests.soak.simulation.relay import Relay
from tests.soak.simulation.worker import ENDS, Supervised, Worker

if TYPE_CHECKING:
    from tests.soak.simulation.planted import Program
    from tests.soak.simulation.world import World

QUIET_S: Final = 20.0
"""How long everything must stay at the journal's head, with no process ended, to count as quiet."""
QUIET_MOST_S: Final = 480.0
"""The time after the last fault within which all must be quiet, with everything read again and resumed."""


class Cluster:
    """The processes of a cluster, over the ground that they share."""

    def __init__(self, world: World, program: Program) -> None:
        chance = world.chance
        self.world = world
        self.ground = Ground(world, program)
        self.journal, self.balances = self.ground.journal, self.ground.balances
        self.group = Group(world, self.ground.partitions)
        self._relays: dict[str, Relay] = {}
        self._workers: dict[str, Worker] = {}
        self._supervisors = 0
        self._line = 0
        self._jumps = chance.random() < 0.5
        self._attentive = chance.choice((0.3, 0.01))
        for number in range(chance.randint(1, 3)):
            self.start_relay(f"relay-{number}")
        for number in range(chance.randint(1, 4)):
            self.supervise(f"worker-{number}")
        for task in (self._write, self._break, self._operate):
            world.after(0.0, task)

    def start_relay(self, name: str) -> None:
        """Start a relay's process."""
        self._relays[name] = Relay(self.ground, name, self.start_relay)

    def supervise(self, name: str) -> None:
        """Start a new supervisor under a worker's name; its first process takes the name at once."""
        self._supervisors += 1
        self._start(Supervised(name, f"supervisor-{self._supervisors}"))

    def _start(self, supervisor: Supervised) -> None:
        self._workers[supervisor.name] = Worker(self.ground, self.group, supervisor, self.restart)

    def restart(self, supervisor: Supervised) -> None:
        """Start a process again, by the rule of leases: it waits while a living process has the name."""
        owner = self._workers[supervisor.name]
        if may_take(owner.supervised.supervisor, supervisor.supervisor, owner_lives=owner.alive):
            self._start(supervisor)
            return
        self.world.seen["a worker waited for its name"] += 1
        self.world.after(1.0, lambda: self.restart(supervisor))

    def _write(self) -> None:
        """Let the journal grow, until a little after the last fault."""
        world, chance, lines = self.world, self.world.chance, recorded_lines()
        self.balances.flush()
        count = 1 if chance.random() < 0.7 else chance.randint(2, 12)
        same = self.ground.heavy and chance.random() < 0.02
        for _ in range(chance.choice((700, 1500, 7000)) if same else count):
            self._line += 0 if same else 1
            jump = chance.randint(1, 3) if self._jumps and chance.random() < 0.1 else 0
            self.journal.add(lines[self._line % len(lines)], jump=jump)
        if world.now < world.calm_after + 5.0:
            world.after(chance.expovariate(2.0), self._write)

    def _break(self) -> None:
        """Faults that strike from outside, once a second."""
        world, chance, ground = self.world, self.world.chance, self.ground
        if world.happens("broker away"):
            ground.broker.away_until = world.now + chance.uniform(1.0, 15.0)
        if world.happens("store away for long"):
            self.balances.away_until = world.now + chance.uniform(1.0, 20.0)
        if world.happens("assignment moved"):
            self.group.assign()
        if world.happens("relay overtaken while it goes on"):
            ground.elected = None
        if world.happens("database crashed"):
            self.balances.crash()
        if world.happens("balances rebuilt"):
            self.balances.rebuild()
        if world.happens("entry not to be folded"):
            self.balances.poison.add(self.journal.head() + 1)
        if world.happens("worker's name started twice"):
            self.supervise(chance.choice(sorted(self._workers)))
        if world.now < world.calm_after:
            world.after(1.0, self._break)
        else:
            self.balances.poison.clear()

    def _operate(self) -> None:
        """Now and then an operator looks for stopped partitions, and resumes them."""
        attentive = self._attentive if self.world.now < self.world.calm_after else 0.3
        for partition, row in self.balances.stored.items():
            if row.stopped is None or self.world.chance.random() >= attentive:
                continue
            if resume(SimulatedPartition(self.ground, partition)):
                self.world.seen["a partition was resumed"] += 1
                self.world.say(f"partition {partition} is resumed at {row.position}")
        self.world.after(3.0, self._operate)

    def settled(self) -> bool:
        """True if everything is at the journal's head, and nothing is left to send or to read."""
        broker = self.ground.broker
        if self.world.now < self.world.calm_after + 6.0 or broker.away():
            return False
        head, cursors, ends = self.journal.head(), self.ground.cursors.now, broker.ends()
        return (cursors.scanned, set(cursors.sent), set(cursors.again)) == (head, {head}, {SETTLED}) and all(
            row.position == head and row.read_next == ends[partition] and row.stopped is None
            for partition, row in self.balances.stored.items()
        )

    def let_run(self) -> float:
        """Run to quiet, and check what must hold then; how long after the last fault it came."""
        world, since = self.world, None
        world.run(world.calm_after)
        while since is None or world.now - since < QUIET_S:
            if world.now > world.calm_after + QUIET_MOST_S or world.problems:
                break
            problem = self._ended()
            world.run(world.now + 1.0)
            if not self.settled() or self._ended() != problem:
                since = None
            elif since is None:
                since = world.now
        else:
            self.balances.verify("at the end")
            self._compare()
            return max(0.0, since - world.calm_after)
        if not world.problems:
            world.wrong(f"not quiet: head {self.journal.head()}, {self.ground.cursors.now}, {self.balances.stored}")
        return 0.0

    def _ended(self) -> int:
        return sum(self.world.seen[why] for why in ENDS.values())

    def _compare(self) -> None:
        balances = {account: balance for account, balance in self.balances.ledger.accounts.items() if any(balance)}
        accounts = self.journal.counted(self.journal.head()).accounts
        if balances != {account: balance for account, balance in accounts.items() if any(balance)}:
            self.world.wrong("balances are not what the journal's lines add up to")


class SimulatedPartition:
    """A partition of the simulated store within the transaction that resumes it."""

    def __init__(self, ground: Ground, partition: int) -> None:
        self._ground = ground
        self._partition = partition

    def lock(self) -> int | None:
        """Its position; ``None`` when it has not stopped, or while a fold holds it."""
        balances = self._ground.balances
        row = balances.stored[self._partition]
        if row.stopped is None or self._partition in balances.locks:
            return None
        balances.flush()
        return row.position

    def forget_gaps(self) -> None:
        """The next gap is the first again."""
        gaps = self._ground.balances.gaps
        self._ground.balances.gaps = {key: times for key, times in gaps.items() if key[0] != self._partition}

    def order_again(self, position: int) -> None:
        """Have the relay send once more what follows a position."""
        cursors = self._ground.cursors
        cursors.now = cursors.now.with_again(self._partition, position)

    def clear_stop(self) -> None:
        """Fold on."""
        rows = self._ground.balances.stored
        rows[self._partition] = rows[self._partition]._replace(stopped=None)
