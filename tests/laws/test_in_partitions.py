"""Laws of partitions, through the real cut, fold and PostgreSQL: any number of them, any delivery, the same balances."""

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events.entries import decode
from domain.fold.ledger import amounts_by_measure
from local.local_postgres import LocalPostgres
from projections.live import Live
from projections.reading.reader import Reader
from projections.segment import At
from tests.laws.histories import History, bounded, parsed, recorded, steps
from tests.laws.steps import Step
from tests.laws.strategies import ZONE
from tests.laws.test_one_history import cards_agree
from tests.oracle import Oracle

pytest.importorskip("psycopg", reason="the extra is not installed: pip install 'neraca[postgres]'")

from zoneinfo import ZoneInfo

from projections.store.partitions import PartitionStore
from streams.journal.journal import line_hash
from streams.kafka.segment_record import SegmentRecord, packed
from streams.layouts import Layouts
from streams.places.database import Database
from streams.places.location import ensure_served
from streams.relay.cursors import SETTLED, Cursors
from streams.relay.cutting import Cutter
from streams.worker.fold import PartitionFold, Record, Trust
from streams.worker.parts import reopener
from tests.kafka.guard_database import epoch_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _segments(history: History, partitions: int, sizes: list[int], again: list[int]) -> list[SegmentRecord]:
    """A journal cut into pages, some of them sent a second time from further back, as a relay that died would."""
    outbox = Cutter(history.journal.id, 1, partitions)
    cursors = Cursors(0, (0,) * partitions, (SETTLED,) * partitions)
    former_cursors, records, turn = [cursors], list[SegmentRecord](), 0
    while cursors.scanned < history.journal.head():
        back = min(again[turn % len(again)], len(former_cursors) - 1)
        start = former_cursors[-1 - back]
        page = history.journal.lines(start.scanned, sizes[turn % len(sizes)] + (cursors.scanned - start.scanned))
        segments, cursors = outbox.cut(page, start)
        records += segments
        former_cursors.append(cursors)
        turn += 1
    last = line_hash(history.journal.lines_at([cursors.scanned])[cursors.scanned])
    return records + [outbox.watermark(partition, cursors, last) for partition in range(partitions)]


def _delivered(segments: list[SegmentRecord], dice: random.Random) -> list[list[Record]]:
    """Records by partition in the order of their offsets, now and then two exchanged or repeated; in batches."""
    offsets: dict[int, int] = {}
    records = []
    for record in segments:
        for _ in range(1 + (dice.random() < 0.2)):
            offset = offsets.get(record.partition, 0)
            offsets[record.partition] = offset + 1
            records.append(Record(record.partition, offset, packed(record)))
    for at, first in enumerate(records):
        following = next((n for n in range(at + 1, len(records)) if records[n].partition == first.partition), None)
        if following is not None and dice.random() < 0.3:
            second = records[following]
            records[at] = first._replace(value=second.value)
            records[following] = second._replace(value=first.value)
    batches = []
    while records:
        size = dice.randint(1, 7)
        batches.append(records[:size])
        records = records[size:]
    return batches


@bounded(12)
@given(
    steps(40),
    st.integers(1, 5),
    st.lists(st.integers(1, 15), min_size=1, max_size=4),
    st.lists(st.integers(0, 2), min_size=1, max_size=4),
    st.integers(0, 10_000),
)
def test_partitions_come_to_what_the_oracle_says(
    postgres: LocalPostgres, steps: list[Step], partitions: int, sizes: list[int], again: list[int], seed: int
) -> None:
    """Cut, repeated, exchanged and folded apart: balances, files, rules, digest and scorecards are those of the journal."""
    postgres.start()
    name = f"laws_{uuid.uuid4().hex}"
    database = Database(postgres.database(name)).prepare()
    with recorded(steps) as history:
        ensure_served(database.generations())[1].engine.dispose()
        layout = Layouts(database, history.journal).current(partitions)
        store = PartitionStore(
            reopener(database), layout.number, partitions, "w", epoch_of(database, "w"), ZoneInfo(ZONE)
        )
        letters: list[object] = []
        fold = PartitionFold(store, history.journal.id, layout.number, letters.append, Trust(None, ZoneInfo(ZONE)))
        for batch in _delivered(_segments(history, partitions, sizes, again), random.Random(seed)):  # noqa: S311 - a seeded order
            fold.fold(batch)
        head = history.journal.head()
        last = line_hash(history.journal.lines_at([head])[head])
        store.fold_rules(
            head, last, lambda after: [(at, line, decode(line)) for at, line in history.journal.rule_lines(after)]
        )
        assert not letters
        assert {partition.position for partition in store.standing().values()} == {head}
        _agrees(database, history)
    postgres.drop(name)


def _agrees(database: Database, history: History) -> None:
    oracle = Oracle(parsed(history.export))
    number, store = ensure_served(database.generations())
    live = Live(history.journal.id, number, store, At(0))
    with Reader(live, ZoneInfo(ZONE), lambda: history.now_us).snapshot() as snapshot, store.snapshot() as queries:
        accounts = {
            account: amounts for account, balance in queries.accounts() if (amounts := amounts_by_measure(balance))
        }
        assert accounts == oracle.balances
        assert (snapshot.position, snapshot.digest()) == (oracle.position, oracle.digest())
        cards_agree(snapshot, oracle, EPOCH + timedelta(microseconds=history.now_us))
    store.engine.dispose()
