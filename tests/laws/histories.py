"""Random histories recorded by the real intake on a real journal, and the ways in which they are folded."""

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.entries import AnyEntry, decode
from domain.ledger import Ledger, named
from domain.postings import Account
from domain.recorded import exported
from domain.refusal import Refusal
from domain.wire import Submission, read_submission
from projections.generations import sqlite_engine
from projections.live import Live
from projections.ports import LOCAL, Accepted, Outcome
from projections.reader import Reader, Snapshot
from projections.store import Store
from streams.follower import read_segment
from streams.intake import IntakeService
from streams.journal import Journal
from streams.recording import Policy
from tests.laws.steps import KINDS, OPENED, ZONE, Clerk, Step

LONG: Final = os.environ.get("NERACA_LAWS") == "long"
"""``NERACA_LAWS=long`` looks for new examples, many; otherwise the same few are tried each time."""
Balances = dict[Account, dict[str, int]]


def bounded(examples: int) -> settings:
    """So many examples, or forty times as many and random when the run is long."""
    return settings(
        max_examples=examples * (40 if LONG else 1), derandomize=not LONG, deadline=None, database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip


def steps(most: int) -> st.SearchStrategy[list[Step]]:
    """Lists of steps; most begin with rules and a scheme that little data can fill."""
    numbers = st.tuples(*[st.integers(0, 5000)] * 9)
    step = st.builds(Step, st.integers(0, len(KINDS) - 1), numbers)
    scheme = st.builds(Step, st.just(KINDS.index("scheme-adopted")), st.just((0,) * 9))
    standard = st.builds(Step, st.just(KINDS.index("standard-set")), numbers)
    opening = st.one_of(st.tuples(scheme, standard, standard).map(list), st.just(list[Step]()))
    return st.builds(lambda first, more: first + more, opening, st.lists(step, min_size=most // 2, max_size=most))


class History:
    """A journal on disk, and what became of each event told to it."""

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
        """What the journal took, by kind; what it did not, by the slug of its refusal."""
        return Counter(
            (("again " if outcome.repeated else "") + event["type"].split(".")[1])
            if isinstance(outcome, Accepted)
            else outcome.slug
            for event, outcome in self.outcomes
        )


@contextmanager
def recorded(told: Sequence[Step], batch: int = 3) -> Iterator[History]:
    """Tell steps to the intake in batches; the history is gone at the end of the ``with``."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ending:
        journal = Journal.open(Path(folder) / "journal.sqlite", ZONE, OPENED)
        ending.callback(journal.close)
        history, clerk = History(journal, Path(folder)), Clerk()
        intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), lambda: history.now_us)
        ending.callback(intake.close)
        for start in range(0, len(told), batch):
            events = [clerk.event(step) for step in told[start : start + batch]]
            history.now_us = clerk.now_us
            outcomes = intake.submit([_read(event) for event in events], LOCAL)
            history.outcomes += zip(events, outcomes, strict=True)
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
def reading(history: History, store: Store, now_us: Callable[[], int]) -> Iterator[Snapshot]:
    """A snapshot of what a store would serve."""
    live = Live(history.journal.id, 1, store, history.journal.head())
    with Reader(live, ZoneInfo(ZONE), now_us).snapshot() as snapshot:
        yield snapshot


def balances_of(ledger: Ledger) -> Balances:
    """Every account with a measure that is not zero, by the names of these."""
    return {account: measures for account, balance in ledger.accounts.items() if (measures := named(balance))}


def parsed(export: bytes) -> list[dict[str, Any]]:
    """Exported lines as JSON."""
    return [msgspec.json.decode(line) for line in export.splitlines()]
