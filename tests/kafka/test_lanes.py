"""Lanes: what goes through several folds side by side is what goes through one, and no failure leaves a lane behind at work."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from projections.segment import NotWritten
from streams.lanes import LANES, Lanes
from streams.partition_fold import PartitionFold
from tests.kafka.guard_fold import JOURNAL, LAYOUT, MemoryStore, record, sent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.kafka.guard_fold import MemoryFolding

PATIENCE_S = 1.0


def lanes_over(store: MemoryStore) -> Lanes:
    return Lanes(lambda: PartitionFold(store, JOURNAL, LAYOUT, lambda _: None))


class MeetingStore(MemoryStore):
    """A store whose transactions wait inside for one another: only folds that run at one time get through."""

    def __init__(self) -> None:
        super().__init__(LANES)
        self.met = threading.Barrier(LANES)
        self.gone: set[int] = set()
        self.asked: list[list[int]] = []

    @contextmanager
    def folding(self, partitions: Sequence[int]) -> Iterator[MemoryFolding]:
        with super().folding(partitions) as folding:
            self.asked.append(list(partitions))
            self.met.wait(PATIENCE_S)
            if self.gone.intersection(partitions):
                message = "away"
                raise NotWritten(message)
            yield folding


def test_partitions_of_two_lanes_are_folded_at_one_time() -> None:
    """Each in a transaction of its own; the counts are those of all."""
    store = MeetingStore()
    counts = lanes_over(store).fold([record(0, sent(0, 2)), record(0, sent(0, 4, [3, 4], partition=1))])
    assert (counts.applied, set(counts.moved)) == (4, {0, 1})
    assert (sorted(store.entries), sorted(store.asked)) == ([1, 2, 3, 4], [[0], [1]])


def test_a_failure_is_raised_when_every_lane_has_ended_and_the_same_may_come_again() -> None:
    """What the other lane wrote stands, and is not written twice."""
    store = MeetingStore()
    lanes = lanes_over(store)
    records = [record(0, sent(0, 2)), record(0, sent(0, 4, [3, 4], partition=1))]
    store.gone = {0}
    with pytest.raises(NotWritten):
        lanes.fold(records)
    assert (store.entries, store.at(0), store.at(1)) == ([3, 4], (0, 0), (4, 1))
    store.gone = set()
    counts = lanes.fold(records)
    assert (counts.applied, counts.dropped, sorted(store.entries)) == (2, 2, [1, 2, 3, 4])


def test_a_partition_keeps_its_lane() -> None:
    """What is ahead waits in the lane where what is missing will come."""
    store = MemoryStore(3)
    lanes = lanes_over(store)
    lanes.fold([record(1, sent(2, 4, partition=2))])
    lanes.fold([record(0, sent(0, 2)), record(0, sent(0, 1, partition=1))])
    lanes.fold([record(0, sent(0, 2, partition=2))])
    assert [store.at(one) for one in range(3)] == [(2, 1), (1, 1), (4, 2)]


def test_a_standing_partition_of_any_lane_is_told() -> None:
    """One record that cannot be read stops its partition, and the other lane goes on."""
    store = MemoryStore()
    lanes = lanes_over(store)
    lanes.fold([record(0, sent(0, 2, partition=1)), record(0, b"no segment")])
    assert (set(lanes.stopped), store.entries) == ({0}, [1, 2])
