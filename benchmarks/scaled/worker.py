"""worker: events a second through one `neraca worker` into PostgreSQL, beside a Faust Table, a Kafka Streams topology and a floor.

All read the same facts from the same broker. What each baseline holds is compared with the journal, account by account.
"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import psycopg

from benchmarks.harness import Figure, shown
from benchmarks.scaled import kafka_streams
from benchmarks.scaled.contents import EVENTS, LAYOUT, filled, placed, records, segments
from benchmarks.scaled.faust_table import changelog_of
from benchmarks.scaled.ground import BEGUN, PARTITIONS, known_topic
from benchmarks.scaled.kafka_streams import LeftOut
from benchmarks.scaled.plain_loop import folding, key_of
from benchmarks.scaled.processes import Pace, Product, Stopwatch, heard, positions, speaking
from benchmarks.scaled.verdict import counted_right, folded_right, proved
from streams.layouts import Layout
from streams.worker.turn import TAKE

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.scaled.ground import Ground

ROUNDS: Final = 3
TOPIC: Final = Layout(LAYOUT, PARTITIONS, 0).topic


def through_workers(ground: Ground, number: int = 1) -> Pace:
    """The pace of so many workers: from the moment they read until every partition stands at the journal's head."""
    with ground.database(BEGUN) as url:
        with psycopg.connect(url, autocommit=True) as db:
            workers = [Product(ground, url, "worker", "--name", f"bench-{index}") for index in range(number)]
            try:
                for worker in workers:
                    worker.wait_for("reading partitions")
                pace = Stopwatch(ground.facts).pace(lambda: _folded(db, ground))
            finally:
                for worker in workers:
                    worker.__exit__()
        folded_right(ground, url)
        proved(ground, url)
    return pace


def _folded(db: psycopg.Connection[tuple[object, ...]], ground: Ground) -> int:
    """How many facts are folded; all of them not before every partition stands at the journal's head."""
    marks, head = positions(db), segments(ground)[-1].last
    finish = sum(bisect_right(positions_of, marks[partition]) for partition, positions_of in placed(ground).items())
    return finish if min(marks.values()) >= head else min(finish, ground.facts - 1)


def through_loop(ground: Ground) -> Pace:
    """The pace of the plain loop."""
    errors = ground.folder / "loop.log"
    with ground.database(BEGUN) as url:
        words = [sys.executable, "-m", "benchmarks.scaled.plain_loop", ground.kafka.bootstrap, TOPIC, url, str(LAYOUT)]
        with psycopg.connect(url, autocommit=True) as db, speaking(words, errors) as process:
            heard(process, "first", errors)
            pace = Stopwatch(ground.facts).pace(lambda: _folded(db, ground))
        folded_right(ground, url)
    return pace


def from_memory(ground: Ground) -> Pace:
    """The pace of the fold alone: segments in memory, no broker."""
    with ground.database(BEGUN) as url:
        topic_records = records(ground, key_of(url, LAYOUT))
        fold = folding(url, LAYOUT)
        beginning = time.perf_counter()
        for start in range(0, len(topic_records), TAKE):
            fold.fold(topic_records[start : start + TAKE])
        pace = ground.facts / (time.perf_counter() - beginning)
        folded_right(ground, url)
    return Pace(pace, pace)


def through_faust(ground: Ground) -> Pace:
    """The pace of the Faust Table: until its last record is counted, though its changelog may still be under way."""
    total, errors, accounts = filled(ground), ground.folder / "faust.log", ground.folder / "faust.tsv"
    name = f"counting-{uuid.uuid4().hex}"
    known_topic(ground.settings, changelog_of(name), PARTITIONS)
    words = [
        sys.executable,
        "-m",
        "benchmarks.scaled.faust_table",
        name,
        ground.kafka.bootstrap,
        EVENTS,
        str(PARTITIONS),
        str(total),
        str(accounts),
    ]
    with speaking(words, errors) as process:
        heard(process, "first", errors)
        beginning = time.perf_counter()
        heard(process, "counted", errors)
        pace = total / (time.perf_counter() - beginning)
        heard(process, "written", errors)
    counted_right(ground, accounts)
    return Pace(pace, pace)


RATES: Final = {
    "worker": ("one worker", "PostgreSQL, all measures, the why-index, case files"),
    "workers": ("two workers", "the same two cores"),
    "loop": ("plain aiokafka loop", "the same fold"),
    "memory": ("fold alone", "the same fold"),
    "faust": ("Faust Table", "memory store with changelog"),
    "streams": ("Kafka Streams", "exactly_once_v2, two threads, state in memory and changelog"),
}
"""The rates that are measured, in the order of the table, and what each stands for."""


def rounds(ground: Ground) -> tuple[dict[str, list[Pace]], str]:
    """The paces of each way, in rounds whose order alternates, and why Kafka Streams was left out, if it was."""
    paces: dict[str, list[Pace]] = {}
    left_out = ""
    ways: dict[str, Callable[[], Pace]] = {
        "worker": lambda: through_workers(ground),
        "streams": lambda: kafka_streams.counted(ground),
        "workers": lambda: through_workers(ground, 2),
        "loop": lambda: through_loop(ground),
        "faust": lambda: through_faust(ground),
        "memory": lambda: from_memory(ground),
    }
    for number in range(ground.size.count(ROUNDS)):
        for name in list(ways)[:: 1 if number % 2 == 0 else -1]:
            try:
                paces.setdefault(name, []).append(ways[name]())
                print(f"  {name}: {paces[name][-1].whole:,.0f}/s", file=sys.stderr, flush=True)
            except LeftOut as reason:
                left_out = str(reason)
    return paces, left_out


def run(ground: Ground) -> list[Figure]:
    """The ratios of this measurement, and the rates they are made of."""
    filled(ground)
    paces, left_out = rounds(ground)
    beside = _ratio("worker ÷ Faust Table", paces, "worker", "faust", "")
    return [
        Figure(beside.name, beside.value, 8, note="one JSON event a record there"),
        *_beside_streams(paces, left_out),
        _ratio("worker ÷ plain aiokafka loop", paces, "worker", "loop", "the same fold, no framework: the floor"),
        _ratio("worker ÷ fold alone", paces, "worker", "memory", "segments in memory, no broker"),
        *(shown(name, _median(paces[way]), "events/s", note) for way, (name, note) in RATES.items() if paces[way]),
    ]


def _median(paces: list[Pace], *, later: bool = False) -> float:
    return statistics.median(pace.later if later else pace.whole for pace in paces)


def _ratio(
    name: str, paces: dict[str, list[Pace]], ours: str, theirs: str, note: str, *, later: bool = False
) -> Figure:
    pairs = zip(paces[ours], paces[theirs], strict=True)
    ratios = [our.later / their.later if later else our.whole / their.whole for our, their in pairs]
    return shown(name, statistics.median(ratios), note=note)


def _beside_streams(paces: dict[str, list[Pace]], left_out: str) -> list[Figure]:
    if left_out:
        return [shown("worker ÷ Kafka Streams", 0, note=f"left out: {left_out}")]
    note = "no PostgreSQL and no why-index there; JIT and imports warm up within"
    return [
        _ratio("worker ÷ Kafka Streams", paces, "worker", "streams", note),
        _ratio("worker ÷ Kafka Streams, second half", paces, "worker", "streams", "both warm", later=True),
        _ratio("two workers ÷ Kafka Streams", paces, "workers", "streams", "two threads there, two processes here"),
    ]
