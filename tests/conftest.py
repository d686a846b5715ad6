"""Fixtures for all tests: a Neraca assembled in this process, and the rule that no test is skipped in silence."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from projections.store.store import Store
from streams.places.directory import DataDirectory
from streams.places.location import InUse, Location
from tests.serving import Assembled, Clock, until

pytest_plugins = [
    "tests.memory",
    "tests.services",
    "tests.speeds",
    "tests.budgets",
    "tests.distribution",
    "tests.pages.five_days",
]
NOTHING_SKIPPED: Final = "NERACA_NOTHING_SKIPPED"
Assemble = Callable[..., Assembled]
Places = Callable[[str], Location]
NewStore = Callable[[str], Store]


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
    """Fail a run that skipped a test although none may be skipped."""
    strict = os.environ.get(NOTHING_SKIPPED) == "1"
    if strict and not hasattr(session.config, "workerinput") and _left_out(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List the skipped tests, and why."""
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
    """A clock stopped at ``serving.NOON`` until the test moves it."""
    return Clock()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A contract holds on both databases, except where a test is about SQLite's file."""
    marks = {mark.name for mark in metafunc.definition.iter_markers()}
    if "database_kind" in metafunc.fixturenames and "both_databases" in marks and "sqlite_file" not in marks:
        metafunc.parametrize("database_kind", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """The kind of database this test's Neraca is kept in."""
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def places(database_kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Places]:
    """Places of this test, by name, kept in the kind of database it is run on."""
    if database_kind == "sqlite":
        yield lambda name: DataDirectory(tmp_path / name)
        return
    databases, urls = request.getfixturevalue("databases"), dict[str, str]()

    def place(name: str) -> Location:
        from streams.places.database import Database  # noqa: PLC0415 - an extra

        if name not in urls:
            urls[name] = databases.begun()
        return Database(urls[name])

    yield place
    for url in urls.values():
        databases.drop(url)


@pytest.fixture
def new_store(places: Places) -> Iterator[NewStore]:
    """Empty stores of balances of this test, by name."""
    stores: list[Store] = []

    def empty(name: str) -> Store:
        generations = places(name).generations()
        number, store = generations.begin()
        generations.flip(number)
        stores.append(store)
        return store

    yield empty
    for store in stores:
        store.engine.dispose()


@pytest.fixture
def assemble(places: Places, clock: Clock) -> Iterator[Assemble]:
    """Assemble a Neraca over a place of this test, by name; all are closed when it ends."""
    with ExitStack() as ending:

        def begun(name: str, *, strict: bool) -> Assembled | None:
            try:
                return Assembled(places(name), clock=clock, strict=strict)
            except InUse:  # PostgreSQL has yet to notice that the one before has gone
                return None

        def stores(name: str = "data", *, strict: bool = False) -> Assembled:
            return ending.enter_context(until(lambda: begun(name, strict=strict), f"{name} is free", within_s=5))

        yield stores


@pytest.fixture
def neraca(assemble: Assemble) -> Assembled:
    """A Neraca of this test alone, its journal just opened."""
    return assemble()
