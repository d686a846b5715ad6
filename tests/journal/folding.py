"""A history that touches every table of the store, cut into segments, folded, and compared."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import event as sqlalchemy_event

from audit.replay import checked, concluded, fold_lines
from domain.events.entries import decode
from domain.periods import parse_period
from projections.live import Live
from projections.reading.reader import Reader, Snapshot
from projections.segment import At, Segment
from projections.store.generations_sqlite import sqlite_engine
from projections.store.schema import METADATA, MOVED
from projections.store.store import Store
from streams.journal.journal import line_hash
from tests.journal.desk import (
    PLACE,
    Event,
    at,
    corrected,
    decided,
    paused,
    rated,
    received,
    resumed,
    retracted,
    standard,
    task,
)
from tests.serving import Clock, event

Line = tuple[int, bytes]
NOVEMBER: Final = parse_period("2026-11")
HISTORY: Final[list[Event]] = [
    event("dinas-registered", "n1", {"dinas": "disdukcapil", "name": "Kependudukan"}),
    standard("s1", 2),
    received("r1", "K-1", asn="a-1"),
    paused("p1", "K-1", "08:30"),
    resumed("q1", "K-1", "09:00"),
    received("r2", "K-2", asn="a-1"),
    paused("p2", "K-2", "08:30"),
    received("r3", "K-3", asn="a-2", due_at=at("09:00")),
    received("r4", "K-4"),
    received("r5", "K-5", dinas="dpmptsp"),
    decided("d1", "K-1", asn="a-1"),
    decided("d9", "K-9", received_at=at("2026-09-30T23:00:00+07:00"), asn="a-2"),
    task("t1"),
    task("t2", "a-2", due_at=at("08:00")),
    rated("g1", survey="s"),
    rated("g2", case="K-1", service=PLACE["service"]),
    corrected("c1", "t1", task("t1", "a-2", "2026-10-31T23:00:00+07:00")),
    corrected("c2", "c1", task("t1", "a-1")),
    retracted("x1", "d9"),
    retracted("x2", "c2"),
    corrected("c3", "r4", received("r4", "K-4", "10:30")),
    decided("d2", "K-3", "11:30", outcome="rejected"),
    retracted("x3", "d2"),
    decided("d3", "K-2"),
    received("r6", "K-6", service="kia"),
    retracted("x4", "r5"),
    event("standard-set", "s2", {"service": "kia", "amount": 1, "unit": "wall_hours", "effective_from": "2026-01-01"}),
    received("r7", "K-7", "08:15", service="kia", asn="a-2"),
]


def segment(lines: Sequence[Line], after: int, last: int, journal: str = "j") -> Segment:
    """The entries of ``(after, last]``."""
    cut = [(position, line, decode(line)) for position, line in lines if after < position <= last]
    return Segment("journal", journal, after, last, line_hash(cut[-1][1]) if cut else "", cut, ZoneInfo("Asia/Jakarta"))


def segments(lines: Sequence[Line], size: int) -> Iterator[Segment]:
    """All of them, a number of entries each."""
    for after in range(0, len(lines), size):
        yield segment(lines, after, min(after + size, len(lines)))


def empty(path: Path) -> Store:
    """A store nobody has folded into."""
    store = Store(sqlite_engine(path))
    store.create()
    return store


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with store.engine.connect() as db:
        return {
            table.name: sorted(tuple(row) for row in db.execute(table.select()))
            for table in METADATA.sorted_tables
            if table is not MOVED  # says what moved lately, which the cut of segments decides
        }


def content(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """A store's content: its rows without ids of storage, and without empty accounts."""
    tables = dump(store)
    leaf = {row[0]: row[1:5] for row in tables["accounts"]}
    return tables | {
        "accounts": sorted((*row[1:5], msgspec.json.decode(row[5])) for row in tables["accounts"]),
        "why": sorted((*leaf[row[0]], row[1]) for row in tables["why"]),
    }


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The statements sent to a store's database within a ``with``."""
    statements_sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements_sent.append(statement)

    sqlalchemy_event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield statements_sent
    finally:
        sqlalchemy_event.remove(store.engine, "before_cursor_execute", note)


def reader(store: Store, clock: Clock | None = None) -> Reader:
    """Reads a store as the API would."""
    return Reader(Live("j", 1, store, At(0)), ZoneInfo("Asia/Jakarta"), clock or Clock())


def digest(store: Store) -> tuple[int, str]:
    """The position and digest served from a store."""
    with reader(store).snapshot() as snapshot:
        return snapshot.position, snapshot.digest()


def audited(lines: Sequence[Line]) -> tuple[int, str]:
    """The same, as an auditor concludes it from the lines."""
    replay = concluded(checked(fold_lines(lines)), NOVEMBER, Clock()())
    return replay.position, replay.digest


def counts(snapshot: Snapshot, *names: str) -> dict[str, tuple[int, ...]]:
    """Some counts of every dinas's scorecard."""
    cards = [snapshot.card(standing, NOVEMBER) for standing in snapshot.dinas(NOVEMBER)]
    return {card.subject.id: tuple(getattr(card.counts, name) for name in names) for card in cards}
