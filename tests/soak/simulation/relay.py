"""Simulated relays: real steps of a layout's relay, over cursors in memory, by processes that take turns, or believe so."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

from streams.journal.journal import PersistenceError
from streams.kafka.broker import NoBroker
from streams.layouts import Layout
from streams.relay.cutting import SETTLED, Cursors
from streams.relay.relay import GATHER_S, IDLE_S, RETRY_S, TURN_S, RelayState
from tests.soak.simulation.world import Killed, Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.soak.simulation.cluster import Cluster

LAYOUT: Final = 1
STARTS_S: Final = (0.5, 4.0)


class KeptCursors:
    """The cursors, and numbers of the last segment of each partition for the variant that trusts those."""

    def __init__(self, partitions: int) -> None:
        self.now = Cursors(0, (0,) * partitions, (SETTLED,) * partitions)
        self.numbers = [0] * partitions


class Relay(Process):
    """One relay's process, and those that follow it under its name."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        super().__init__(cluster.world, "relay", name)
        self._cluster = cluster
        self._run: Any = None
        self._numbers: list[int] = []
        self.world.after(0.0, self.tick)

    def died(self) -> None:
        """The lock is given back with the connection, and the machine starts it anew."""
        self._leave()
        self.world.after(self.world.chance.uniform(*STARTS_S), lambda: self._cluster.start_relay(self.name))

    def _leave(self) -> None:
        self._run = None
        if self._cluster.relaying is self:
            self._cluster.relaying = None

    def tick(self) -> None:
        """One turn of the loop around the steps: wait for the lock, step, or begin anew after what may pass."""
        if not self.alive:
            return
        try:
            pause_s = self._turn()
        except (NoBroker, PersistenceError) as error:
            self.world.say(f"{self.name}: {error}")
            self._leave()
            pause_s = RETRY_S
        except Killed:
            return
        except Exception:  # noqa: BLE001 - whatever else leaves a step is a fault of the program
            self.world.wrong(f"{self.name}: the step failed: {traceback.format_exc()}")
            return
        self.world.after(pause_s, self.tick)

    def _turn(self) -> float:
        if self._run is None:
            if self._cluster.relaying is not None:
                return TURN_S
            self._cluster.relaying = self
            relay: Any = self._cluster.program.relay
            layout = Layout(LAYOUT, self._cluster.partitions, 0)
            journal = self._cluster.journal
            self._run = relay.LayoutRelay(journal, layout, self, self._send, RelayState(), clock=self.world.clock)
            if self._cluster.segment_most:
                small = relay.Outbox(journal.id, LAYOUT, self._cluster.partitions, self._cluster.segment_most)
                self._run._outbox = small
        more = self._run.step(self._cluster.journal.head())
        return 0.0 if more else self.world.chance.uniform(GATHER_S, IDLE_S)

    def load(self) -> Cursors:
        """The cursors as they are kept. Raises: ``PersistenceError``."""
        self.outside()
        self._may_fail()
        self._numbers = list(self._cluster.cursors.numbers)
        return self._cluster.cursors.now

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Compare and set. Raises: ``PersistenceError``, and then it may be done."""
        self.outside()
        self._may_fail()
        kept = self._cluster.cursors
        if kept.now is not before:
            self.world.seen["cursors were moved by another"] += 1
            self.world.say(f"{self.name} is overtaken")
            return False
        self._cluster.balances.flush()
        kept.now, kept.numbers = after, list(self._numbers)
        self.world.say(f"{self.name} moves the cursors: {after.scanned} {after.sent} {after.again}")
        if self.world.happens("cursors moved but unseen"):
            message = "the connection ended with the answer"
            raise PersistenceError(message)
        return True

    def _may_fail(self) -> None:
        if self.world.happens("cursors not moved"):
            message = "the database is away"
            raise PersistenceError(message)

    def _send(self, records: Iterable[tuple[Any, ...]]) -> None:
        self.outside()
        number: Callable[..., Any] = self._cluster.program.numbering
        self.world.say(f"{self.name} sends")
        self._cluster.broker.send(self, [number(record, self._numbers) for record in records])
        self.outside()
