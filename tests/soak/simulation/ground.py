"""The ground that all simulated processes share: clock and chance, journal, broker, balances, cursors, and the program they run.

Processes are handed this; none of them knows the cluster that starts them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.relay.cursors import SETTLED, Cursors
from tests.soak.simulation.broker import Broker
from tests.soak.simulation.journal import SimulatedJournal
from tests.soak.simulation.store import Balances

if TYPE_CHECKING:
    from tests.soak.simulation.planted import Program
    from tests.soak.simulation.world import World


class KeptCursors:
    """The cursors, and the number of the last segment of each partition for the variant that trusts those."""

    def __init__(self, partitions: int) -> None:
        self.now = Cursors(0, (0,) * partitions, (SETTLED,) * partitions)
        self.numbers = [0] * partitions


class Ground:
    """The shared parts of a cluster, and a size of each by chance."""

    def __init__(self, world: World, program: Program) -> None:
        chance = world.chance
        self.world = world
        self.program = program
        self.partitions = chance.randint(1, 4)
        self.heavy = chance.random() < 0.05
        self.segment_most = chance.choice((0, 2, 5)) if not self.heavy else 0
        self.fetch_most = chance.choice((2, 8, 50))
        self.journal = SimulatedJournal(self.partitions, chance.choice((5, 40)) if not self.heavy else 1_000_000)
        self.broker = Broker(world, self.partitions)
        self.balances = Balances(world, self.journal, self.partitions, by_number=program.numbered)
        self.cursors = KeptCursors(self.partitions)
        self.elected: object | None = None
        """The relay that holds the lock, if one does."""

    def check_gap(self, partition: int, position: int) -> None:
        """Each gap has a cause: a fault destroyed what follows, it is still to be sent, or it can be read again."""
        row, cursors = self.balances.stored[partition], self.cursors.now
        following = list(self.broker.following(partition, position))
        is_owed = cursors.sent[partition] <= position or cursors.again[partition] != SETTLED
        readable = any(offset >= row.read_next and whole for offset, _, whole in following)
        is_destroyed = any(not whole for _, _, whole in following)
        if not (is_owed or readable or is_destroyed):
            self.world.wrong(
                f"partition {partition} misses what follows position {position}; nobody will send it, no fault took it: "
                f"cursors {cursors}, to be read from {row.read_next}, "
                f"on the topic at {[offset for offset, _, _ in following]}"
            )
