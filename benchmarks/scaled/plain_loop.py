"""The floor: a plain `aiokafka` loop around the same fold, without groups, guards or a framework. A process of its own."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from zoneinfo import ZoneInfo

from aiokafka import AIOKafkaConsumer, TopicPartition  # type: ignore[import-untyped] # it ships no types

from benchmarks.harness import ZONE
from benchmarks.scaled.ground import PARTITIONS
from neraca.__main__ import settle_memory
from neraca.wiring import now_us
from projections.store.partitions import PartitionStore
from streams.journal.journal import Journal
from streams.layouts import Layouts
from streams.places.database import Database
from streams.worker.fold import Letter, PartitionFold, Record, Trust
from streams.worker.lease import next_epoch
from streams.worker.parts import reopener
from streams.worker.turn import TAKE

NAME = "plain"


def key_of(url: str, layout: int) -> bytes | None:
    """The key of a layout of a database."""
    database = Database(url)
    journal = Journal.read_only(database.journal)
    try:
        return Layouts(database, journal).key_of(layout)
    finally:
        journal.close()


def folding(url: str, layout: int) -> PartitionFold:
    """A fold of the journal of a database into the same; a letter for the dead ends it."""

    def letter(dead: Letter) -> None:
        raise AssertionError(dead.why)

    database = Database(url)
    journal = Journal.read_only(database.journal)
    with database.connected("epoch") as db:
        epoch = next_epoch(db, NAME, NAME)
    zone = ZoneInfo(ZONE)
    store = PartitionStore(reopener(database), layout, PARTITIONS, NAME, epoch, zone)
    return PartitionFold(store, journal.id, layout, letter, Trust(key_of(url, layout), zone))


async def read(server: str, topic: str, fold: PartitionFold, head: int) -> None:
    """Fold all partitions up to the journal's head."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=server,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=32 * 2**20,
    )
    await consumer.start()
    consumer.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
    loop, thread, last_offset = asyncio.get_running_loop(), ThreadPoolExecutor(1), dict.fromkeys(range(PARTITIONS), 0)
    first = True
    while min(last_offset.values()) < head:
        batch = await consumer.getmany(timeout_ms=50, max_records=TAKE)
        records = [Record(record.partition, record.offset, record.value) for some in batch.values() for record in some]
        if first and records:
            first = False
            print("first", flush=True)
        counts = await loop.run_in_executor(thread, fold.fold, records)
        last_offset |= {partition: to.position for partition, to in counts.moved.items()}
    print("folded", flush=True)
    await consumer.stop()


def main(server: str, topic: str, url: str, layout: str) -> None:
    """Fold until the head, and say so."""
    journal = Journal.open(Database(url).journal, ZONE, now_us())
    settle_memory()
    asyncio.run(read(server, topic, folding(url, int(layout)), journal.head()))


if __name__ == "__main__":
    main(*sys.argv[1:])
