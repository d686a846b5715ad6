"""Runs every copy of the program that was planted without a guard, and reports whether its check turned red.

    python -m tests.soak.guards --report tests/soak/REPORT-guards.md

The exit code is 0 only if each copy was caught.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.serving import ROOT
from tests.soak.provenance import commit, sources

GUARDED: Final = "tests/kafka"
GUARDS: Final = 19
"""So many guards have a copy of the program without them; fewer means that a copy was lost."""
ABOUT: Final = """\
Nineteen guards keep a worker from folding twice, from passing over what it did not fold, and from standing still unseen.
Each has a check in `tests/kafka`. Here a copy of the program is made without the guard, several where it can be left out
in several ways, and the check is run on the copy, on a real PostgreSQL and a real Kafka where it needs them. The check
must fail: a check that passes without its guard proves nothing."""


class Copy(NamedTuple):
    """One copy of the program, whether its check failed as it must, how long that took, and what was wrong otherwise."""

    test: str
    caught: bool
    seconds: float
    problem: str

    @property
    def guard(self) -> str:
        """The test, without the way in which its guard is left out."""
        return self.test.partition("[")[0]


class Copies:
    """The hooks of pytest that collect the copies. A test of a copy passes when the check fails of it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.problems: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up what a copy took, and keep what went wrong."""
        self.seconds[report.nodeid] += report.duration
        if not report.passed:
            self.problems[report.nodeid] = str(report.longrepr).strip().rpartition("\n")[2]

    def all(self) -> list[Copy]:
        """Every copy that was run."""
        return [
            Copy(test.rpartition("/")[2], test not in self.problems, seconds, self.problems.get(test, ""))
            for test, seconds in sorted(self.seconds.items())
        ]


def wrong(copies: list[Copy]) -> list[str]:
    """The problems of a run: copies that were not caught, or guards that have no copy."""
    problems = [f"`{copy.test}` was not caught: {copy.problem}" for copy in copies if not copy.caught]
    guards = len({copy.guard for copy in copies})
    return problems + ([f"{guards} guards have copies, not {GUARDS}"] if guards != GUARDS else [])


def report(copies: list[Copy], problems: list[str], program: str, seconds: float) -> str:
    """The report, in Markdown."""
    rows = {
        "seed": "none: every copy is run once",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit of HEAD": f"`{commit()}`",
        "hash of the sources that ran": f"`{program}`",
        "Python, system": f"{platform.python_version()}, {platform.platform()}",
        "guards": len({copy.guard for copy in copies}),
        "copies without a guard": f"{len(copies)}, of which {sum(copy.caught for copy in copies)} were caught",
        "whole run": f"{seconds:.0f} s",
    }
    lines = [
        f"# Guards: {'FAILED' if problems else 'every copy without its guard was caught'}",
        "",
        *ABOUT.splitlines(),
        "",
        *("| | |", "|---|---|"),
        *(f"| {name} | {value} |" for name, value in rows.items()),
        "",
        *("| the check of a copy | turned red | s |", "|---|---|---|"),
        *(f"| `{copy.test}` | {'yes' if copy.caught else 'NO'} | {copy.seconds:.1f} |" for copy in copies),
        *(["", "## What is wrong", *(f"* {problem}" for problem in problems)] if problems else []),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.guards", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="where to; standard output without it")
    options = parser.parse_args(arguments)
    program, began, copies = sources(), time.monotonic(), Copies()
    pytest.main([str(ROOT / GUARDED), "--speed", "soak", "-m", "planted", "-q"], plugins=[copies])
    results = copies.all()
    problems = wrong(results)
    if sources() != program:
        problems.append("the sources changed while it ran: run it again")
    text = report(results, problems, program, time.monotonic() - began)
    if options.report is None:
        print(text, end="")
    else:
        options.report.write_text(text, encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
