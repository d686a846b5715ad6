"""The harness of every benchmark: its size, its prepared journals, pairs of two measurements, and the figures it reports."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

from benchmarks.city import DAYS, START, City, rules
from domain.intake.wire import Submission, read_submission
from neraca.wiring import now_us
from projections.ports import LOCAL, Accepted
from projections.store.private import make_directory
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ZONE: Final = "Asia/Jakarta"
ROOT: Final = Path(__file__).parent.parent
WORK: Final = Path(tempfile.gettempdir()) / "neraca-benchmarks"
"""Prepared journals stay here between runs; remove it to prepare them anew."""
ERA: Final = 1_000_000
"""Facts of one half-year; a larger journal has earlier half-years before it."""
YEAR: Final = timedelta(days=365)


class Size(NamedTuple):
    """The size of a run, as a share of the documented one: 1 measures, a thousandth shows that a benchmark still works."""

    share: float = 1.0

    def facts(self, whole: int) -> int:
        """That share of some events, a thousand at least."""
        return max(int(whole * self.share), 1000)

    def seconds(self, whole: float) -> float:
        """That share of a length of time, a third of a second at least."""
        return max(whole * self.share, 0.3)

    def count(self, whole: int, least: int = 1) -> int:
        """That share of some pairs, rounds or clients, ``least`` at the least."""
        return max(int(whole * self.share), least)


class Figure(NamedTuple):
    """One line of the table: its name, its value, its goal (0 is none), and the unit (``x`` is a ratio)."""

    name: str
    value: float
    goal: float = 0
    unit: str = "x"
    at_most: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        """True if the goal is met, or if there is none."""
        return not self.goal or (self.value <= self.goal if self.at_most else self.value >= self.goal)

    def row(self) -> str:
        """The figure as a row of a Markdown table."""
        sign = "≤" if self.at_most else "≥"
        goal = f"{sign} {self.goal:g} {self.unit}" if self.goal else "—"
        answer = "" if not self.goal else "yes" if self.reached else "**no**"
        return f"| {self.name} | {self.value:.2f} {self.unit} | {goal} | {answer} | {self.note} |"


def shown(name: str, value: float, unit: str = "x", note: str = "") -> Figure:
    """A figure without a goal, reported beside the others."""
    return Figure(name, value, 0, unit, note=note)


def pairs(ours: Callable[[], float], theirs: Callable[[], float], count: int) -> float:
    """The median of our rate over theirs, in ``count`` pairs whose order alternates, so that a busy machine slows both."""
    ratios = []
    for number in range(count):
        if number % 2:
            other = theirs()
            ratios.append(ours() / other)
        else:
            own = ours()
            ratios.append(own / theirs())
    return statistics.median(ratios)


def quantile(values: list[float], share: float) -> float:
    """The value that ``share`` of the values do not exceed."""
    sequence = sorted(values)
    return sequence[min(len(sequence) - 1, int(share * len(sequence)))]


def command(*words: str) -> list[str]:
    """The real command line, run from anywhere."""
    return [sys.executable, "-m", "neraca", *words]


def submissions(events: Iterable[dict[str, object]]) -> list[Submission]:
    """Events in the form in which the API hands them to the intake."""
    return [read_submission(event) for event in events]


def record(journal: Journal, events: Iterable[dict[str, object]], batch: int = 1000) -> None:
    """Record events through the real intake; each must be accepted."""
    intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), now_us)
    supply = iter(events)
    try:
        while chunk := submissions(islice(supply, batch)):
            refusals = [outcome for outcome in intake.submit(chunk, LOCAL) if not isinstance(outcome, Accepted)]
            assert not refusals, refusals[0]
    finally:
        intake.close()


def prepared(name: str, *supplies: Iterable[dict[str, object]]) -> DataDirectory:
    """A data directory whose journal holds the rules and some events, recorded once and kept."""
    data = DataDirectory(WORK / name)
    exit_result = data.path / "prepared"
    if not exit_result.exists():
        make_directory(data.path)
        for rest in data.path.glob("journal.sqlite*"):
            rest.unlink()
        print(f"preparing a journal in {data.path}", file=sys.stderr, flush=True)
        journal = Journal.open(data.journal, ZONE, now_us())
        for supply in (rules(), *supplies):
            record(journal, supply)
        journal.close()
        exit_result.touch()
    for path in (data.path, *data.path.rglob("*")):  # one that a former version made may be open to others
        path.chmod(0o700 if path.is_dir() else 0o600)
    return data


def data_directory(count: int, era: int = ERA) -> DataDirectory:
    """A journal of so many facts, the latest of them in the half-year from ``START`` on.

    Each ``era`` of facts before them lies in a half-year of its own, all of them before the two years that a page reads, and
    leaves hardly a file open: so what a page shows is the same.
    """
    eras = range(count // era) if count > era else range(1)
    starts = ((number, START - number * timedelta(days=DAYS) - bool(number) * 2 * YEAR) for number in reversed(eras))
    facts = (
        City(7 + number, f"b{number}", **({"waiting_share": 1.0} if number else {})).facts(min(count, era), start=start)
        for number, start in starts
    )
    return prepared(f"data-{count}", *facts)


def exported_journal(count: int, era: int = ERA) -> Path:
    """The same journal as `neraca export` writes it."""
    data, path = data_directory(count, era), WORK / f"journal-{count}.ndjson"
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run(command("export", "--data", str(data.path), "--journal", str(part)), check=True)
        part.rename(path)
    return path
