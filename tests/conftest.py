"""What tests share: a Neraca assembled in this process, and the rule that nothing is left out in silence."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from tests.serving import Assembled, Clock

NOTHING_SKIPPED: Final = "NERACA_NOTHING_SKIPPED"
Assemble = Callable[..., Assembled]


def _left_out(config: pytest.Config) -> list[tuple[str, str]]:
    """Each test, or file, that was skipped, and why."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return []
    return [
        (report.nodeid, report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr))
        for report in reporter.stats.get("skipped", [])
    ]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be skipped, a run that skipped something has failed."""
    strict = os.environ.get(NOTHING_SKIPPED) == "1"
    if strict and not hasattr(session.config, "workerinput") and _left_out(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, and why."""
    left_out = _left_out(config)
    if not left_out:
        return
    whys: dict[str, list[str]] = {}
    for test, why in left_out:
        whys.setdefault(why.removeprefix("Skipped: "), []).append(test)
    strict = os.environ.get(NOTHING_SKIPPED) == "1"
    terminalreporter.section(
        f"left out: {len(left_out)}" + (f", and {NOTHING_SKIPPED}=1" if strict else ""), red=strict
    )
    for why, tests in sorted(whys.items()):
        terminalreporter.line(f"{why}: {len(tests)}, the first {tests[0]}")


@pytest.fixture
def clock() -> Clock:
    """A clock that stands at ``serving.NOON`` until the test moves it."""
    return Clock()


@pytest.fixture
def assemble(tmp_path: Path, clock: Clock) -> Iterator[Assemble]:
    """Assemble a Neraca over a directory of this test, by name; all are closed when it ends."""
    with ExitStack() as ending:

        def made(name: str = "data", *, strict: bool = False) -> Assembled:
            return ending.enter_context(Assembled(tmp_path / name, clock=clock, strict=strict))

        yield made


@pytest.fixture
def neraca(assemble: Assemble) -> Assembled:
    """A Neraca of this test alone, its journal just opened."""
    return assemble()
