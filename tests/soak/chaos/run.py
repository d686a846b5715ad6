"""A run of faults over one stack, and its verdict: the figures served must be those of the oracle and of the auditor.

Nothing acknowledged may be lost, nothing counted twice; every partition goes on within its limit.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
from collections import Counter as Tally
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

import psycopg

from local.local_server import Failed
from streams.worker.supervisor import Exit
from tests.faults.harness import Survived
from tests.faults.traffic import PERIOD
from tests.faults.verdict import balance_problems, journal_problems
from tests.kafka.process import Ended
from tests.soak.chaos.faults import KINDS, pause

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.soak.chaos.faults import Kind
    from tests.soak.chaos.stack import Stack

LOG: Final = logging.getLogger("tests.soak.chaos.__main__")
CALM_S: Final = 15.0
"""The time that a partition with something to fold may stand still without a fault: the watchdog allows as much."""
RULE: Final = "rulebook"


class Suffered(NamedTuple):
    """One fault: its kind, the time until every partition went on, and the longest time that one of them stood still."""

    kind: str
    recovery_s: float
    still_s: float


@dataclass
class Run:
    """The result of a run of faults."""

    seed: int
    suffered: list[Suffered] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    compared: int = 0
    entries: int = 0
    facts: int = 0
    unfolded: int = 0
    calm_s: float = 0.0
    busy: float = 1.0
    seconds: float = 0.0


def planned(seed: int, kinds: Iterable[Kind], scale: float) -> list[Kind]:
    """Each kind as often as it should strike, at least once, in an order of chance."""
    bag = [kind for kind in kinds for _ in range(max(1, round(kind.count * scale)))]
    random.Random(f"{seed}/order").shuffle(bag)  # noqa: S311 - a test's choices, not a secret
    return bag


def suffer(stack: Stack, kind: Kind, chance: random.Random, run: Run) -> None:
    """Strike with one fault, and note what is wrong after it."""
    calm_s, which = stack.watch.stillest()
    run.calm_s = max(run.calm_s, calm_s)
    if calm_s > CALM_S * stack.busy:
        run.problems.append(f"before {kind.name}: {which} stood still for {calm_s:.1f} s without a fault")
    stack.note_dropped()
    stack.over_at, began = None, time.monotonic()
    course = kind.strike(stack, chance)
    try:
        next(course)
        stack.over()
        assert stack.over_at is not None, "just said"
        recovery_s = stack.recovery_s(stack.over_at)  # type: ignore[unreachable]
        still_s, _ = stack.watch.stillest()
        stack.note_dropped()
        for _ in course:  # the fault checks what else must hold
            pass
        stack.recovery_s(time.monotonic())
        run.suffered.append(Suffered(kind.name, recovery_s, still_s))
        limit_s = kind.within_s * stack.busy
        if recovery_s > limit_s:
            run.problems.append(f"{kind.name}: recovered after {recovery_s:.1f} s, the limit is {limit_s:.0f} s")
    except (AssertionError, TimeoutError, Ended, Failed, psycopg.Error) as error:
        course.close()  # type: ignore[attr-defined]
        stack.postgres.start()
        stack.kafka.start()
        notes = " ".join(getattr(error, "__notes__", []))
        run.problems.append(f"{kind.name}, {time.monotonic() - began:.0f} s after it began: {error} {notes}"[:3000])
    stack.watch.stillest()
    last = [fault for fault in run.suffered[-1:] if fault.kind == kind.name]
    LOG.info("%s: %s%s", kind.name, last, f" PROBLEMS {run.problems}" if run.problems else "")


def compare(stack: Stack, run: Run) -> None:
    """Silence the counters, and compare the served figures with the journal, the auditor and the oracle."""
    stack.city.hush()
    try:
        stack.scaled.settle(120)
        outcome = _survived(stack, run.seed)
        replay = json.loads(stack.scaled.command("replay", "--period", PERIOD, within_s=300).stdout)
        run.problems += stack.city.ledger.problems + journal_problems(outcome) + balance_problems(outcome, replay)
        _count(stack, outcome, run)
        run.compared += 1
    except (AssertionError, TimeoutError) as error:
        run.problems.append(f"not compared: {error} {getattr(error, '__notes__', '')}"[:3000])
    finally:
        stack.city.go_on()


def _survived(stack: Stack, seed: int) -> Survived:
    export = stack.directory / "journal.ndjson"
    stack.scaled.command("export", "--journal", str(export), within_s=300)
    outcome = Survived(seed, ledger=stack.city.ledger)
    outcome.lines = [json.loads(line) for line in export.read_bytes().splitlines()]
    digest = stack.scaled.digest()
    outcome.served = {name: digest[name] for name in ("position", "digest")}
    cards = stack.scaled.get(f"/v1/dinas?period={PERIOD}&limit=1000")["items"]
    outcome.cards = {card["subject"]["id"]: card for card in cards}
    return outcome


def _count(stack: Stack, outcome: Survived, run: Run) -> None:
    """Check that the index of reasons holds every fact and reversal of the journal, and nothing else."""
    counts = {
        line["position"] for line in outcome.lines if re.search(r"processed|received|task|rated|event-", line["type"])
    }
    generation = stack.scaled.sql("SELECT generation FROM neraca.generations WHERE served")[0][0]
    index = {
        row[0]
        for row in stack.scaled.sql(f"SELECT DISTINCT position FROM neraca_{generation}.why")  # noqa: S608 - our own schema
    }
    run.entries, run.facts = len(outcome.lines), len(counts)
    run.unfolded += len(counts ^ index)
    if counts ^ index:
        run.problems.append(f"lost: {sorted(counts - index)[:5]}, made up: {sorted(index - counts)[:5]}")


def ends(stack: Stack) -> Tally[str]:
    """The reasons for which processes of workers ended by themselves, from the logs of their supervisors."""
    output = "".join(text for name, text in stack.scaled.all_output().items() if name.startswith(("worker", "hung")))
    names = {str(int(fault)): fault.name.lower().replace("_", " ") for fault in Exit}
    endings: Tally[str] = Tally()
    for code in re.findall(r"the worker ended with (-?\d+)", output):
        endings[names.get(code, f"code {code}")] += 1
    return endings


def unended(stack: Stack) -> list[str]:
    """The processes that no fault touches, and that have ended all the same."""
    return [f"{name} has ended" for name in ("intake", "api") if stack.scaled.running(name).code is not None]


def chaos(stack: Stack, kinds: Iterable[Kind], seed: int, *, every: int = 15, pause_s: float = 2.0) -> Run:
    """Strike with each of these in turn, and compare after every so many and at the end."""
    run, began = Run(seed, busy=stack.busy), time.monotonic()
    chance = random.Random(f"{seed}/faults")  # noqa: S311 - a test's choices, not a secret
    for number, kind in enumerate(kinds, 1):
        pause(chance.uniform(0.1, 1) * pause_s)
        suffer(stack, kind, chance, run)
        if number % every == 0:
            compare(stack, run)
    compare(stack, run)
    run.problems += unended(stack)
    run.seconds = time.monotonic() - began
    return run


__all__ = ["KINDS", "Run", "Suffered", "chaos", "compare", "ends", "planned"]
