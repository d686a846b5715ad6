"""Rounds of a simulation: three counters share cases, send through broken networks, die in between, and end with nothing left."""

from __future__ import annotations

import json
import random
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

from domain.clock import utc_text
from streams.emitting.client import NotTaken
from streams.emitting.emitter import Emitter, emit_all
from streams.emitting.outbox import Outbox
from streams.emitting.sender import Sender
from tests.serving import event
from tests.soak.counters.network import FORBIDDEN, PROXY_TAKES, Network, SimulatedClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving import Assembled

COUNTERS: Final = 3
CASES: Final = 6
TASKS: Final = 8
RUNS_MOST: Final = 60
"""Within so many runs of each counter everything must have found its fate, a wrong clock's event too."""
PATIENCE_S: Final = 60.0
AHEAD_S: Final = 600
"""One counter's clock is so far ahead."""
DAY: Final = "2026-11-02"


class Outcome(Struct):
    """The result of one round."""

    seed: int
    problems: list[str]
    struck: Counter[str] = field(default_factory=Counter)
    recorded: int = 0
    refused: int = 0


class Traffic:
    """The events of one round: what each counter sends, and which of it cannot be recorded."""

    def __init__(self, seed: int, chance: random.Random, now_us: int) -> None:
        self._seed = seed
        self._chance = chance
        self._now_us = now_us
        self.lines: list[list[bytes]] = [[] for _ in range(COUNTERS)]
        self.good: set[str] = set()
        self.bad: dict[str, str] = {}
        """The ids of events that are refused, and a part of the reason."""
        for number in range(CASES):
            self._case(number)
        for number in range(TASKS):
            self._task(number)
        self._bad()

    def _add(self, counter: int, kind: str, name: str, data: dict[str, Any], why: str = "", **more: Any) -> None:  # noqa: ANN401 - attributes of an event
        name = f"{self._seed}-{name}"
        message = event(kind, name, data, source=f"/loket/{counter}", **more)
        self.lines[counter].append(json.dumps(message).encode())
        if why:
            self.bad[name] = why
        else:
            self.good.add(name)

    def _case(self, number: int) -> None:
        """A case whose receipt is at one counter, and whose later steps are at another, in their order."""
        file = {"dinas": f"d{self._seed}", "service": "ktp", "case": f"K{number}"}
        first, other = self._chance.randrange(COUNTERS), self._chance.randrange(COUNTERS)
        self._add(first, "permit-received", f"r{number}", {**file, "received_at": f"{DAY}T08:00:00+07:00"})
        if self._chance.random() < 0.6:
            pause = {**file, "at": f"{DAY}T09:00:00+07:00", "reason": "applicant"}
            self._add(other, "permit-paused", f"p{number}", pause)
            self._add(other, "permit-resumed", f"q{number}", {**file, "at": f"{DAY}T10:00:00+07:00"})
        self._add(other, "permit-processed", f"d{number}", {**file, "completed_at": f"{DAY}T12:00:00+07:00"})

    def _task(self, number: int) -> None:
        """A task; some are retracted at another counter, and some come from a clock that is ahead."""
        counter, name = self._chance.randrange(COUNTERS), f"t{number}"
        ahead = counter == 0 and number % 2
        at = utc_text(self._now_us + AHEAD_S * 1_000_000) if ahead else f"{DAY}T11:00:00+07:00"
        data = {"dinas": f"d{self._seed}", "asn": "a", "task": f"{name}{'x' * self._chance.choice((0, 0, 150))}"}
        self._add(counter, "task-completed", name, {**data, "completed_at": at}, time=at)
        if self._chance.random() < 0.4:
            target = {"source": f"/loket/{counter}", "id": f"{self._seed}-{name}"}
            other = self._chance.randrange(COUNTERS)
            self._add(other, "event-retracted", f"x{number}", {"event": target, "reason": "mistake"})

    def _bad(self) -> None:
        """Events that cannot be recorded, each for a reason of its own, among the others."""
        task = {"dinas": f"d{self._seed}", "asn": "a", "task": "t", "completed_at": f"{DAY}T11:00:00+07:00"}
        bad = {
            "wide": ({**task, "task": "t", "note": "x" * PROXY_TAKES}, "Too Large"),
            "script": ({**task, "task": FORBIDDEN.decode()}, "Access denied"),
            "wrong": ({**task, "completed_at": "yesterday"}, "/data/completed_at"),
        }
        for name, (data, why) in bad.items():
            self._add(self._chance.randrange(COUNTERS), "task-completed", name, data, why)
        for lines in self.lines:
            last = lines.pop() if lines else None
            if last is not None:
                lines.insert(self._chance.randrange(len(lines) + 1) if self._is_bad(last) else len(lines), last)

    def _is_bad(self, line: bytes) -> bool:
        return json.loads(line)["id"] in self.bad


class SimulatedCounter(Struct):
    """A counter: its outbox on disk, its way to the intake, and its lines not yet handed to the emitter."""

    outbox: Path
    network: Network
    lines: list[bytes]


def simulated(seed: int, neraca: Assembled, clock: SimulatedClock, directory: Path) -> Outcome:
    """One round to its end: each good event is in the journal once, and each bad one in an outbox with its reason."""
    chance = random.Random(seed)  # noqa: S311 - a test's choices, not a secret
    traffic, before = Traffic(seed, chance, clock()), neraca.journal.head()
    counters = [
        SimulatedCounter(
            directory / f"{seed}-{number}.sqlite", Network(neraca, clock, chance, 20.0 + seed * 37 % 200), lines
        )
        for number, lines in enumerate(traffic.lines)
    ]
    for _ in range(RUNS_MOST):
        chance.shuffle(counters)
        if not sum(_run(counter, clock, chance) for counter in counters):
            break
    outcome = Outcome(seed, list(_problems(traffic, neraca, before, counters)))
    outcome.recorded, outcome.refused = len(traffic.good), len(traffic.bad)
    for counter in counters:
        outcome.struck.update(counter.network.struck)
    return outcome


def _run(counter: SimulatedCounter, clock: SimulatedClock, chance: random.Random) -> int:
    """One run of a counter's emitter over some more of its lines; the number of events it still has to send."""
    outbox = Outbox(counter.outbox)
    try:
        number = chance.randrange(len(counter.lines) + 1) if chance.random() < 0.7 else len(counter.lines)
        group, counter.lines = counter.lines[:number], counter.lines[number:]
        sender = Sender(counter.network, lambda _: None, patience_s=PATIENCE_S, pause=clock.pause, clock=clock.seconds)
        with suppress(NotTaken):  # then the next run sends
            emit_all(group, Emitter(outbox, sender, lambda _: None), outbox)
        clock.pause(chance.choice((0.0, 5.0, 60.0)))
        return outbox.pending() + len(counter.lines)
    finally:
        outbox.close()


def _problems(traffic: Traffic, neraca: Assembled, before: int, counters: list[SimulatedCounter]) -> Iterator[str]:
    lines = neraca.journal.lines(before, neraca.journal.head() - before)
    counts = Counter(str(json.loads(line)["id"]) for _, line in lines)
    for name in sorted(traffic.good):
        if counts[name] != 1:
            yield f"{name} is in the journal {counts[name]} times"
    yield from (f"{name} is in the journal" for name in traffic.bad if counts[name])
    reasons: dict[str, str] = {}
    for counter in counters:
        outbox = Outbox(counter.outbox)
        reasons |= {json.loads(entry.line)["id"]: str(entry.problem["detail"]) for entry in outbox.refused()}
        if outbox.pending() or counter.lines:
            yield f"{counter.outbox.name}: {outbox.pending()} pending: {[entry.problem for entry in outbox.waiting()][:3]}"
        outbox.close()
    yield from (f"{name} was refused: {reasons[name]}" for name in sorted(reasons.keys() & traffic.good))
    for name, why in traffic.bad.items():
        if why not in reasons.get(name, ""):
            yield f"{name} is refused with {reasons.get(name)!r}, not with {why!r}"
