"""Random histories recorded by the real intake on a real journal, and the ways in which they are folded."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st

from domain.events.entries import AnyEntry, decode
from domain.fold.ledger import Balance, amounts_by_measure
from domain.fold.postings import Account
from domain.intake.recorded import exported
from domain.intake.wire import Submission, read_submission
from domain.refusal import Refusal
from projections.live import Live
from projections.ports import LOCAL, Accepted, Outcome
from projections.reading.reader import Reader, Snapshot
from projections.segment import At
from projections.store.generations_sqlite import sqlite_engine
from projections.store.store import Store
from streams.following.follower import read_segment
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.directory import JournalFile
from tests.laws.steps import Clerk, Step
from tests.laws.strategies import KINDS, OPENED, ZONE

SIZE: Final = os.environ.get("NERACA_LAWS", "")
"""How many examples a law is tried on: ``long`` looks for new ones, many; otherwise the same few are tried each time.

``small`` tries a third of them, for ``make quick``. ``first`` tries half of them and shrinks none that it finds: for the
planted bugs, which are known.
"""
LONG: Final = SIZE == "long"
FIRST_FOUND: Final = SIZE == "first"
PARTS: Final = {"long": Fraction(40), "first": Fraction(1, 2), "small": Fraction(1, 3)}
PHASES: Final = (Phase.explicit, Phase.generate) if FIRST_FOUND else tuple(Phase)
SEED: Final = 20261124
"""The same examples each time, whatever the text of a law: ``derandomize`` would draw others once a word in it changes."""
Balances = dict[Account, dict[str, int]]
_Law = TypeVar("_Law", bound=Callable[..., None])


def bounded(examples: int) -> Callable[[_Law], _Law]:
    """So many examples, or the part of them that ``NERACA_LAWS`` names; random ones when the run is long."""
    limits = settings(
        max_examples=ceil(examples * PARTS.get(SIZE, 1)),
        deadline=None,
        database=None,
        phases=PHASES,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )

    def law(test: _Law) -> _Law:
        return limits(test if LONG else seed(SEED)(test))

    return law


def steps(most: int) -> st.SearchStrategy[list[Step]]:
    """Lists of steps; most begin with rules and a scheme that little data can fill."""
    numbers = st.tuples(*[st.integers(0, 5000)] * 9)
    step = st.builds(Step, st.integers(0, len(KINDS) - 1), numbers)
    scheme = st.builds(Step, st.just(KINDS.index("scheme-adopted")), st.just((0,) * 9))
    standard = st.builds(Step, st.just(KINDS.index("standard-set")), numbers)
    opening = st.one_of(st.tuples(scheme, standard, standard).map(list), st.just(list[Step]()))
    return st.builds(lambda first, more: first + more, opening, st.lists(step, min_size=most // 2, max_size=most))


class History:
    """A journal on disk, and the outcome of each event submitted to it."""

    def __init__(self, journal: Journal, folder: Path) -> None:
        self.journal = journal
        self.folder = folder
        self.outcomes: list[tuple[dict[str, Any], Outcome]] = []
        self.now_us = OPENED

    @property
    def lines(self) -> list[tuple[int, bytes]]:
        """Positions and stored lines, in order."""
        return self.journal.lines(0, 1_000_000)

    @property
    def entries(self) -> list[tuple[int, bytes, AnyEntry]]:
        """The same, decoded for the fold."""
        return [(position, line, decode(line)) for position, line in self.lines]

    @property
    def export(self) -> bytes:
        """The journal as exported."""
        return b"".join(exported(line, position) + b"\n" for position, line in self.lines)

    def kinds(self) -> Counter[str]:
        """The count of events accepted, by kind, and refused, by the slug of the refusal."""
        return Counter(
            (("again " if outcome.repeated else "") + event["type"].split(".")[1])
            if isinstance(outcome, Accepted)
            else outcome.slug
            for event, outcome in self.outcomes
        )


class Desk(History):
    """The same with an intake that still accepts events."""

    def __init__(self, journal: Journal, folder: Path) -> None:
        super().__init__(journal, folder)
        self.intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), lambda: self.now_us)

    def tell(self, *events: dict[str, Any]) -> list[Outcome]:
        """Submit events as one batch."""
        outcomes = self.intake.submit([_read(event) for event in events], LOCAL)
        self.outcomes += zip(events, outcomes, strict=True)
        return outcomes


@contextmanager
def desk() -> Iterator[Desk]:
    """A new journal and its intake; they are gone at the end of the ``with``."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        journal = Journal.open(JournalFile(Path(folder) / "journal.sqlite"), ZONE, OPENED)
        ending.callback(journal.close)
        desk = Desk(journal, Path(folder))
        ending.callback(desk.intake.close)
        yield desk


@contextmanager
def recorded(steps: Sequence[Step], batch: int = 3, *, standing_us: int | None = None) -> Iterator[History]:
    """Submit steps to the intake in batches. Its clock is that of the last step, or stopped at ``standing_us``."""
    with desk() as history:
        clerk = Clerk()
        for start in range(0, len(steps), batch):
            events = [clerk.event(step) for step in steps[start : start + batch]]
            history.now_us = standing_us or clerk.now_us
            history.tell(*events)
        yield history


def _read(event: dict[str, Any]) -> Submission | Refusal:
    try:
        return read_submission(event)
    except Refusal as refusal:
        return refusal


@contextmanager
def store_of(folder: Path, name: str) -> Iterator[Store]:
    """An empty store of balances."""
    store = Store(sqlite_engine(folder / f"{name}.sqlite"))
    store.create()
    try:
        yield store
    finally:
        store.engine.dispose()


def follow(history: History, store: Store, cuts: Sequence[int], back: Sequence[int] = (0,)) -> None:
    """Fold a journal into a store in pages of any length, each beginning up to so many entries too early."""
    position, turn = 0, 0
    while position < history.journal.head():
        early = min(back[turn % len(back)], position)
        segment = read_segment(history.journal, position - early, early + cuts[turn % len(cuts)])
        assert segment is not None
        position = store.fold(segment).position
        turn += 1


@contextmanager
def reading(
    history: History, store: Store, now_us: Callable[[], int], *, published: bool = False
) -> Iterator[Snapshot]:
    """A snapshot of what a store would serve, to auditors or as it is published."""
    live = Live(history.journal.id, 1, store, At(history.journal.head()))
    with Reader(live, ZoneInfo(ZONE), now_us).snapshot(published=published) as snapshot:
        yield snapshot


def balances_of(accounts: Mapping[Account, Balance]) -> Balances:
    """Every account with a measure that is not zero, by the names of these."""
    return {account: measures for account, balance in accounts.items() if (measures := amounts_by_measure(balance))}


def parsed(export: bytes) -> list[dict[str, Any]]:
    """Exported lines as JSON."""
    return [msgspec.json.decode(line) for line in export.splitlines()]
