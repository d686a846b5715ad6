"""Segments are signed by the key of their layout; one that does not fit is poison. Layouts of before are read without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from streams.kafka.segment_record import Unreadable, packed, unpacked
from streams.worker.fold import PartitionFold, Record, Trust
from tests.kafka.guard_fold import Fold, segment_of

if TYPE_CHECKING:
    from tests.kafka.guard_database import Partitions

KEY: Final = b"k" * 32
OTHER: Final = b"o" * 32
VALUE: Final = packed(segment_of(0, 2), KEY)


@pytest.mark.speed("quick")
def test_a_signed_segment_is_read_as_it_was_packed() -> None:
    assert unpacked(VALUE, KEY) == unpacked(VALUE) == segment_of(0, 2)


FORGED: Final = {
    "without an HMAC": (packed(segment_of(0, 2)), "it has no HMAC, and its layout has a key"),
    "by another key": (packed(segment_of(0, 2), OTHER), "its HMAC does not fit the key of its layout"),
    "changed": (VALUE[:-1] + bytes([VALUE[-1] ^ 1]), "its HMAC does not fit the key of its layout"),
    "of another HMAC": (VALUE[:5] + bytes([VALUE[5] ^ 1]) + VALUE[6:], "its HMAC does not fit the key of its layout"),
    "cut short": (VALUE[:20], "its HMAC does not fit the key of its layout"),
    "nothing": (None, "no segment of version 3"),
}


@pytest.mark.speed("quick")
@pytest.mark.parametrize("what", FORGED)
def test_a_segment_that_does_not_fit_its_key_is_unreadable(what: str) -> None:
    value, why = FORGED[what]
    with pytest.raises(Unreadable, match=why):
        unpacked(value, KEY)


@pytest.mark.speed("quick")
@pytest.mark.parametrize("what", FORGED)
def test_a_segment_that_does_not_fit_its_key_stops_its_partition(what: str) -> None:
    """It is parked with why, and nothing of it is applied; a signed one before it is."""
    value, why = FORGED[what]
    folding = Fold()
    fold = PartitionFold(folding.store, "j", 1, folding.letters.append, Trust(KEY, None))
    fold.fold([Record(0, 0, VALUE), Record(1, 0, packed(segment_of(0, 3, partition=1), KEY))])
    fold.fold([Record(0, 1, value)])
    assert (folding.store.entries, folding.store.at(0)) == ([1, 2, 1, 2, 3], (2, 2))
    assert folding.store.stored[0].stopped == f"record 1 of partition 0: {why}"


@pytest.mark.speed("test")
def test_a_new_layout_has_a_key_and_one_of_before_is_read_without(setup: Partitions) -> None:
    """Until it is drained, the lines of unsigned segments are checked one by one; `neraca layout --sign` begins the next."""
    assert setup.layouts.key_of(1) is not None
    setup.sql("DELETE FROM neraca.segment_keys RETURNING 1")
    assert setup.layouts.key_of(1) is None
    new = setup.layouts.change()
    key = setup.layouts.key_of(new.number)
    assert (new.number, new.partitions, len(key or b"")) == (2, setup.layout.partitions, 32)
    with setup.database.connected("test") as db:
        (name,) = setup.layouts.key_names(db).values()
    assert name not in (key or b"").hex()
