"""relay: the relay's own step from PostgreSQL to Kafka, beside a bare `kafka-python` producer of the same ready-cut segments."""

from __future__ import annotations

import itertools
import statistics
import time
from typing import TYPE_CHECKING, Any, Final

from kafka import KafkaProducer

from benchmarks.harness import Figure, pairs, shown
from benchmarks.scaled.contents import relayed, segments
from benchmarks.scaled.ground import JOURNAL, PARTITIONS
from streams.kafka.broker import ACK_S, RECORD_MOST, ensure_topic
from streams.kafka.segment_record import packed

if TYPE_CHECKING:
    from benchmarks.scaled.ground import Ground

PAIRS: Final = 5
FIRST: Final = 1001
"""The number of the first layout relayed here; each relay has a topic of its own."""


def bare(ground: Ground, topic: str, *, ready: bool) -> float:
    """Events a second of a producer that sends all segments and waits for their acknowledgement; each ``ready`` packed."""
    records = [(waits, packed(waits) if ready else b"") for waits in segments(ground)]
    ensure_topic(ground.settings, topic, PARTITIONS)
    producer: Any = KafkaProducer(
        **ground.settings.client(),
        acks="all",
        enable_idempotence=True,
        linger_ms=2,
        batch_size=1 << 20,
        max_request_size=RECORD_MOST,
    )
    beginning = time.perf_counter()
    futures = [
        producer.send(topic, partition=waits.partition, value=value or packed(waits)) for waits, value in records
    ]
    producer.flush(ACK_S)
    for future in futures:
        future.get(ACK_S)
    took = time.perf_counter() - beginning
    producer.close()
    return ground.facts / took


def run(ground: Ground) -> list[Figure]:
    """The ratios of this measurement, and the rates they are made of."""
    numbers, rates = itertools.count(FIRST), dict[str, list[float]]()

    def measured(name: str, rate: float) -> float:
        rates.setdefault(name, []).append(rate)
        return rate

    with ground.database(JOURNAL) as url:

        def ours() -> float:
            return measured("ours", ground.facts / relayed(ground, url, next(numbers)))

        def theirs(*, ready: bool) -> float:
            return measured(f"bare {ready}", bare(ground, f"bare.{next(numbers)}", ready=ready))

        ratio = pairs(ours, lambda: theirs(ready=True), ground.size.count(PAIRS))
        packing = pairs(ours, lambda: theirs(ready=False), ground.size.count(PAIRS))
    middle = {name: statistics.median(some) for name, some in rates.items()}
    return [
        Figure("relay ÷ bare kafka-python", ratio, 0.5, note="segments cut and packed beforehand there"),
        shown("relay ÷ bare kafka-python that packs", packing, note="cut beforehand there"),
        shown("relay", middle["ours"], "events/s", "read, cut, pack, send, acknowledged, cursors moved"),
        shown("bare kafka-python", middle["bare True"], "events/s", "acks=all, idempotent"),
    ]
