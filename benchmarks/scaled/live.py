"""live: from recorded to folded and to served while facts arrive, and how long a worker's sudden death delays them.

All processes are the real ones. A fact is visible when the partition it belongs to has reached its position: in the database, as
its rows say, and from the API, as its stream tells.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import msgspec
import psycopg

from benchmarks.harness import Figure, quantile, shown
from benchmarks.scaled.ground import JOURNAL, PARTITIONS, begun
from benchmarks.scaled.processes import Product, heard, positions, speaking
from benchmarks.scaled.verdict import served_is_replayed
from local.local_server import family
from streams.places.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scaled.ground import Ground
    from benchmarks.scaled.recording import Note

PER_SECOND: Final = 2000
SECONDS: Final = 30.0
LEAST_S: Final = 3.0
"""The least time in which facts arrive in peace, in a run of any size."""
KILLS: Final = 5
BETWEEN_S: Final = 12.0
WARM_S: Final = 5.0
LATE_S: Final = 1.0
"""A fact that is not visible after this time waits for the worker that was killed."""
LOOK_S: Final = 0.01
NUMBER: Final = 50
"""The layout of this database: the topic of the first one holds the other measurements' segments."""
Seen = list[tuple[float, dict[int, int]]]


class Stored(threading.Thread):
    """Notes how far each partition is folded, as the database says."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.seen: Seen = []
        self.ending = threading.Event()
        self._url = url

    def run(self) -> None:
        """Until it is told to end."""
        with psycopg.connect(self._url, autocommit=True) as db:
            while not self.ending.wait(LOOK_S):
                self.seen.append((time.monotonic(), positions(db)))


class Served(threading.Thread):
    """Notes how far each partition is folded, as the API's stream tells."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.seen: Seen = []
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    def run(self) -> None:
        """Until the server ends."""
        with self._socket.makefile("rb") as lines:
            for line in lines:
                if line.startswith(b"data:"):
                    positions_told = msgspec.json.decode(line[5:])["vector"]["partitions"]
                    self.seen.append((time.monotonic(), dict(enumerate(positions_told))))


def lags(notes: Sequence[Note], sights: Seen) -> list[tuple[float, float]]:
    """For each fact when it was recorded, and how many seconds later it was seen; what was seen first counts 0."""
    delays: list[tuple[float, float]] = []
    for partition in range(PARTITIONS):
        sightings = iter((at, reach_marks[partition]) for at, reach_marks in sights if partition in reach_marks)
        at, reach_marks = next(sightings)
        for recordings, _, position in (note for note in notes if note[1] == partition):
            while reach_marks < position:
                at, reach_marks = next(sightings)
            delays.append((recordings, max(0.0, at - recordings)))
    return sorted(delays)


def recovered(kills: Sequence[float], fold_marks: Sequence[tuple[float, float]]) -> list[float]:
    """For each kill, after how many seconds the last late fact was folded; who waits for the next kill is late by that."""
    ends = [*(kill - LATE_S for kill in kills[1:]), float("inf")]
    return [
        max(
            (at + lag - kill_marks for at, lag in fold_marks if kill_marks - LATE_S <= at < end and lag > LATE_S),
            default=0.0,
        )
        for kill_marks, end in zip(kills, ends, strict=True)
    ]


def prepared(ground: Ground, url: str) -> None:
    """Empty balances under a layout of their own."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("INSERT INTO neraca.layouts VALUES (%s, %s, 0)", (NUMBER - 1, PARTITIONS))
    assert begun(Database(url)).number == NUMBER
    print(f"  relaying and folding {ground.facts:,} facts first …", file=sys.stderr, flush=True)


def killed(worker: Product) -> float:
    """SIGKILL the process that folds; its supervisor starts another. When it was."""
    _, folding, *_ = family(worker.process.pid)
    os.kill(folding, signal.SIGKILL)
    return time.monotonic()


def caught_up(url: str) -> None:
    """Wait until every partition stands at the journal's head. Raises: ``TimeoutError``."""
    deadline = time.monotonic() + 600
    with psycopg.connect(url, autocommit=True) as db:
        while time.monotonic() < deadline:
            head = db.execute("SELECT max(notification_id) FROM neraca.neraca_events").fetchall()[0][0]
            if min(positions(db).values()) >= head:
                return
            time.sleep(0.1)
    message = "the worker did not reach the journal's head"
    raise TimeoutError(message)


def measured(ground: Ground, url: str) -> tuple[list[Note], Seen, Seen, list[float]]:
    """Facts arrive, a while in peace, then with kills: what was recorded, stored and served when, and when it was killed."""
    peace, number = max(ground.size.seconds(SECONDS), LEAST_S), ground.size.count(KILLS)
    seconds = WARM_S + peace + number * BETWEEN_S
    errors, notes = ground.folder / "recording.log", ground.folder / "recording.json"
    with ExitStack() as ending:
        ending.enter_context(Product(ground, url, "relay", "--name", "bench")).wait_for("Neraca relays")
        worker = ending.enter_context(Product(ground, url, "worker", "--name", "bench"))
        api = ending.enter_context(Product(ground, url, "api", "--open", "--port", "0"))
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", api.wait_for("API:"))
        assert address is not None
        caught_up(url)
        positions_stored, service = Stored(url), Served(int(address[1]))
        words = [sys.executable, "-m", "benchmarks.scaled.recording", url, str(PER_SECOND), str(seconds), str(notes)]
        process = ending.enter_context(speaking(words, errors))
        heard(process, "recording", errors)
        positions_stored.start()
        service.start()
        time.sleep(WARM_S + peace)
        kills = []
        for _ in range(number):
            kills.append(killed(worker))
            time.sleep(BETWEEN_S)
        heard(process, "recorded", errors)
        caught_up(url)
        time.sleep(2.0)
        positions_stored.ending.set()
        positions_stored.join()
        served_seen = service.seen.copy()
    return (
        msgspec.json.decode(notes.read_bytes(), type=list[tuple[float, int, int]]),
        positions_stored.seen,
        served_seen,
        kills,
    )


def run(ground: Ground) -> list[Figure]:
    """The figures of this measurement."""
    with ground.database(JOURNAL) as url:
        prepared(ground, url)
        notes, positions_stored, service, kills = measured(ground, url)
        served_is_replayed(url)
    peace = [note for note in notes if notes[0][0] + WARM_S <= note[0] < kills[0] - LATE_S]
    in_store = [1000 * lag for _, lag in lags(peace, positions_stored)]
    in_api = [1000 * lag for _, lag in lags(peace, service)]
    late = recovered(kills, lags(notes, positions_stored))
    arrivals = len(peace) / (peace[-1][0] - peace[0][0]) / PER_SECOND
    return [
        shown(
            "recorded → folded, p50",
            quantile(in_store, 0.5),
            "ms",
            f"at {PER_SECOND:,} facts/s, all processes on one machine",
        ),
        shown("recorded → folded, p99", quantile(in_store, 0.99), "ms"),
        shown("recorded → told by the API's stream, p50", quantile(in_api, 0.5), "ms"),
        shown("recorded → told by the API's stream, p99", quantile(in_api, 0.99), "ms"),
        shown(f"facts that arrived ÷ {PER_SECOND:,}/s", arrivals, note="reversals, one in a hundred, are not counted"),
        shown(
            "kill -9 of a worker → caught up, median",
            quantile(late, 0.5),
            "s",
            f"{len(kills)} kills while facts arrive",
        ),
        shown("kill -9 of a worker → caught up, longest", max(late), "s"),
    ]
