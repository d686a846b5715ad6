"""Simulated relays: real steps of a layout's relay, over cursors in memory, by processes that are elected, or believe so."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, Final

from streams.journal.journal import PersistenceError
from streams.kafka.broker import NoBroker
from streams.layouts import Layout
from streams.relay.layout_relay import RelayState
from streams.relay.relay import ELECTION_S, GATHER_S, IDLE_S
from streams.retrying import PROMPT, Failures
from tests.soak.simulation.world import Killed, Process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.relay.cursors import Cursors
    from tests.soak.simulation.ground import Ground

LAYOUT: Final = 1
STARTS_S: Final = (0.5, 4.0)


class Relay(Process):
    """One relay's process; ``restart`` starts the next one under its name."""

    def __init__(self, ground: Ground, name: str, restart: Callable[[str], None]) -> None:
        super().__init__(ground.world, "relay", name)
        self._ground = ground
        self._restart = restart
        self._failures = Failures(PROMPT)
        self._run: Any = None
        self._numbers: list[int] = []
        self.world.after(0.0, self.tick)

    def died(self) -> None:
        """The lock is given back with the connection, and the machine starts the relay again."""
        self._leave()
        self.world.after(self.world.chance.uniform(*STARTS_S), lambda: self._restart(self.name))

    def _leave(self) -> None:
        self._run = None
        if self._ground.elected is self:
            self._ground.elected = None

    def tick(self) -> None:
        """One turn of the loop around the steps: wait for the lock, step, or begin again after a failure that may pass."""
        if not self.alive:
            return
        try:
            pause_s = self._turn()
        except (NoBroker, PersistenceError) as error:
            self.world.say(f"{self.name}: {error}")
            self._leave()
            pause_s = self._failures.pause_s(self.world.now) or 0.0
        except Killed:
            return
        except Exception:  # noqa: BLE001 - any other error of a step is a fault of the program
            self.world.wrong(f"{self.name}: the step failed: {traceback.format_exc()}")
            return
        self.world.after(pause_s, self.tick)

    def _turn(self) -> float:
        if self._run is None:
            if self._ground.elected is not None:
                return ELECTION_S
            self._begin()
        more: bool = self._run.step(self._ground.journal.head())
        return 0.0 if more else self.world.chance.uniform(GATHER_S, IDLE_S)

    def _begin(self) -> None:
        ground, relay = self._ground, self._ground.program.relay
        ground.elected = self
        self._failures.clear()
        layout = Layout(LAYOUT, ground.partitions, 0)
        self._run = relay.LayoutRelay(ground.journal, layout, self, self._send, RelayState(), clock=self.world.clock)
        if ground.segment_most:
            self._run._cutter = relay.Cutter(ground.journal.id, LAYOUT, ground.partitions, ground.segment_most)

    def load(self) -> Cursors:
        """The stored cursors. Raises: ``PersistenceError``."""
        self.outside()
        self._may_fail()
        self._numbers = list(self._ground.cursors.numbers)
        return self._ground.cursors.now

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Compare and set. Raises: ``PersistenceError``, and then it may be done."""
        self.outside()
        self._may_fail()
        cursors = self._ground.cursors
        if cursors.now is not before:
            self.world.seen["cursors were moved by another"] += 1
            self.world.say(f"{self.name} is overtaken")
            return False
        self._ground.balances.flush()
        cursors.now, cursors.numbers = after, list(self._numbers)
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
        number: Callable[..., Any] = self._ground.program.numbering
        self.world.say(f"{self.name} sends")
        self._ground.broker.send(self, [number(record, self._numbers) for record in records])
        self.outside()
