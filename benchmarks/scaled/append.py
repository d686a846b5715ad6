"""append: the journal's own append in PostgreSQL, beside raw `psycopg` that copies and inserts the same rows, as durably."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from benchmarks.city import rules
from benchmarks.embedded.append import BATCH, PAIRS, appended, read, rows_of, supply
from benchmarks.harness import ZONE, Figure, pairs, record, shown
from neraca.wiring import now_us
from projections.ports import LOCAL, Accepted
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.database import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.embedded.append import Rows
    from benchmarks.scaled.ground import Ground
    from domain.intake.wire import Submission

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
    values = [[(row[0], UUID(hex=row[1]), *row[2:]) for row in batch["stored_events"]] for batch in batches]
    with begun(ground) as (url, journal), psycopg.connect(url) as db:
        journal.close()
        start = time.perf_counter()
        for events, rows in zip(values, batches, strict=True):
            with db.cursor() as cursor:
                _copied(cursor, _EVENTS, ("int8", "uuid", "int8", "text", "bytea"), events)
                cursor.execute(_KEYS, tuple(list(column) for column in zip(*rows["natural_keys"], strict=True)))
                _copied(cursor, _NOTES, ("text", "int8"), rows["case_notes"])
            db.commit()
        took = time.perf_counter() - start
    return sum(map(len, values)) / took


def _copied(cursor: psycopg.Cursor[Any], into: str, types: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    with cursor.copy(into.encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)


def run(ground: Ground) -> list[Figure]:
    """The ratios of this measurement."""
    ready, texts = supply(ground.size)
    _, rows = rows_of(ready)

    def ratio(ours: Callable[[], float]) -> float:
        return pairs(ours, lambda: raw_rate(ground, rows), ground.size.count(PAIRS))

    append = ratio(lambda: append_rate(ground, ready, rows))
    decisions = ratio(lambda: intake_rate(ground, ready, lambda batch: batch))
    whole = ratio(lambda: intake_rate(ground, texts, read))
    return [
        Figure(
            "append ÷ raw psycopg",
            append,
            0.5,
            note=f"look up, encode, copy, keys; {BATCH} a batch, every commit durable",
        ),
        shown("intake ÷ raw psycopg", decisions, note="the same, and each event checked and resolved in the lock"),
        shown("intake from JSON bytes ÷ raw psycopg", whole, note="parse, check, resolve and append"),
    ]
