"""append: the journal's own append, beside raw `sqlite3` writing the same rows with the same durability."""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from benchmarks.city import City, rules
from benchmarks.harness import ZONE, Figure, Size, pairs, record, shown, submissions
from domain.intake.recorded import line_of, read_line
from domain.intake.strict_json import parse_json
from domain.intake.wire import Submission, read_submission
from neraca.wiring import now_us
from projections.ports import LOCAL, Accepted
from streams.intake.keyed import keyed, prefetch
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.directory import JournalFile

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH: Final = 500
BATCHES: Final = 20
PAIRS: Final = 7
TABLES: Final = ("stored_events", "natural_keys", "case_notes")
Rows = dict[str, list[tuple[Any, ...]]]


def journal_rate(batches: list[Any], ready: Callable[[Any], list[Submission]], callers: int = 1) -> float:
    """Events a second from ``ready`` submissions to durable ones, through the intake service, into a new journal."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(JournalFile(Path(folder) / "journal.sqlite"), ZONE, now_us())
        record(journal, rules())
        intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), now_us)
        beginning = time.perf_counter()
        with ThreadPoolExecutor(callers) as pool:
            answers = pool.map(lambda batch: intake.submit(ready(batch), LOCAL), batches)
            outcome_lists = sum(isinstance(outcome, Accepted) for outcomes in answers for outcome in outcomes)
        took = time.perf_counter() - beginning
        intake.close()
        journal.close()
    # A retraction whose event is of a batch another caller has not sent yet is refused; with one caller nothing is.
    assert outcome_lists == sum(map(len, batches)) or callers > 1
    return sum(map(len, batches)) / took


def append_rate(batches: list[list[Submission]], rows: list[Rows]) -> float:
    """Events a second through the append of a new journal."""
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal.open(JournalFile(Path(folder) / "journal.sqlite"), ZONE, now_us())
        record(journal, rules())
        rate = appended(journal, batches, rows)
        journal.close()
    return rate


def appended(journal: Journal, batches: list[list[Submission]], rows: list[Rows]) -> float:
    """Events a second through a journal's append alone: names, lock, look-ups, lines, keys, one commit a batch."""
    lines = [[replace(read_line(row[4]), salt="") for row in batch["stored_events"]] for batch in rows]
    keys_of = [_keys_by_holder(batch) for batch in rows]
    beginning = time.perf_counter()
    for batch, recordings, keys in zip(batches, lines, keys_of, strict=True):
        labels = [keyed(submission) for submission in batch]
        with journal.appending() as append:
            prefetch(append, labels)
            for keyed_one, event in zip(labels, recordings, strict=True):
                originator = keyed_one.originator
                assert append.find(originator) is None
                if keyed_one.key is not None:
                    append.holder(keyed_one.key)
                append.add(originator, event.type, line_of(event))
                for key in keys.get(originator, ()):
                    append.set_key(key, originator)
    return sum(map(len, batches)) / (time.perf_counter() - beginning)


def _keys_by_holder(batch: Rows) -> dict[str, list[str]]:
    keys: dict[str, list[str]] = {}
    for key, holder in batch["natural_keys"]:
        keys.setdefault(holder, []).append(key)
    return keys


def rows_of(batches: list[list[Submission]]) -> tuple[list[str], list[Rows]]:
    """The schema of a journal, and the rows each batch adds to each of its tables."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        journal = Journal.open(JournalFile(path), ZONE, now_us())
        record(journal, rules())
        intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), now_us)
        additions = []
        with closing(sqlite3.connect(path)) as db:
            numbers = {table: set(db.execute(f"SELECT * FROM {table}")) for table in TABLES}
            for batch in batches:
                intake.submit(batch, LOCAL)
                rows: Rows = {}
                for table in TABLES:
                    now = db.execute(f"SELECT * FROM {table}").fetchall()
                    rows[table] = [row for row in now if row not in numbers[table]]
                    numbers[table].update(rows[table])
                additions.append(rows)
            schema = [row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
        intake.close()
        journal.close()
    return schema, additions


def raw_rate(schema: list[str], batches: list[Rows]) -> float:
    """Events a second through `executemany`, WAL and synchronous=FULL, a transaction a batch."""
    with tempfile.TemporaryDirectory() as folder:  # noqa: SIM117 - the line of both would be cut
        with closing(sqlite3.connect(Path(folder) / "raw.sqlite", isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=FULL")
            for statement in schema:
                db.execute(statement)
            beginning = time.perf_counter()
            for rows in batches:
                db.execute("BEGIN IMMEDIATE")
                db.executemany("INSERT INTO stored_events VALUES (?,?,?,?,?)", rows["stored_events"])
                db.executemany("INSERT OR REPLACE INTO natural_keys VALUES (?,?)", rows["natural_keys"])
                db.executemany("INSERT INTO case_notes VALUES (?,?)", rows["case_notes"])
                db.execute("COMMIT")
            took = time.perf_counter() - beginning
    return sum(len(rows["stored_events"]) for rows in batches) / took


def read(texts: list[bytes]) -> list[Submission]:
    """Submissions from the bytes of their JSON."""
    return [read_submission(parse_json(text)) for text in texts]


def supply(size: Size) -> tuple[list[list[Submission]], list[list[bytes]]]:
    """The batches that are appended, ready and as JSON."""
    events = list(City(11).facts(BATCH * size.count(BATCHES, 2)))
    batches = [events[start : start + BATCH] for start in range(0, len(events), BATCH)]
    return [submissions(batch) for batch in batches], [
        [json.dumps(event).encode() for event in batch] for batch in batches
    ]


def run(size: Size) -> list[Figure]:
    """The ratios of this measurement."""
    ready, texts = supply(size)
    schema, rows = rows_of(ready)
    assert sum(len(batch["stored_events"]) for batch in rows) == sum(map(len, ready))

    def ratio(ours: Callable[[], float]) -> float:
        return pairs(ours, lambda: raw_rate(schema, rows), size.count(PAIRS))

    append = ratio(lambda: append_rate(ready, rows))
    decisions = ratio(lambda: journal_rate(ready, lambda batch: batch))
    together = ratio(lambda: journal_rate(ready, lambda batch: batch, 4))
    whole = ratio(lambda: journal_rate(texts, read))
    return [
        Figure(
            "append ÷ raw sqlite3",
            append,
            0.5,
            note=f"look up, encode, insert, keys; {BATCH} a batch, synchronous=FULL",
        ),
        shown("intake ÷ raw sqlite3", decisions, note="the same, and each event checked and resolved in the lock"),
        shown("intake by four callers ÷ raw sqlite3", together, note="two waiting batches share a commit"),
        shown("intake from JSON bytes ÷ raw sqlite3", whole, note="parse, check, resolve and append"),
    ]
