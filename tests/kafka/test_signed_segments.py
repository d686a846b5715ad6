"""Segments are signed by the key of their layout; one that does not fit is poison. Layouts of before are read without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from msgspec import structs

from domain.events.decoding import ChangedEntry
from streams.kafka.segment_record import Unreadable, packed, unpacked
from streams.worker.fold import PartitionFold, Record, Trust
from tests.attacks.tampering import as_of_a_former_version, change_row
from tests.journal.desk import task
from tests.kafka.guard_database import OTHER as OTHER_DINAS
from tests.kafka.guard_database import Topic
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
    """A change of the layout, as `neraca layout --sign` makes one of the same partitions, begins one with a key."""
    assert setup.layouts.key_of(1) is not None
    setup.sql("DELETE FROM neraca.segment_keys RETURNING 1")
    assert setup.layouts.key_of(1) is None
    new = setup.layouts.change()
    key = setup.layouts.key_of(new.number)
    assert (new.number, new.partitions, len(key or b"")) == (2, setup.layout.partitions, 32)
    with setup.database.connected("test") as db:
        (name,) = setup.layouts.key_names(db).values()
    assert name not in (key or b"").hex()


@pytest.mark.speed("test")
def test_lines_of_unsigned_segments_of_an_older_layout_are_checked_one_by_one(setup: Partitions) -> None:
    """Such a segment is read as before; one with a line that is not as it was recorded stops its partition there."""
    setup.sql("DELETE FROM neraca.segment_keys RETURNING 1")
    topic = Topic()
    setup.sql("DELETE FROM relays RETURNING 1")
    setup.relay(setup.layout, topic.send)
    whole = unpacked(topic.records()[-1].value)
    (_, good), (position, line), *_ = whole.entries
    first = structs.replace(whole, last=position - 1, entries=[(whole.entries[0][0], good)])
    forgery = structs.replace(whole, after=position - 1, entries=[(position, line.replace(b'"a-1"', b'"a-9"'))])
    assert forgery.entries != whole.entries[1:2]
    fold = setup.fold(setup.layout)
    fold.fold([Record(1, 0, packed(first)), Record(1, 1, packed(forgery))])
    sentence = f"position {position}: the data are not those that were recorded"
    assert setup.at(1) == (position - 1, 1, f"partition 1 after position {position - 1}: {sentence}")
    assert [letter.why for letter in setup.letters] == [sentence]
    assert setup.sql("SELECT DISTINCT position FROM why") == [(whole.entries[0][0],)]


@pytest.mark.speed("test")
@pytest.mark.parametrize("former", [False, True], ids=["with a leaf", "of a former version"])
def test_a_relay_sends_nothing_of_a_page_with_a_changed_row(setup: Partitions, *, former: bool) -> None:
    """Neither as it goes on nor when it sends a partition again; what was sent before stays as it is."""
    before = setup.topic.records()
    setup.record(task("t9"), task("o9", dinas=OTHER_DINAS))
    last = setup.journal.head()
    if former:
        as_of_a_former_version(setup.database)
    change_row(setup.database, last, lambda line: line.replace(b'"a-1"', b'"a-9"'))
    with pytest.raises(ChangedEntry, match=f"position {last}: the data are not those that were recorded"):
        setup.relay(setup.layout, setup.topic.send)
    change_row(setup.database, 2, lambda line: line.replace(b'"a-1"', b'"a-9"'))
    setup.sql("UPDATE relays SET again = ARRAY[0, 0]::bigint[] RETURNING 1")
    with pytest.raises(ChangedEntry, match="position 2: the data are not those that were recorded"):
        setup.relay(setup.layout, setup.topic.send)
    assert setup.topic.records() == before != []
