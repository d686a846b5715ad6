"""The fold of segments over a store in memory: order, repeats, gaps and holes, and the purpose of each guard.

Each guard has a planted fold without it beside its check: the check must fail on that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from projections.segment import NotWritten
from projections.store.partitions import Overtaken
from streams.worker.fold import GAP_WAIT_S, HOLE_WAIT_S, PartitionFold
from streams.worker.turn import ReadAgain
from tests.kafka.guard_fold import Fold, record, segment_of

if TYPE_CHECKING:
    from streams.kafka.segment_record import SegmentRecord
    from streams.worker.fold import Counts, Record

pytestmark = pytest.mark.speed("quick")


def test_segments_are_applied_once_however_they_come() -> None:
    """Again, overlapping and out of order: each entry once, in order."""
    folding = Fold()
    folding.arrive(record(1, segment_of(2, 4)), record(0, segment_of(0, 2)))
    folding.arrive(record(1, segment_of(2, 4)), record(2, segment_of(3, 6)))
    assert (folding.store.entries, folding.store.at()) == ([1, 2, 3, 4, 5, 6], (6, 3))


def test_partitions_of_one_poll_are_folded_in_one_transaction() -> None:
    folding = Fold()
    counts = folding.fold.fold([record(0, segment_of(0, 2)), record(0, segment_of(0, 4, [3], partition=1))])
    assert (counts.applied, counts.dropped, set(counts.moved)) == (3, 0, {0, 1})
    assert (folding.store.at(0), folding.store.at(1)) == ((2, 1), (4, 1))


def test_a_fold_that_was_not_written_is_done_again_with_the_same() -> None:
    """The fold's memory changes only with a commit."""
    folding = Fold()
    folding.store.away = True
    with pytest.raises(NotWritten):
        folding.arrive(record(1, segment_of(2, 4)))
    folding.store.away = False
    folding.arrive(record(1, segment_of(2, 4)))
    folding.arrive(record(0, segment_of(0, 2)))
    assert (folding.store.entries, folding.store.at()) == ([1, 2, 3, 4], (4, 2))


def test_an_overtaken_process_is_told() -> None:
    folding = Fold()
    folding.store.overtaken = True
    with pytest.raises(Overtaken):
        folding.arrive(record(0, segment_of(0, 2)))


def missed(folding: Fold) -> None:
    """A segment ahead comes, and the missing one does not come within the wait."""
    folding.arrive(record(0, segment_of(0, 2)), record(1, segment_of(4, 6)))
    folding.now.s += GAP_WAIT_S + 0.1
    folding.fold.fold([])


def gap_check(fold: type[PartitionFold]) -> None:
    """Guard 2: a gap waits, then the process reads again, twice; the third time it stops its partition, and only that."""
    folding = Fold(fold=fold)
    folding.arrive(record(0, segment_of(0, 2)), record(1, segment_of(4, 6)))
    folding.now.s += GAP_WAIT_S - 0.1
    folding.fold.fold([])
    assert folding.store.entries == [1, 2]
    for _ in range(2):
        folding.restart()
        with pytest.raises(ReadAgain, match="entries 3 to 4 of partition 0 are missing"):
            missed(folding)
        assert folding.store.stored[0].stopped is None
    folding.restart()
    missed(folding)
    assert folding.store.stored[0].stopped == "entries 3 to 4 of partition 0 are missing from the topic"
    assert set(folding.fold.stopped) == {0}
    folding.arrive(record(2, segment_of(2, 8)), record(0, segment_of(0, 9, [1], partition=1)))
    assert (folding.store.entries, folding.store.at(0), folding.store.at(1)) == ([1, 2, 1], (2, 3), (9, 1))


class AppliesGaps(PartitionFold):
    """Planted: a segment ahead is taken for the next one."""

    def _check(self, segment: SegmentRecord, record: Record) -> None:
        super()._check(segment, record)
        msgspec.structs.force_setattr(segment, "after", 0)


class WaitsForever(PartitionFold):
    """Planted: nobody looks how long a segment has been ahead, or whether an offset was passed over."""

    def _look_for_gaps(self) -> None:
        pass


class NeverStops(PartitionFold):
    """Planted: the same gap is read again for ever."""

    def _gap(self, partition: int) -> None:
        message = f"entries 3 to 4 of partition {partition} are missing"
        raise ReadAgain(message)


class StopsAtOnce(PartitionFold):
    """Planted: a gap that reading again would have healed stops its partition the first time."""

    def _gap(self, partition: int) -> None:
        self._stop(partition, 2, "entries 3 to 4 of partition 0 are missing from the topic")


def test_a_gap_is_read_again_twice_and_then_stops_its_partition() -> None:
    gap_check(PartitionFold)


@pytest.mark.planted
@pytest.mark.parametrize("fold_type", [AppliesGaps, WaitsForever, NeverStops, StopsAtOnce])
def test_without_its_guard_a_gap_is_not_dealt_with(fold_type: type[PartitionFold]) -> None:
    with pytest.raises((AssertionError, ReadAgain, pytest.fail.Exception)):
        gap_check(fold_type)


def test_what_is_missing_may_come_late() -> None:
    """A send that failed is right behind: nothing is counted, nothing is read again."""
    folding = Fold()
    folding.arrive(record(0, segment_of(0, 2)), record(1, segment_of(4, 6)))
    folding.now.s += GAP_WAIT_S - 0.1
    folding.arrive(record(2, segment_of(2, 4)))
    folding.now.s += GAP_WAIT_S
    folding.fold.fold([])
    assert (folding.store.entries, folding.store.at(), folding.store.gaps) == ([1, 2, 3, 4, 5, 6], (6, 3), {})


def test_a_gap_that_another_worker_has_closed_is_none() -> None:
    """The store is asked before a gap is counted."""
    folding = Fold()
    folding.arrive(record(0, segment_of(0, 2)), record(1, segment_of(4, 6)))
    folding.store.stored[0] = folding.store.stored[0]._replace(position=4)
    folding.now.s += GAP_WAIT_S + 0.1
    folding.fold.fold([])
    assert folding.store.gaps == {}


def test_gaps_at_different_positions_are_different_gaps() -> None:
    folding = Fold()
    for after in (2, 4, 6):
        folding.restart()
        folding.store.stored[0] = folding.store.stored[0]._replace(position=after, read_next=0)
        folding.arrive(record(1, segment_of(after + 1, after + 2)))
        folding.now.s += GAP_WAIT_S + 0.1
        with pytest.raises(ReadAgain):
            folding.fold.fold([])
    assert folding.store.stored[0].stopped is None


def hole_check(fold: type[PartitionFold]) -> None:
    """Guard 2: offsets are contiguous; one that the framework passed over is read again, and never counted as a gap."""
    folding = Fold(fold=fold)
    folding.arrive(record(0, segment_of(0, 2)), record(2, segment_of(1, 2)))
    folding.now.s += HOLE_WAIT_S + 0.1
    with pytest.raises(ReadAgain, match="records of partition 0 were passed over"):
        folding.fold.fold([])
    assert (folding.store.at(), folding.store.gaps) == ((2, 1), {})


def test_an_offset_that_was_passed_over_is_read_again() -> None:
    hole_check(PartitionFold)


@pytest.mark.planted
def test_without_its_guard_an_offset_is_passed_over() -> None:
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        hole_check(WaitsForever)


def test_an_offset_that_comes_a_little_later_was_not_passed_over() -> None:
    folding = Fold()
    folding.arrive(record(0, segment_of(0, 2)), record(2, segment_of(1, 2)))
    folding.now.s += HOLE_WAIT_S - 0.1
    folding.arrive(record(1, segment_of(2, 4)))
    folding.now.s += HOLE_WAIT_S
    folding.fold.fold([])
    assert folding.store.at() == (4, 3)


def forgetting_check(fold: type[PartitionFold]) -> None:
    """A segment that was ahead before a seek is no gap after it: another worker may have the partition now."""
    folding = Fold(fold=fold)
    folding.arrive(record(1, segment_of(4, 6)))
    folding.fold.forget()
    folding.now.s += GAP_WAIT_S + 0.1
    folding.arrive(record(0, segment_of(0, 9, [1], partition=1)))
    assert (folding.store.gaps, folding.store.at(1)) == ({}, (9, 1))


class Remembers(PartitionFold):
    """Planted: a seek changes nothing."""

    def forget(self) -> None:
        pass


def test_a_seek_forgets_what_was_ahead() -> None:
    forgetting_check(PartitionFold)


@pytest.mark.planted
def test_without_forgetting_a_gap_of_another_is_counted() -> None:
    with pytest.raises(ReadAgain):
        forgetting_check(Remembers)


class SoughtMeanwhile(PartitionFold):
    """A partition is sought while a fold in its own thread is just committing."""

    sought = False

    def _remember(self, results: object) -> None:
        if not self.sought:
            self.sought = True
            self.forget()
        super()._remember(results)  # type: ignore[arg-type] # whatever it was


def test_a_seek_during_a_fold_forgets_what_that_fold_remembers() -> None:
    """The seek comes from the framework's thread, the fold runs in its own."""
    folding = Fold(fold=SoughtMeanwhile)
    folding.arrive(record(1, segment_of(4, 6)))
    folding.now.s += GAP_WAIT_S + 0.1
    folding.arrive(record(0, segment_of(0, 9, [1], partition=1)))
    assert (folding.store.gaps, folding.store.at(1)) == ({}, (9, 1))


def test_a_partition_that_is_stored_as_stopped_stays_so() -> None:
    """Another process may have stopped it: what comes for it from then on is passed over by offset, and not applied."""
    folding = Fold()
    folding.store.stored[0] = folding.store.stored[0]._replace(stopped="why")
    counts: Counts = folding.fold.fold([record(0, segment_of(0, 2)), record(0, segment_of(0, 9, [1], partition=1))])
    assert (folding.fold.stopped, set(counts.moved), folding.store.at(0)) == ({0: "why"}, {1}, (0, 0))
    folding.arrive(record(1, segment_of(2, 4)), record(2, b"not a segment"))
    assert (folding.store.entries, folding.store.at(0), folding.letters) == ([1], (0, 3), [])


def test_a_partition_that_is_not_of_the_layout_ends_the_process() -> None:
    """The layout was drained, and another is folded."""
    folding = Fold()
    with pytest.raises(ReadAgain, match="partition 7 is not of the layout folded now"):
        folding.arrive(record(0, segment_of(0, 2, partition=7)))
