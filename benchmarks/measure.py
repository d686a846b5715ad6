"""How a ratio is taken: interleaved pairs of two measurements, and the median of their ratios. The machine may be busy."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

WORK: Final = Path(tempfile.gettempdir()) / "neraca-benchmarks"
"""Where prepared journals lie between runs; remove it to prepare them anew."""


class Figure(NamedTuple):
    """One line of the table: what was measured, its value, what it must reach, and the unit (``x`` is a ratio)."""

    name: str
    value: float
    goal: float
    unit: str = "x"
    at_most: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal is met."""
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def row(self) -> str:
        """As a row of a Markdown table."""
        sign = "≤" if self.at_most else "≥"
        goal = f"{sign} {self.goal:g} {self.unit}" if self.goal else "—"
        met = "" if not self.goal else "yes" if self.reached else "**no**"
        return f"| {self.name} | {self.value:.2f} {self.unit} | {goal} | {met} | {self.note} |"


def shown(name: str, value: float, unit: str = "x", note: str = "") -> Figure:
    """A figure without a goal, reported beside the others."""
    return Figure(name, value, 0, unit, note=note)


def rate(work: Callable[[], int]) -> float:
    """Units of work a second."""
    begun = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - begun)


def pairs(ours: Callable[[], float], theirs: Callable[[], float], count: int) -> float:
    """The median of our rate over theirs, in ``count`` pairs whose order alternates."""
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
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
