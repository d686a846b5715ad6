"""Each folder has a budget of seconds for its tests, by speed; a folder that takes more fails the run.

Seconds are those of set-up, call and tear-down together, as many as one process after another would need. A machine that
is slow, or has other work, is allowed more: how much slower it is is measured while the tests run.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.speeds import folder_of, speed_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

BUDGETS_S: Final[dict[str, dict[str, float]]] = {
    "api": {"quick": 6, "test": 90, "all": 30},
    "attacks": {"test": 70, "all": 75},
    "benchmarks": {"all": 75},
    "deploy": {"test": 20, "all": 275},
    "domain": {"quick": 3},
    "equivalence": {"all": 70},
    "faults": {"all": 50},
    "journal": {"quick": 10, "test": 110},
    "kafka": {"quick": 6, "test": 60, "all": 535},
    "laws": {"quick": 16, "test": 40},
    "pages": {"quick": 6, "test": 120, "all": 600, "soak": 200},
    "planted": {"all": 60},
    "soak": {"all": 30},
    "streams": {"test": 64},
    "tidy": {"quick": 10, "test": 26},
}
"""Seconds on the machine on which ``WORK_S`` was measured."""
HEADROOM: Final = 2
"""A folder fails at so many times its budget: disks, browsers and brokers vary more than the processor does."""
WORK_S: Final = 0.010
"""How long ``work`` takes there, in one process with nothing beside it."""
SLOWEST: Final = 10
"""So many tests of a folder that took too long are named."""
Spent = dict[tuple[str, str], dict[str, float]]
"""Seconds by folder and speed, and by test."""


def work() -> float:
    """Do a fixed piece of work; the seconds it took."""
    began = time.perf_counter()
    digest = b""
    for _ in range(45_000):
        digest = hashlib.sha256(digest).digest()
    return time.perf_counter() - began


CHARGED: Final = {"small": "quick", "long": "soak"}
"""The speed to which quick laws are charged, by how many examples they are tried on; otherwise it is ``test``."""


def charged_to(item: pytest.Item) -> tuple[str, str]:
    """The folder and the speed whose budget a test is charged to."""
    folder, speed = folder_of(item.path, item.config.rootpath), speed_of(item)
    if folder == "laws" and speed == "quick":
        speed = CHARGED.get(os.environ.get("NERACA_LAWS", ""), "test")
    return folder, speed


def outgrown(seconds_of: Mapping[tuple[str, str], Mapping[str, float]], slower: float) -> list[str]:
    """A line for each folder that took more than its budget, followed by its slowest tests."""
    lines = []
    for (folder, speed), tests in sorted(seconds_of.items()):
        if speed == "soak":  # a night has room
            continue
        took_s, budget_s = sum(tests.values()), BUDGETS_S.get(folder, {}).get(speed, 0.0)
        if took_s > HEADROOM * budget_s * slower:
            lines.append(
                f"tests/{folder}, speed {speed}: {took_s:.1f} s, where the budget is {budget_s:.0f} s, "
                f"with {HEADROOM} times as many allowed, on a machine {slower:.1f} times slower; the slowest are"
            )
            slowest = sorted(tests.items(), key=lambda test: -test[1])[:SLOWEST]
            lines += [f"  {seconds:6.1f} s {test}" for test, seconds in slowest]
    return lines


class Budgets:
    """The hooks that measure a run, and fail it."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._spent: Spent = defaultdict(lambda: defaultdict(float))
        self._work_s: list[float] = []

    @property
    def slower(self) -> float:
        """The factor by which this machine was slower than the machine of the budgets; at least 1."""
        return max(1.0, sum(self._work_s) / len(self._work_s) / WORK_S) if self._work_s else 1.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Note folder and speed of a test in its report; once a file, how fast this machine is just now."""
        report = yield
        file = item.nodeid.partition("::")[0]
        measured_s = 0.0 if file in self._files else work()
        self._files.add(file)
        report.neraca = *charged_to(item), measured_s
        return report

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - a report with what was noted above
        """Add up, in the process that collects the reports of all."""
        note = getattr(report, "neraca", None)
        if note is None:  # of a process that crashed
            return
        folder, speed, measured_s = note
        self._spent[folder, speed][report.nodeid] += report.duration
        if measured_s:
            self._work_s.append(measured_s)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail a run in which a folder took more than its budget."""
        if not hasattr(session.config, "workerinput") and outgrown(self._spent, self.slower):
            session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name the folders that took more than their budgets, and their slowest tests."""
        lines = outgrown(self._spent, self.slower)
        if lines:
            terminalreporter.section("over budget", red=True)
            for line in lines:
                terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Measure every run."""
    config.pluginmanager.register(Budgets(), "budgets")
