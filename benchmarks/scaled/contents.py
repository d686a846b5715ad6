"""What the topics hold, and what must follow from it: the journal's facts as segments, and as JSON events one a record."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.harness import ZONE
from benchmarks.scaled.ground import BEGUN, PARTITIONS
from domain.events.entries import decode
from domain.events.kinds import FACT_TYPES, REVERSAL_TYPES
from domain.fold.ledger import Ledger
from domain.fold.partition import dinas_of, partition_of
from domain.fold.postings import postings_of
from domain.intake.recorded import exported
from neraca.wiring import now_us
from streams.journal.journal import Journal
from streams.kafka.broker import Sender, ensure_topic
from streams.kafka.segment_record import packed
from streams.layouts import Layout, Layouts
from streams.places.database import Database
from streams.relay.cursors import SETTLED, Cursors, DatabaseCursors
from streams.relay.cutting import Cutter
from streams.relay.layout_relay import PAGE, WATERMARK_S, LayoutRelay, RelayState
from streams.worker.fold import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.scaled.ground import Ground
    from domain.fold.postings import Account
    from streams.kafka.broker import Headers
    from streams.kafka.segment_record import SegmentRecord

EVENTS: Final = "events"
"""The topic of the baselines: each fact as its exported line, keyed by its dinas, in the partition of its segments."""
LAYOUT: Final = 1
"""The layout whose topic the workers read."""
_SENT_AT_ONCE: Final = 5000


def lines(ground: Ground) -> Iterator[list[tuple[int, bytes]]]:
    """Every page of the journal."""
    journal, at = Journal.read_only(ground.prepared), 0
    while page := journal.lines(at, PAGE):
        yield page
        at = page[-1][0]
    journal.close()


@cache
def expected(ground: Ground) -> dict[Account, list[int]]:
    """Every account as a plain fold of the journal leaves it."""
    ledger = Ledger()
    for page in lines(ground):
        ledger.post(posting for _, line in page for posting in postings_of(decode(line)))
    return ledger.accounts


@cache
def segments(ground: Ground) -> tuple[SegmentRecord, ...]:
    """The journal, cut as a relay cuts it that catches up."""
    journal = Journal.read_only(ground.prepared)
    outbox, cursors = (
        Cutter(journal.id, LAYOUT, PARTITIONS),
        Cursors(0, (0,) * PARTITIONS, (SETTLED,) * PARTITIONS),
    )
    journal.close()
    cut_segments: list[SegmentRecord] = []
    for page in lines(ground):
        cut, cursors = outbox.cut(page, cursors)
        cut_segments += cut
    return tuple(cut_segments)


@cache
def placed(ground: Ground) -> dict[int, list[int]]:
    """The positions of each partition's entries, in order."""
    positions: dict[int, list[int]] = {partition: [] for partition in range(PARTITIONS)}
    for messages in segments(ground):
        positions[messages.partition] += [position for position, _ in messages.entries]
    return positions


def records(ground: Ground, key: bytes | None) -> list[Record]:
    """The segments as a topic would hold them, signed by the key of its layout."""
    ends = [0] * PARTITIONS
    topic_records = []
    for messages in segments(ground):
        topic_records.append(Record(messages.partition, ends[messages.partition], packed(messages, key)))
        ends[messages.partition] += 1
    return topic_records


def relayed(ground: Ground, url: str, number: int) -> float:
    """Relay a database's journal to the topic of a layout, with the relay's own step; how long its entries took, in seconds."""
    database, layout = Database(url), Layout(number, PARTITIONS, 0)
    ensure_topic(ground.settings, layout.topic, PARTITIONS)
    journal, sender = Journal.open(database.journal, ZONE, now_us()), Sender(ground.settings)
    key = Layouts(database, journal).key_of(number)
    with database.connected("relay") as db:
        cursors = DatabaseCursors(db, layout)
        run = LayoutRelay(journal, layout, cursors, sender.send, RelayState(), key=key)
        beginning = time.perf_counter()
        while run.step():
            pass
        took = time.perf_counter() - beginning
        while min(cursors.load().sent) < cursors.load().scanned:  # a partition that lies idle is told once a second
            time.sleep(WATERMARK_S / 10)
            run.step()
    sender.close()
    journal.close()
    return took


@cache
def filled(ground: Ground) -> int:
    """Both topics hold the journal; how many records the events' has."""
    with ground.database(BEGUN) as url:
        relayed(ground, url, LAYOUT)
    ensure_topic(ground.settings, EVENTS, PARTITIONS)
    sender, count = Sender(ground.settings), 0
    for page in lines(ground):
        facts = [line for line in page if msgspec.json.decode(line[1])["type"] in FACT_TYPES | REVERSAL_TYPES]
        for start in range(0, len(facts), _SENT_AT_ONCE):
            sender.send(_event(position, line) for position, line in facts[start : start + _SENT_AT_ONCE])
        count += len(facts)
    sender.close()
    return count


def _event(position: int, line: bytes) -> tuple[str, int, bytes, bytes, Headers]:
    dinas = dinas_of(decode(line)) or ""
    return EVENTS, partition_of(dinas, PARTITIONS), dinas.encode(), exported(line, position), []
