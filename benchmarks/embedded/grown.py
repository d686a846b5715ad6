"""grown: the same reads over a journal of one million facts and of three, and the memory and time of digest and replay.

The facts of the periods that pages show are the same in both: what the larger journal has more of lies years back. So
each ratio of three millions to one says how far a figure of a period grows with the entries of others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.city import City, first
from benchmarks.embedded.pages import PERIOD
from benchmarks.embedded.traffic import Served, up_at
from benchmarks.harness import ERA, ROOT, WORK, Figure, Size, command, data_directory, exported_journal, pairs, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ERAS: Final = 3
GETS: Final = 40
PAIRS: Final = 5
FLAT: Final = 1.25
"""The most that a read of a period may take over three times the journal, as a ratio."""


class Run(NamedTuple):
    """A finished command: its processor time and wall time in seconds, and its peak memory in MB."""

    cpu_s: float
    wall_s: float
    memory_mb: float


def folded(count: int, era: int) -> Path:
    """A data directory of so many facts whose balances are at the journal's head, folded once and kept."""
    path = WORK / f"folded-{count}"
    if not path.exists():
        part = path.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(data_directory(count, era).path, part)
        print(f"folding {count:,} facts", file=sys.stderr, flush=True)
        subprocess.run(command("rebuild", "--data", str(part)), check=True, stdout=subprocess.DEVNULL)
        part.rename(path)
    return path


def paths(facts: int) -> dict[str, str]:
    """The reads that are compared, with an ASN of the newest half-year."""
    asn = first("task-completed", "dinas-03", City(7, "b0").facts(facts))["asn"]
    return {
        "board `/`": f"/?{PERIOD}",
        "dinas, a month": f"/dinas/dinas-03?{PERIOD}",
        "ASN": f"/asn/{asn}?{PERIOD}",
        "`/v1/rankings/dinas`": f"/v1/rankings/dinas?{PERIOD}",
        "`/v1/dinas`": f"/v1/dinas?{PERIOD}",
        "`/v1/asn`, why": f"/v1/asn/{asn}/why?{PERIOD}",
        "journal, its newest entries": "/auditor/journal",
        "journal, one dinas's retractions": "/auditor/journal?dinas=dinas-03&kind=event-retracted",
    }


def cpu_rate(up: Served, path: str, count: int) -> float:
    """Answers for each second of the server's processor time; no two addresses are spelt alike, so none comes from a cache."""
    before = up.cpu_s()
    for number in range(count):
        up.get(f"{path}{'&' if '?' in path else '?'}{'&' * number}")
    return count / (up.cpu_s() - before)


def ran(words: Sequence[str]) -> Run:
    """Run a command to its end. The memory is that of its largest process. Raises: ``RuntimeError``."""
    beginning = time.perf_counter()
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall, process.returncode = time.perf_counter() - beginning, os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{words} ended with {process.returncode}"
        raise RuntimeError(message)
    return Run(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024)


def reads(small: Served, large: Served, facts: int, size: Size) -> list[Figure]:
    """Each read of the larger journal beside the same of the smaller one, by processor time."""
    figures, count = [], size.count(GETS, 2)
    for name, path in paths(facts).items():
        for up in (small, large):
            cpu_rate(up, path, 2)
        ours, theirs = partial(cpu_rate, small, path, count), partial(cpu_rate, large, path, count)
        ratio = pairs(ours, theirs, size.count(PAIRS))
        took = 1000 / cpu_rate(large, path, count)
        figures.append(Figure(f"{name}: 3 M ÷ 1 M", ratio, FLAT, at_most=True, note=f"{took:.1f} ms of CPU at 3 M"))
    return figures


def served(sources: tuple[Path, Path], facts: int, size: Size) -> list[Figure]:
    """The reads, then the memory after a digest."""
    with ExitStack() as ending:
        small, large = (ending.enter_context(up_at(source)) for source in sources)
        figures, before = reads(small, large, facts, size), large.memory_mb()[0]
        for up in (small, large):
            up.get("/v1/digest")
        _, peak = large.memory_mb()
        note = f"{before:.0f} MB before; {small.memory_mb()[1]:.0f} MB at 1 M"
    return [*figures, Figure("memory of `up` after a digest, 3 M", peak, 300, "MB", at_most=True, note=note)]


def replayed(facts: tuple[int, int], era: int) -> list[Figure]:
    """Replays of both journals, stored and exported: time by events, memory in MB."""
    figures: list[Figure] = []
    sources: dict[str, Callable[[int], Path]] = {
        "--data": lambda count: data_directory(count, era).path,
        "--journal": lambda count: exported_journal(count, era),
    }
    for name, source in sources.items():
        small, large = (ran(command("replay", name, str(source(count)))) for count in facts)
        cpu, wall = large.cpu_s / small.cpu_s / ERAS, large.wall_s / small.wall_s / ERAS
        note = f"{large.cpu_s:.1f} s CPU, {large.wall_s:.1f} s; of wall time {wall:.2f}"
        memory = f"{small.memory_mb:.0f} MB at 1 M; the largest process"
        figures += [
            shown(f"`replay {name}`: CPU an event, 3 M ÷ 1 M", cpu, note=note),
            Figure(f"memory of `replay {name}`, 3 M", large.memory_mb, 400, "MB", at_most=True, note=memory),
        ]
    return figures


def run(size: Size) -> list[Figure]:
    """The figures of this measurement."""
    era = size.facts(ERA)
    facts = (era, ERAS * era)
    small, large = (folded(count, era) for count in facts)
    return [*served((small, large), era, size), *replayed(facts, era)]
