"""Every kind of fault, twice each, on a running stack: nothing is lost, nothing counted twice, every partition goes on.

The same, many times over and in any order, is ``python -m tests.soak.chaos``; NERACA_CHAOS_SEED chooses another run.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import psycopg
import pytest

from neraca.cluster import database_journal, watched_balances
from projections.store.partitions import PartitionStore, StoredPartition
from streams.layouts import Layouts
from streams.places.database import Database
from streams.worker.parts import reopener
from streams.worker.rules import Rules
from streams.worker.turn import ReadAgain
from tests.kafka.guard_database import epoch_of
from tests.kafka.guard_fold import JOURNAL, Fold, record, segment_of
from tests.serving import ZONE, Clock
from tests.soak.chaos.run import KINDS, Run, chaos, compare
from tests.soak.chaos.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from local.local_kafka import LocalKafka
    from local.local_postgres import LocalPostgres
    from tests.kafka.topics import Topics

SEED: Final = int(os.environ.get("NERACA_CHAOS_SEED", "20261124"))
GROUPS: Final = {
    "workers": (
        "kill",
        "kill",
        "kill-two",
        "kill-in-rebalance",
        "kill-in-rebalance",
        "leave",
        "term",
        "term",
        "storm",
        "storm",
    ),
    "names and stops": ("twin", "twin", "stop-two", "stop-two-in-transaction"),
    "servers": ("relay", "relay", "postgres", "postgres", "broker", "broker"),
    "what is not seen": ("hang-two", "segments", "segments", "withheld-two"),
}
"""Each kind twice, those that take long as two at once."""
SOAKED: Final = {"postgres-away"}
"""A minute long: struck by ``make soak`` alone."""


def test_every_kind_of_fault_is_struck() -> None:
    """These tests strike every kind of fault of the soak, alone or two at once."""
    names = {name.replace("-two", "") for group in GROUPS.values() for name in group}
    assert names | SOAKED == {name.replace("-two", "") for name in KINDS}


def test_what_a_crash_of_the_database_took_is_read_again_at_once() -> None:
    """Folds are durable a moment after their commit; a position that goes back is no gap of the topic to be waited for."""
    fold = Fold()
    fold.arrive(record(0, segment_of(0, 2)), record(1, segment_of(2, 4)))
    fold.store.stored[0], fold.store.entries = StoredPartition(JOURNAL, 2, 1, None), [1, 2]
    with pytest.raises(ReadAgain, match="partition 0 is back at position 2"):
        fold.arrive(record(2, segment_of(4, 6)))
    assert fold.store.gaps == {}
    fold.restart()
    fold.arrive(record(1, segment_of(2, 4)), record(2, segment_of(4, 6)))
    assert (fold.store.entries, fold.store.at()) == ([1, 2, 3, 4, 5, 6], (6, 3))


def test_a_rulebook_that_another_held_is_folded_afterwards(database_url: str) -> None:
    """A rulebook with a locked row is not folded; the next step tries again, though nothing was recorded meanwhile."""
    database = Database(database_url).prepare()
    with database_journal(database, ZONE, Clock()) as journal, psycopg.connect(database_url) as other:
        watched_balances(database, journal)
        layout = Layouts(database, journal).current(4)
        store = PartitionStore(
            reopener(database), layout.number, 4, "worker", epoch_of(database, "worker"), ZoneInfo(ZONE)
        )
        rules = Rules(store, journal)
        other.execute("SELECT 1 FROM neraca_1.sources FOR UPDATE")
        rules.step()
        other.rollback()
        rules.step()
        position = other.execute("SELECT position FROM neraca_1.sources WHERE source = 'rulebook'").fetchone()
        assert position == (journal.head(),) == (1,)


@pytest.mark.faults
@pytest.mark.parametrize("group", GROUPS)
def test_faults_lose_nothing_and_double_nothing(
    group: str, tmp_path: Path, database_url: str, postgres: LocalPostgres, kafka: LocalKafka, topics: Topics
) -> None:
    """After each fault every partition goes on in time; at the end journal, auditor, oracle and what is served agree."""
    print(f"seed {SEED}")  # noqa: T201 - a failure is repeated with it
    assert topics.read("neraca.segments.1") == []
    names = list(GROUPS[group])
    random.Random(f"{SEED}/{group}").shuffle(names)  # noqa: S311 - a test's choices, not a secret
    with Stack(tmp_path, postgres, kafka, database_url, SEED) as stack:
        run = chaos(stack, [KINDS[name] for name in names], SEED, pause_s=0.5)
    figures = [f"{name}: {recovery_s:.1f} s, stood {still_s:.1f} s" for name, recovery_s, still_s in run.suffered]
    print(*figures, sep="\n")  # noqa: T201 - what a run took
    assert run.problems == []
    assert [fault.kind for fault in run.suffered] == names
    assert run.facts > 0


@pytest.mark.faults
def test_the_verdict_sees(
    tmp_path: Path, database_url: str, postgres: LocalPostgres, kafka: LocalKafka, topics: Topics
) -> None:
    """A check that cannot fail proves nothing: each fault of balances is reported."""
    assert topics.read("neraca.segments.1") == []
    with Stack(tmp_path, postgres, kafka, database_url, SEED, ("a",)) as stack:
        stack.city.more(100)
        sound, double, loss = Run(SEED), Run(SEED), Run(SEED)
        compare(stack, sound)
        assert sound.problems == []
        stack.city.hush()
        sql = stack.scaled.sql
        sql("DELETE FROM neraca_1.why WHERE position = (SELECT max(position) FROM neraca_1.why) RETURNING position")
        compare(stack, loss)
        assert any(problem.startswith("lost: [") for problem in loss.problems)
        task = """replace(measures, '"tasks":', '"tasks":1')"""
        sql(f"UPDATE neraca_1.accounts SET measures = {task} WHERE measures LIKE '%%\"tasks\":%%' RETURNING id")  # noqa: S608 - our own words
        compare(stack, double)
        assert any(problem.startswith("served {") and "oracle" in problem for problem in double.problems)
