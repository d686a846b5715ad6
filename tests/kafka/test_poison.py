"""A record that cannot be read or folded is parked and stops its own partition, right before it; the others go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.kafka.segment_record import SegmentRecord, unpacked
from tests.kafka.guard_fold import Fold, line, record, segment_of

if TYPE_CHECKING:
    from streams.worker.fold import Record


def test_an_unreadable_record_stops_its_partition_and_no_other() -> None:
    """It is parked with why, passed over by offset; nothing of its partition is applied, the others of its poll are."""
    folding = Fold()
    folding.arrive(
        record(0, segment_of(0, 2)), record(1, b"not a segment"), record(0, segment_of(0, 9, [1], partition=1))
    )
    (letter,) = folding.letters
    assert (letter.record.offset, letter.record.value, letter.why) == (1, b"not a segment", "no segment of version 1")
    assert folding.store.stored[0].stopped == "record 1 of partition 0: no segment of version 1"
    assert (folding.store.at(0), folding.store.at(1)) == ((0, 2), (9, 1))
    folding.arrive(record(2, segment_of(0, 4)), record(3, None))
    assert (folding.store.entries, len(folding.letters)) == ([1], 1)


@pytest.mark.parametrize(
    "stray",
    [
        SegmentRecord("another", 1, 0, 0, 1, "h", "", [(1, line(1))]),
        SegmentRecord("j", 2, 0, 0, 1, "h", "", [(1, line(1))]),
        SegmentRecord("j", 1, 1, 0, 1, "h", "", [(1, line(1))]),
    ],
    ids=["of another journal", "of another layout", "of another partition"],
)
def test_a_segment_that_is_not_of_this_topic_is_unreadable(stray: SegmentRecord) -> None:
    """It says where it belongs; nothing else is believed."""
    folding = Fold()
    folding.arrive(record(0, stray)._replace(partition=0))
    assert (folding.store.entries, len(folding.letters), set(folding.fold.stopped)) == ([], 1, {0})


def test_an_unreadable_record_that_was_passed_over_before_stops_nothing() -> None:
    """A partition that was resumed may be delivered it once more."""
    folding = Fold()
    folding.store.stored[0] = folding.store.stored[0]._replace(read_next=5)
    folding.arrive(record(4, b"not a segment"))
    folding.arrive(record(5, segment_of(0, 2)))
    assert (folding.store.stored[0].stopped, folding.store.at()) == (None, (2, 6))


def poison_check(poll: list[Record], fold: Fold) -> None:
    """A record that cannot be folded stops its partition right before it, is parked, and is read again once resumed."""
    fold.arrive(*poll)
    (letter,) = fold.letters
    assert letter.record.offset == 1
    assert letter.record.value is not None
    assert unpacked(letter.record.value).entries[0][0] == 3
    assert (fold.store.at(0), fold.store.at(1)) == ((2, 1), (9, 1))
    assert sorted(fold.store.entries) == [1, 1, 2]
    assert set(fold.fold.stopped) == {0}


def test_an_entry_of_a_type_unknown_here_stops_its_partition() -> None:
    """A newer version may know it: nothing is passed over."""
    folding = Fold()
    unknown = record(1, segment_of(2, 4, kind="permit-paid"))
    others = record(0, segment_of(0, 9, [1], partition=1))
    poison_check([record(0, segment_of(0, 2)), unknown, record(2, segment_of(4, 6)), others], folding)
    assert folding.store.stored[0].stopped is not None
    assert "position 3: this version cannot read the entry there" in folding.store.stored[0].stopped


def test_an_entry_that_cannot_be_added_stops_its_partition() -> None:
    folding = Fold()
    folding.store.unfoldable = {3}
    others = record(0, segment_of(0, 9, [1], partition=1))
    poison_check(
        [record(0, segment_of(0, 2)), record(1, segment_of(2, 4)), record(2, segment_of(4, 6)), others], folding
    )
    assert folding.store.stored[0].stopped is not None
    assert "cannot be folded: position 3 is out of range" in folding.store.stored[0].stopped


def test_what_waited_and_cannot_be_folded_is_what_is_parked() -> None:
    """The missing segment comes and is applied; the segment that waited for it stops the partition."""
    folding = Fold()
    folding.arrive(record(0, segment_of(0, 2)), record(1, segment_of(4, 6, kind="permit-paid")))
    folding.arrive(record(2, segment_of(2, 4)))
    assert ([letter.record.offset for letter in folding.letters], folding.store.entries) == ([1], [1, 2, 3, 4])
    assert folding.store.at() == (4, 1)
