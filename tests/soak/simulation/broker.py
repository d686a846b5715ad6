"""The simulated broker: a log of contiguous offsets for each partition, and every way in which a send may fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from streams.kafka.broker import NoBroker
from streams.kafka.segment_record import unpacked
from tests.soak.simulation.world import REORDERED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from streams.kafka.segment_record import SegmentRecord
    from tests.soak.simulation.world import Process, World

Landing = tuple[int, bytes]
"""A partition, and a record's value."""
SPOILT: Final = b"\x01spoilt"


class Broker:
    """The records that landed, and which of them can still be read."""

    def __init__(self, world: World, partitions: int) -> None:
        self._world = world
        self._logs: list[list[bytes]] = [[] for _ in range(partitions)]
        self._lost: set[tuple[int, int]] = set()
        self._spoilt: set[tuple[int, int]] = set()
        self.away_until = 0.0

    def away(self) -> bool:
        """True while the broker does not answer."""
        return self._world.now < self.away_until

    def ends(self) -> dict[int, int]:
        """The offset after each partition's last record. Raises: ``NoBroker``."""
        if self.away():
            message = "away"
            raise NoBroker(message)
        return {partition: len(log) for partition, log in enumerate(self._logs)}

    def send(self, process: Process, records: Iterable[tuple[Any, ...]]) -> None:
        """Each record lands in its partition's log, in order, unless a fault strikes. Raises: ``NoBroker`` for all but success."""
        world, landing = self._world, [(record[1], record[3]) for record in records]
        if self.away() or (landing and world.happens("send refused")):
            message = "refused"
            raise NoBroker(message)
        is_unacknowledged = landing and world.happens("send landed but unacknowledged")
        if landing and world.happens("send partly landed"):
            is_unacknowledged, landing = True, [record for record in landing if world.chance.random() < 0.5]
        if landing and world.happens("send landed late"):
            is_unacknowledged, late = True, [record for record in landing if world.chance.random() < 0.5]
            landing = [record for record in landing if record not in late]
            world.after(world.chance.uniform(0.5, 30.0), lambda: self._land(late))
        is_reordered = len(landing) > 1 and world.happens(REORDERED)
        if is_reordered:
            world.chance.shuffle(landing)
        for record in landing:
            self._land([record])
            process.outside()
            if is_reordered:
                world.stand(world.chance.uniform(0.0, 5.0))
        if is_unacknowledged:
            message = "not acknowledged"
            raise NoBroker(message)

    def _land(self, landing: Iterable[Landing]) -> None:
        for partition, value in landing:
            log, world = self._logs[partition], self._world
            for _ in range(2 if world.happens("record landed twice") else 1):
                world.say(f"    lands: {partition}@{len(log)} {_text_of(value)}")
                if world.happens("record lost after acknowledgement"):
                    self._lost.add((partition, len(log)))
                elif world.happens("record spoilt"):
                    self._spoilt.add((partition, len(log)))
                log.append(value)
            if world.happens("old record landed again"):
                log.append(world.chance.choice(log))

    def read(self, partition: int, offset: int, most: int) -> tuple[list[tuple[int, bytes]], int]:
        """Up to ``most`` records from an offset, each with its own offset, and the offset to read next."""
        end = len(self._logs[partition]) if not self.away() else offset
        stop = min(end, offset + most)
        records = [
            (at, SPOILT if (partition, at) in self._spoilt else self._logs[partition][at])
            for at in range(offset, stop)
            if (partition, at) not in self._lost
        ]
        return records, max(offset, stop)

    def following(self, partition: int, position: int) -> Iterator[tuple[int, SegmentRecord, bool]]:
        """The records that bring a partition on from a position: offset, segment, and whether it can be read."""
        for offset, value in enumerate(self._logs[partition]):
            segment = unpacked(value)
            if segment.after <= position < segment.last:
                yield offset, segment, (partition, offset) not in self._lost | self._spoilt


def _text_of(value: bytes) -> str:
    segment = unpacked(value)
    return f"({segment.after}, {segment.last}] {len(segment.entries)} entries"
