"""Tables: how far segments advance a partition, how a segment is read, and which partition a dinas belongs to."""

from typing import Final

import msgspec
import pytest
import zstandard

from domain.fold.partition import partition_of
from projections.store.partitions import StoredPartition
from streams.kafka import segment_record as wire
from streams.kafka.segment_record import SegmentRecord, Unreadable, packed, unpacked
from streams.worker.advance import Memory, advance
from tests.kafka.guard_fold import JOURNAL, LAYOUT, segment_of

pytestmark = pytest.mark.speed("quick")

VERSION: Final = b"\x01"
AT_TEN: Final = StoredPartition(JOURNAL, 10, 5, None)
"""Entries up to 10 are applied; offset 5 is read next."""
AHEAD: Final = Memory({7: segment_of(14, 16)}, frozenset(), read=True)
READ: Final = Memory(read=True)

Row = tuple[Memory, dict[int, SegmentRecord], list[int], int, int, list[int], list[int], int]
TABLE: Final[dict[str, Row]] = {
    # what: memory, arrived, the positions applied, where it then stands, what is read next, what is ahead, what is beyond
    "the next": (READ, {5: segment_of(10, 12)}, [11, 12], 12, 6, [], [], 0),
    "several, in order": (READ, {5: segment_of(10, 12), 6: segment_of(12, 14)}, [11, 12, 13, 14], 14, 7, [], [], 0),
    "several, in reverse": (READ, {6: segment_of(10, 12), 5: segment_of(12, 14)}, [11, 12, 13, 14], 14, 7, [], [], 0),
    "an overlap is trimmed": (READ, {5: segment_of(8, 12)}, [11, 12], 12, 6, [], [], 2),
    "what was applied is dropped": (READ, {5: segment_of(6, 9)}, [], 10, 6, [], [], 3),
    "the same twice": (READ, {5: segment_of(10, 12), 6: segment_of(10, 12)}, [11, 12], 12, 7, [], [], 2),
    "cut otherwise, again": (READ, {5: segment_of(10, 12), 6: segment_of(11, 14)}, [11, 12, 13, 14], 14, 7, [], [], 1),
    "a watermark": (READ, {5: segment_of(10, 30, [])}, [], 30, 6, [], [], 0),
    "a watermark of the past": (READ, {5: segment_of(4, 7, [])}, [], 10, 6, [], [], 0),
    "sparse positions": (READ, {5: segment_of(10, 30, [12, 29])}, [12, 29], 30, 6, [], [], 0),
    "a gap waits": (READ, {5: segment_of(12, 14)}, [], 10, 5, [5], [], 0),
    "a gap, and the next behind it": (READ, {5: segment_of(12, 14), 6: segment_of(10, 11)}, [11], 11, 5, [5], [6], 0),
    "what was missing comes": (
        AHEAD,
        {5: segment_of(10, 12), 6: segment_of(12, 14)},
        [11, 12, 13, 14, 15, 16],
        16,
        8,
        [],
        [],
        0,
    ),
    "what was missing comes later": (AHEAD, {8: segment_of(10, 14)}, [11, 12, 13, 14, 15, 16], 16, 5, [], [7, 8], 0),
    "an offset is passed over": (READ, {6: segment_of(10, 12)}, [11, 12], 12, 5, [], [6], 0),
    "an offset passed over comes": (
        Memory({}, frozenset({6}), read=True),
        {5: segment_of(9, 10)},
        [],
        10,
        7,
        [],
        [],
        1,
    ),
    "the topic begins later": (Memory(), {9: segment_of(10, 12)}, [11, 12], 12, 10, [], [], 0),
    "the topic begins later, with a gap": (Memory(), {9: segment_of(11, 12)}, [], 10, 5, [9], [], 0),
    "nothing": (AHEAD, {}, [], 10, 5, [7], [], 0),
}


@pytest.mark.parametrize("what", TABLE)
def test_segments_bring_a_partition_as_far_as_positions_reach(what: str) -> None:
    """The next segment is applied once, an applied one is dropped, one ahead waits; no missing one is read past."""
    memory, arrivals, positions, position, read_next, ahead, beyond, drops = TABLE[what]
    result = advance(AT_TEN, memory, arrivals)
    assert [at for at, _ in result.fresh] == positions
    assert (result.to.position, result.to.read_next, result.dropped) == (position, read_next, drops)
    assert (sorted(result.memory.ahead), sorted(result.memory.handled)) == (ahead, beyond)
    assert result.memory.read


def test_a_partition_keeps_its_hash_and_time_unless_it_moved() -> None:
    """The hash is that of the last segment applied, the time that of the last with entries."""
    still = advance(AT_TEN, READ, {5: segment_of(6, 9)}).to
    assert (still.last_hash, still.recorded) == ("", "")
    advance_to = advance(AT_TEN, READ, {5: segment_of(10, 12), 6: segment_of(12, 20, [])}).to
    assert (advance_to.last_hash, advance_to.recorded) == ("h20", "2026-11-24T05:00:00.000000Z")


def test_memory_is_never_changed_in_place() -> None:
    """A transaction that fails is done again from the same memory."""
    advance(AT_TEN, AHEAD, {5: segment_of(10, 14)})
    assert list(AHEAD.ahead) == [7]
    assert Memory().ahead == {}


def test_a_segment_is_read_as_it_was_packed() -> None:
    whole = segment_of(10, 30, [12, 29])
    assert unpacked(packed(whole)) == whole
    assert unpacked(packed(segment_of(10, 30, []))).entries == []


def compressed(value: object) -> bytes:
    return VERSION + zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(value))


def misplaced(after: int, last: int, *positions: int) -> bytes:
    return packed(SegmentRecord(JOURNAL, 1, 0, after, last, "h", "", [(position, b"{}") for position in positions]))


UNREADABLE: Final = {
    "nothing": (None, "no segment of version 1"),
    "empty": (b"", "no segment of version 1"),
    "another version": (b"\x02" + packed(segment_of(0, 1))[1:], "no segment of version 1"),
    "JSON": (b'{"journal": "j"}', "no segment of version 1"),
    "only a version": (VERSION, "cannot be unpacked"),
    "not compressed": (VERSION + msgspec.msgpack.encode([1]), "cannot be unpacked"),
    "cut short": (packed(segment_of(0, 9))[:-5], "cannot be unpacked"),
    "not MessagePack": (VERSION + zstandard.ZstdCompressor().compress(b"\xc1"), "cannot be unpacked"),
    "a field too few": (compressed(["j", 1, 0, 0, 1, "h", ""]), "cannot be unpacked"),
    "a field of another type": (compressed(["j", "1", 0, 0, 1, "h", "", []]), "cannot be unpacked"),
    "it ends before it begins": (misplaced(5, 4), "its positions"),
    "out of order": (misplaced(0, 9, 3, 2), "its positions"),
    "a position twice": (misplaced(0, 9, 3, 3), "its positions"),
    "a position before": (misplaced(5, 9, 5, 6), "its positions"),
    "a position beyond": (misplaced(5, 9, 6, 10), "its positions"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_is_no_segment_is_refused_whole(what: str) -> None:
    value, why = UNREADABLE[what]
    with pytest.raises(Unreadable, match=why):
        unpacked(value)


@pytest.mark.parametrize("has_size", [True, False], ids=["its size is told", "its size is not told"])
def test_a_small_record_cannot_unpack_to_more_than_is_allowed(has_size: bool) -> None:  # noqa: FBT001 - a table of two
    """Zeros compress a thousandfold: the unpacked size is bounded, not the packed one, with any size in the frame."""
    bomb = msgspec.msgpack.encode(SegmentRecord(JOURNAL, LAYOUT, 0, 0, 1, "h", "", [(1, b"\0" * wire.MOST_BYTES)]))
    value = VERSION + zstandard.ZstdCompressor(write_content_size=has_size).compress(bomb)
    assert len(value) < 2**20
    with pytest.raises(Unreadable, match="cannot be unpacked"):
        unpacked(value)


VECTORS: Final = {
    # by sha256sum and bc: the first sixteen digits of the hash, modulo 4, 12 and 1000
    "disdukcapil": (0x4E09B101F11E4525, 1, 9, 397),
    "dpmptsp": (0xFB35D498469023EC, 0, 4, 708),
    "dinkes": (0xDA3D71BDDA71AC69, 1, 1, 489),
    "Dinas Pékerjaan": (0x8E59A7EAAFD57F62, 2, 6, 730),
    "": (0xE3B0C44298FC1C14, 0, 4, 652),
}


@pytest.mark.parametrize("dinas", VECTORS)
def test_a_dinas_is_of_the_same_partition_for_all_time(dinas: str) -> None:
    """Another function would fold entries of one dinas by two workers at once."""
    whole, *parts = VECTORS[dinas]
    assert partition_of(dinas, 2**64) == whole
    assert [partition_of(dinas, number) for number in (4, 12, 1000)] == parts
