"""append: the journal's own append in PostgreSQL, beside raw `psycopg` that copies and inserts the same rows, as durably."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from benchmarks.append import BATCH, BATCHES, PAIRS, appended, rows_of
from benchmarks.city import City, rules
from benchmarks.measure import Figure, pairs, shown
from benchmarks.prepared import ZONE, record, submissions
from domain.intake.wire import Submission, parse_json, read_submission
from neraca.wiring import now_us
from projections.ports import LOCAL, Accepted
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.append import Rows
    from benchmarks.kafka.ground import Ground

NAME: Final = "append"
_EVENTS: Final = (
    "COPY neraca.neraca_events (notification_id, originator_id, originator_version, topic, state) "
    "FROM STDIN (FORMAT BINARY)"
)
_KEYS: Final = (
    "INSERT INTO neraca.natural_keys SELECT * FROM unnest(%b::text[], %b::text[]) "
    "ON CONFLICT (key) DO UPDATE SET holder = excluded.holder"
)
_NOTES: Final = "COPY neraca.case_notes (key, position) FROM STDIN (FORMAT BINARY)"


@contextmanager
def begun(ground: Ground) -> Iterator[tuple[str, Journal]]:
    """The address of a new database, and a journal in it that holds the rules."""
    ground.postgres.drop(NAME)
    url = ground.postgres.database(NAME)
    journal = Journal.open(Database(url).prepare().journal, ZONE, now_us())
    record(journal, rules())
    try:
        yield url, journal
    finally:
        journal.close()
        ground.postgres.drop(NAME)


def append_rate(ground: Ground, ready: list[list[Submission]], rows: list[Rows]) -> float:
    """Events a second through the append of a new journal."""
    with begun(ground) as (_, journal):
        return appended(journal, ready, rows)


def intake_rate(ground: Ground, batches: list[Any], ready: Callable[[Any], list[Submission]]) -> float:
    """Events a second from ``ready`` submissions to durable ones, through the intake service."""
    with begun(ground) as (_, journal):
        intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), now_us)
        start = time.perf_counter()
        for batch in batches:
            assert all(isinstance(outcome, Accepted) for outcome in intake.submit(ready(batch), LOCAL))
        took = time.perf_counter() - start
        intake.close()
    return sum(map(len, batches)) / took


def raw_rate(ground: Ground, batches: list[Rows]) -> float:
    """Events a second of binary COPY and INSERT into the same tables, a transaction a batch, `synchronous_commit` on."""
    typed = [[(row[0], UUID(hex=row[1]), *row[2:]) for row in batch["stored_events"]] for batch in batches]
    with begun(ground) as (url, journal), psycopg.connect(url) as db:
        journal.close()
        start = time.perf_counter()
        for events, rows in zip(typed, batches, strict=True):
            with db.cursor() as cursor:
                _copied(cursor, _EVENTS, ("int8", "uuid", "int8", "text", "bytea"), events)
                cursor.execute(_KEYS, tuple(list(column) for column in zip(*rows["natural_keys"], strict=True)))
                _copied(cursor, _NOTES, ("text", "int8"), rows["case_notes"])
            db.commit()
        took = time.perf_counter() - start
    return sum(map(len, typed)) / took


def _copied(cursor: psycopg.Cursor[Any], into: str, types: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with cursor.copy(into.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def _read(texts: list[bytes]) -> list[Submission]:
    return [read_submission(parse_json(text)) for text in texts]


def run(ground: Ground) -> list[Figure]:
    """The ratios of this measurement."""
    events = list(City(11).facts(BATCH * BATCHES))
    cut = [events[start : start + BATCH] for start in range(0, len(events), BATCH)]
    ready, texts = [submissions(batch) for batch in cut], [[json.dumps(one).encode() for one in batch] for batch in cut]
    _, rows = rows_of(ready)
    bare = lambda: raw_rate(ground, rows)  # noqa: E731 - said thrice below
    append = pairs(lambda: append_rate(ground, ready, rows), bare, PAIRS)
    decided = pairs(lambda: intake_rate(ground, ready, lambda batch: batch), bare, PAIRS)
    whole = pairs(lambda: intake_rate(ground, texts, _read), bare, PAIRS)
    return [
        Figure(
            "append ÷ raw psycopg",
            append,
            0.5,
            note=f"look up, encode, copy, keys; {BATCH} a batch, every commit durable",
        ),
        shown("intake ÷ raw psycopg", decided, note="the same, and each event checked and resolved in the lock"),
        shown("intake from JSON bytes ÷ raw psycopg", whole, note="parse, check, resolve and append"),
    ]
