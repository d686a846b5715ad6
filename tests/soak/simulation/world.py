"""The simulated machine: a clock that only events move, chance by a seed, and processes that may end at any call outward.

A process that is stopped, or merely slow, waits inside such a call while everything else runs. Of several that wait, the
last one goes on first; three may wait at once.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final = {
    "relay killed": 0.01,
    "relay stopped": 0.004,
    "relay overtaken while it goes on": 0.05,
    "worker killed": 0.004,
    "worker stopped": 0.002,
    "worker's name started twice": 0.02,
    "assignment moved": 0.04,
    "record passed over by the framework": 0.004,
    "records left over from before a seek": 0.7,
    "send refused": 0.02,
    "send landed but unacknowledged": 0.03,
    "send partly landed": 0.04,
    "send landed late": 0.03,
    "record landed twice": 0.02,
    "old record landed again": 0.01,
    "records of a send reordered": 0.1,
    "broker away": 0.02,
    "record lost after acknowledgement": 0.005,
    "record spoilt": 0.001,
    "cursors not moved": 0.01,
    "cursors moved but unseen": 0.02,
    "store away": 0.01,
    "store away for long": 0.01,
    "database crashed": 0.05,
    "commit undone": 0.02,
    "commit done but unseen": 0.02,
    "entry not to be folded": 0.005,
    "balances rebuilt": 0.02,
}
"""Every fault, and its likelihood each time it could happen; a seed has some of them, more or less of each."""
REORDERED: Final = "records of a send reordered"
WITHOUT_ORDER: Final = {"records left over from before a seek", "assignment moved"}
"""Faults that never strike together with the one above: the first fold after a seek takes the first record it gets for the
first that the topic still keeps. On an acknowledged log out of order it may thus pass over a record that it needs, and stop,
visibly. The producer keeps the order."""
STANDING_MOST: Final = 3
SLOW: Final = 0.05
"""The likelihood that a call outward takes a while."""


class Killed(BaseException):
    """The process is killed. No handler of the program may see it."""


class World:
    """Time, chance, and what happened."""

    def __init__(self, seed: int, *, faulty_s: float, trace: bool = False) -> None:
        self.now = 0.0
        self.chance = random.Random(seed)  # noqa: S311 - chance that can be repeated, not a secret
        self.calm_after = faulty_s
        self.faults = Counter[str]()
        self.seen = Counter[str]()
        """The consequences of faults, by their number."""
        self.problems: list[str] = []
        self._trace = trace
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._standing = 0
        self._odds = {
            name: odds * 10 ** self.chance.uniform(-0.5, 0.5)
            for name, odds in FAULTS.items()
            if self.chance.random() < 0.5
        }
        if REORDERED in self._odds:
            self._odds = {name: odds for name, odds in self._odds.items() if name not in WITHOUT_ORDER}

    def clock(self) -> float:
        """Seconds since the beginning."""
        return self.now

    def say(self, text: str) -> None:
        """A line of the trace."""
        if self._trace:
            print(f"{self.now:9.3f}  {text}")

    def wrong(self, problem: str) -> None:
        """Report something that must never happen."""
        self.say(f"WRONG: {problem}")
        self.problems.append(f"at {self.now:.3f} s: {problem}")

    def happens(self, fault: str) -> bool:
        """Decide by chance whether a fault strikes now, and count it."""
        odds = self._odds.get(fault)
        if odds is None or self.now >= self.calm_after or self.chance.random() >= odds:
            return False
        self.faults[fault] += 1
        self.say(f"! {fault}")
        return True

    def after(self, seconds: float, function: Callable[[], None]) -> None:
        """Run a function later."""
        self._number += 1
        heapq.heappush(self._queue, (self.now + seconds, self._number, function))

    def run(self, until: float) -> None:
        """Run everything until a time."""
        while self._queue and self._queue[0][0] <= until:
            at, _, function = heapq.heappop(self._queue)
            self.now = max(self.now, at)
            function()
        self.now = max(self.now, until)

    def stand(self, seconds: float) -> bool:
        """Let the caller wait while all others run; false when too many wait already."""
        if self._standing >= STANDING_MOST:
            return False
        self._standing += 1
        self.run(self.now + seconds)
        self._standing -= 1
        return True


class Process:
    """A process of the operating system, as faults see it."""

    def __init__(self, world: World, kind: str, name: str) -> None:
        self.world = world
        self.kind = kind
        self.name = name
        self.alive = True
        self.stopped = False
        self.silent_since: float | None = None
        """The time since which nobody heard of it."""

    def outside(self) -> None:
        """A call outward: here it may be killed, stopped for a while, or slow. Raises: ``Killed``."""
        world = self.world
        self._go_on()
        if world.happens(f"{self.kind} killed"):
            self.die()
        elif world.happens(f"{self.kind} stopped"):
            self.stopped, self.silent_since = True, world.now
            world.stand(world.chance.choice((2.0, 9.0, 12.0, 25.0)) * world.chance.uniform(0.5, 1.0))
            self.stopped, self.silent_since = False, None if self.alive else self.silent_since
            if self.alive:
                self.woken()
        elif world.now < world.calm_after and world.chance.random() < SLOW:
            world.stand(world.chance.choice((0.01, 0.3, 2.0)))
        self._go_on()

    def _go_on(self) -> None:
        if not self.alive:
            raise Killed

    def die(self) -> None:
        """End at once; a process that waits inside a call learns it there."""
        if self.alive:
            self.world.say(f"{self.name} ends")
            self.alive = False
            self.silent_since = self.world.now
            self.died()

    def died(self) -> None:
        """React to the end of the process."""

    def woken(self) -> None:
        """React to the waking of the process."""
