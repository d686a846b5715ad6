"""Fixtures of the page tests: a browser and its windows, cities prepared once and copied, and a clerk at a counter.

Cities named ``own_…`` and counters are a test's own; the others are read by many tests and written by none.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from api.pages.board import live as page_live
from streams.places.directory import DataDirectory
from tests.pages.asking import lied, remember_october, served, told_of
from tests.pages.browser import MISSING, console_of, installed, started, window
from tests.pages.city import FAST, MONTH, settle_in
from tests.pages.counter import Clerk, Running, decided, rules
from tests.pages.five_days import open_in_october
from tests.pages.line import Line
from tests.process import Process
from tests.serving import NOON, Assembled, Clock, Listening, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from tests.conftest import Assemble, Places

    Windows = Callable[..., Page]
    Then = dict[str, Any]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser of this process."""
    if not installed():
        pytest.skip(MISSING)
    with started() as browser:
        yield browser


@pytest.fixture
def open_window(chromium: Browser) -> Iterator[Windows]:
    """Windows of this test, each with a profile of its own; options are those of a Playwright context."""
    with ExitStack() as ending:
        yield lambda **options: ending.enter_context(window(chromium, **options))


@pytest.fixture
def page(open_window: Windows) -> Page:
    """A window of a browser that has never been here."""
    return open_window()


@pytest.fixture
def console(page: Page) -> list[str]:
    """Errors and warnings of the page's console."""
    return console_of(page)


def copied(directory: Path, into: Path) -> Path:
    """A city's data, closed, as another city's."""
    shutil.copytree(directory, into)
    return into


@pytest.fixture(scope="session")
def small_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the small city."""
    directory = tmp_path_factory.mktemp("small") / "data"
    with Assembled(directory) as city:
        settle_in(city)
    return directory


@pytest.fixture(scope="session")
def small(small_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """The small city at noon, for all tests that only read it."""
    with Assembled(copied(small_directory, tmp_path_factory.mktemp("shared") / "data"), clock=Clock()) as city:
        head = city.settle()
        yield city
        assert (city.journal.head(), city.clock.us) == (head, Clock(NOON).us), "a test wrote to the shared city"


@pytest.fixture(scope="session")
def small_url(small: Assembled) -> Iterator[str]:
    """The address of the small city."""
    with Listening(small) as listening:
        yield listening.url


@pytest.fixture
def own_small(small_directory: Path, tmp_path: Path, clock: Clock) -> Iterator[Assembled]:
    """A small city of this test alone."""
    with Assembled(copied(small_directory, tmp_path / "small"), clock=clock) as city:
        city.settle()
        yield city


@pytest.fixture
def own_url(own_small: Assembled) -> Iterator[str]:
    """The address of this test's small city."""
    with Listening(own_small) as listening:
        yield listening.url


class Desk(NamedTuple):
    """A small city whose auditor's desk has given two answers, and their addresses."""

    city: Assembled
    lies: str
    """Of lines with one more in each measure than was replayed."""
    lacking: str
    """Of lines without those of files, asked after the other."""


@pytest.fixture(scope="session")
def desk(small_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk that has answered, for all tests that only read it."""
    with Assembled(copied(small_directory, tmp_path_factory.mktemp("desk") / "data"), clock=Clock()) as city:
        city.settle()
        lines = served(city)
        lies = told_of(city, MONTH, map(lied, lines), FAST)
        lacking = told_of(city, MONTH, (line for line in lines if b'"file"' not in line), FAST)
        yield Desk(city, lies, lacking)


@pytest.fixture(scope="session")
def desk_url(desk: Desk) -> Iterator[str]:
    """The address of the city whose desk has answered."""
    with Listening(desk.city) as listening:
        yield listening.url


@pytest.fixture(scope="session")
def counter_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a counter's unit: a standard for each of its services, and files R-1 to R-5 decided elsewhere."""
    directory = tmp_path_factory.mktemp("counter") / "data"
    with Assembled(directory, clock=Running()) as city:
        city.record(*rules(), *(decided(f"R-{n}") for n in range(1, 6)))
    return directory


@pytest.fixture
def counter(counter_directory: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Assembled]:
    """A counter's unit by the browser's own clock; lenient, unless it is asked for as ``strict``."""
    strict = getattr(request, "param", "") == "strict"
    with Assembled(copied(counter_directory, tmp_path / "counter"), clock=Running(), strict=strict) as city:
        city.settle()
        yield city


@pytest.fixture
def line(counter: Assembled) -> Iterator[Line]:
    """The line to the counter's unit."""
    with Line(counter) as line:
        yield line


@pytest.fixture
def clerk(page: Page, line: Line) -> Clerk:
    """A clerk at the other end of the line."""
    return Clerk(page, line.url)


@pytest.fixture(scope="session")
def unit_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a counter's unit by a clock that stands."""
    directory = tmp_path_factory.mktemp("unit") / "data"
    with Assembled(directory) as city:
        city.record(*rules())
    return directory


@pytest.fixture
def unit(unit_directory: Path, tmp_path: Path, clock: Clock) -> Iterator[Assembled]:
    """A counter's unit by a clock that stands."""
    with Assembled(copied(unit_directory, tmp_path / "unit"), clock=clock) as city:
        city.settle()
        yield city


@pytest.fixture(scope="session")
def october_directory(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Then]:
    """The data of an October that has changed since, and its scorecards as they were told on the first of November."""
    directory, clock = tmp_path_factory.mktemp("october") / "data", Clock()
    open_in_october(DataDirectory(directory), clock)
    with Assembled(directory, clock=clock) as city:
        return directory, remember_october(city)


@pytest.fixture(scope="session")
def october(
    october_directory: tuple[Path, Then], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Assembled, Then]]:
    """The city of October, for all tests that only read it and use the auditor's desk."""
    directory, then = october_directory
    with Assembled(copied(directory, tmp_path_factory.mktemp("shared") / "data"), clock=Clock()) as city:
        head = city.settle()
        yield city, then
        assert (city.journal.head(), city.clock.us) == (head, Clock(NOON).us), "a test wrote to the shared city"


@pytest.fixture
def own_october(
    database_kind: str, places: Places, assemble: Assemble, clock: Clock, tmp_path: Path, request: pytest.FixtureRequest
) -> tuple[Assembled, Then]:
    """The city of October for this test alone, in the kind of database it is run on."""
    if database_kind == "sqlite":
        directory, then = request.getfixturevalue("october_directory")
        copied(directory, tmp_path / "data")
        city = assemble()
        city.settle()
        return city, then
    open_in_october(places("data"), clock)
    city = assemble()
    return city, remember_october(city)


@pytest.fixture(scope="session")
def practice_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the city to practise in, loaded once."""
    directory = tmp_path_factory.mktemp("practice") / "latihan"
    with Process(directory, "--latihan") as process:
        until(lambda: "sedang dimuat" not in httpx.get(process.url).text, "the small city is loaded", within_s=90)
    return directory


@pytest.fixture(scope="session")
def practice(practice_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The city to practise in, for tests that leave it as it is."""
    with Process(copied(practice_directory, tmp_path_factory.mktemp("shared") / "latihan"), "--latihan") as process:
        yield process


@pytest.fixture
def own_practice(practice_directory: Path, tmp_path: Path) -> Iterator[Process]:
    """The city to practise in, for a test that writes to it."""
    with Process(copied(practice_directory, tmp_path / "latihan"), "--latihan") as process:
        yield process


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that looks, and tells, many times a second."""
    monkeypatch.setattr(page_live, "ALIVE_S", 0.05)
    monkeypatch.setattr(page_live, "BETWEEN_S", 0.01)
