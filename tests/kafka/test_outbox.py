"""The relay's outbox: how lines are cut into segments, where each entry belongs, and cursors that move by compare-and-set."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import msgspec
import pytest

from domain.events.decoding import UnknownEntry
from domain.events.entries import decode
from domain.fold.partition import dinas_of, partition_of
from streams.journal.journal import line_hash
from streams.kafka.segment_record import SegmentRecord, unpacked
from streams.layouts import Layout
from streams.places.database import Database
from streams.relay.cursors import SETTLED, Cursors, DatabaseCursors
from streams.relay.cutting import BYTES_MOST, SEGMENT_MOST, Cutter, Places
from streams.relay.layout_relay import PAGE, LayoutRelay, RelayState
from tests.journal.folding import HISTORY
from tests.kafka.guard_fold import JOURNAL, Entry, line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.serving import Assembled

pytestmark = pytest.mark.speed("quick")

PARTITIONS: Final = 4
START: Final = Cursors(0, (0,) * PARTITIONS, (SETTLED,) * PARTITIONS)
BY_PARTITION: Final = {0: "dpmptsp", 1: "disdukcapil", 2: "Dinas Pékerjaan"}


def lines(*partitions: int, after: int = 0) -> list[Entry]:
    """An entry of each of these partitions, one after another."""
    return [
        (position, line(position, dinas=BY_PARTITION[partition]))
        for position, partition in enumerate(partitions, after + 1)
    ]


def shape(segments: Iterable[SegmentRecord]) -> list[tuple[int, int, int, list[int]]]:
    """Partition, after, last and positions of each segment."""
    return [
        (segment.partition, segment.after, segment.last, [position for position, _ in segment.entries])
        for segment in segments
    ]


def outbox() -> Cutter:
    return Cutter(JOURNAL, 1, PARTITIONS)


def test_a_page_is_cut_by_partition_and_each_reaches_its_end() -> None:
    """``last`` covers other partitions' entries; a partition without an entry is sent nothing, and its cursor stays."""
    page = lines(1, 0, 1, 0, 1)
    segments, after = outbox().cut(page, START)
    assert shape(segments) == [(1, 0, 5, [1, 3, 5]), (0, 0, 5, [2, 4])]
    assert {(segment.journal, segment.layout, segment.last_hash) for segment in segments} == {
        (JOURNAL, 1, line_hash(page[-1][1]))
    }
    assert after == Cursors(5, (5, 5, 0, 0), START.again)


def test_the_next_page_follows_what_its_partition_was_sent_before() -> None:
    """``after`` is the partition's own, so that a partition that lay idle sees no gap."""
    _, after = outbox().cut(lines(1, 1), START)
    segments, after = outbox().cut(lines(0, 1, after=2), after)
    assert shape(segments) == [(0, 0, 4, [3]), (1, 2, 4, [4])]
    assert after == Cursors(4, (4, 4, 0, 0), START.again)


def test_an_empty_page_sends_nothing() -> None:
    assert outbox().cut([], START) == ([], START)


@pytest.mark.parametrize(
    ("entries", "sizes"),
    [
        (SEGMENT_MOST - 1, [SEGMENT_MOST - 1]),
        (SEGMENT_MOST, [SEGMENT_MOST]),
        (SEGMENT_MOST + 1, [SEGMENT_MOST, 1]),
        (2 * SEGMENT_MOST, [SEGMENT_MOST] * 2),
        (2 * SEGMENT_MOST + 7, [SEGMENT_MOST, SEGMENT_MOST, 7]),
    ],
)
def test_segments_are_bounded_and_follow_one_another(entries: int, sizes: list[int]) -> None:
    """Each begins where the one before ended, with the hash of the entry it ends at; the last reaches the page's end."""
    page = lines(*[1] * entries, 0)
    segments = [segment for segment in outbox().cut(page, START)[0] if segment.partition == 1]
    assert [len(segment.entries) for segment in segments] == sizes
    assert [segment.after for segment in segments] == [0, *(segment.last for segment in segments[:-1])]
    assert segments[-1].last == entries + 1
    line_at = dict(page)
    assert [segment.last_hash for segment in segments] == [line_hash(line_at[segment.last]) for segment in segments]
    assert [entry for segment in segments for entry in segment.entries] == page[:-1]


def test_segments_of_long_lines_stay_small() -> None:
    """No record exceeds its limit; a line that is longer than a segment's bytes is sent alone."""
    long = [BYTES_MOST // 3, BYTES_MOST // 3, BYTES_MOST // 3 + 400, BYTES_MOST + 1, 0, 0]
    long_page = [
        (position, line[:-1] + b',"pad":"' + b"x" * pad + b'"}')
        for (position, line), pad in zip(lines(*[1] * len(long)), long, strict=True)
    ]
    segments = [segment for segment in outbox().cut(long_page, START)[0] if segment.entries]
    assert [len(segment.entries) for segment in segments] == [2, 1, 1, 2]
    assert [entry for segment in segments for entry in segment.entries] == long_page
    assert [segment.after for segment in segments] == [0, *(segment.last for segment in segments[:-1])]


def removing(position: int, kind: str, dinas: str) -> bytes:
    """A reversal that embeds what it removes; its own data name another dinas, if any."""
    resolution = {"removes": {"type": "neraca.task-completed.v1", "data": {"dinas": dinas}}}
    data = {"event": {"source": "/loket", "id": "t"}, "dinas": "dpmptsp", "resolved": resolution}
    event = {"type": f"neraca.{kind}.v1", "id": f"x{position}", "recordedtime": "", "data": data}
    return msgspec.json.encode(event)


@pytest.mark.parametrize("kind", ["event-retracted", "event-corrected"])
@pytest.mark.parametrize("partition", BY_PARTITION)
def test_a_reversal_belongs_to_the_dinas_it_embeds(kind: str, partition: int) -> None:
    """It must be added where the fact was that it removes."""
    assert Places(PARTITIONS).of(7, removing(7, kind, BY_PARTITION[partition])) == (partition, "")


def test_the_rulebook_is_not_relayed_and_the_rest_is_where_the_fold_expects_it(neraca: Assembled) -> None:
    """Of a history of every kind: each entry's place is its dinas's, as the fold reads it; rules have none."""
    neraca.record(*HISTORY)
    page = neraca.journal.lines(0, 1000)
    positions: dict[int, list[int]] = {}
    rules = []
    for position, body in page:
        dinas = dinas_of(decode(body))
        if dinas is None:
            rules.append(position)
        else:
            positions.setdefault(partition_of(dinas, PARTITIONS), []).append(position)
    segments, after = outbox().cut(page, START)
    assert {segment.partition: [position for position, _ in segment.entries] for segment in segments} == positions
    assert len(rules) == 4
    assert (len(positions), after.scanned) == (2, page[-1][0])


@pytest.mark.parametrize(
    "unknown",
    [
        line(2, kind="permit-paid"),
        line(2).replace(b"task-completed.v1", b"task-completed.v2"),
        line(2).replace(b'"dinas"', b'"agency"'),
        b'{"type":"neraca.event-retracted.v1","recordedtime":"","data":{}}',
    ],
    ids=["a kind", "a version", "no dinas", "a reversal that embeds nothing"],
)
def test_an_entry_that_cannot_be_placed_stops_the_relay_loudly(unknown: bytes) -> None:
    """It is never passed over: nothing of its page is sent."""
    with pytest.raises(UnknownEntry, match="position 2: this version does not know where an entry of type"):
        outbox().cut([*lines(1), (2, unknown)], START)


def test_a_watermark_says_how_far_the_journal_was_scanned() -> None:
    mark = outbox().watermark(2, Cursors(9, (9, 9, 4, 9), START.again), "h9")
    assert mark == SegmentRecord(JOURNAL, 1, 2, 4, 9, "h9", "", [])


class Lines:
    """A journal of lines in memory."""

    id = JOURNAL

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.held = list(entries)

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[Entry]:
        """Up to ``limit`` after a position."""
        return [entry for entry in self.held if after < entry[0] <= (stop or len(self.held))][:limit]

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        return {position: line for position, line in self.held if position in positions}


def test_what_a_partition_was_sent_is_cut_once_more_and_no_further() -> None:
    """From its position to the last entry sent to it, in pages; later entries follow by themselves."""
    journal = Lines(lines(1, 0, 1, 1, 0, 1, 1))
    cursors = Cursors(7, (7, 6, 0, 0), (SETTLED, 1, SETTLED, SETTLED))
    again = list(outbox().cut_again(1, cursors, lambda after, stop: journal.lines(after, 2, stop)))
    assert shape(again) == [(1, 1, 3, [3]), (1, 3, 5, [4]), (1, 5, 6, [6])]
    cursors_after = cursors._replace(again=(SETTLED, 6, SETTLED, SETTLED))
    assert list(outbox().cut_again(1, cursors_after, lambda after, stop: journal.lines(after, 2, stop))) == []


@pytest.fixture
def database(database_url: str) -> Database:
    """An empty database, prepared."""
    return Database(database_url).prepare()


def test_cursors_begin_where_the_layout_does_and_move_by_compare_and_set(database: Database) -> None:
    """Of two relays that saw the same cursors, one moves them; every part of the cursors is compared."""
    layout = Layout(2, PARTITIONS, 40)
    with database.connected("test") as db, database.connected("test") as other:
        cursors = DatabaseCursors(db, layout)
        start = cursors.load()
        assert start == Cursors(40, (40,) * PARTITIONS, (SETTLED,) * PARTITIONS)
        after = start._replace(scanned=41, sent=(41, 40, 40, 40))
        assert cursors.move(start, after)
        assert not DatabaseCursors(other, layout).move(start, start._replace(scanned=99))
        for variant in (
            after._replace(scanned=42),
            after._replace(sent=(41, 41, 40, 40)),
            after._replace(again=(7, SETTLED, SETTLED, SETTLED)),
        ):
            assert not cursors.move(variant, start)
        assert DatabaseCursors(other, layout).load() == after


def test_an_order_given_anew_is_another_even_where_it_says_the_same(database: Database) -> None:
    """A relay that carried out the first one does not settle the second, which it has not seen."""
    layout = Layout(1, PARTITIONS, 0)
    with database.connected("test") as db, database.connected("test") as operator:
        cursors = DatabaseCursors(db, layout)
        cursors.load()
        operator.execute("UPDATE neraca.relays SET again[2] = 0")
        before = cursors.load()
        operator.execute("UPDATE neraca.relays SET again[2] = 0")
        assert not cursors.move(before, before._replace(again=(SETTLED,) * PARTITIONS))
        assert cursors.move(cursors.load(), before._replace(again=(SETTLED,) * PARTITIONS))


def test_of_relays_that_race_one_moves_the_cursors(database: Database) -> None:
    layout, winners = Layout(1, PARTITIONS, 0), list[int]()
    with database.connected("test") as db:
        start = DatabaseCursors(db, layout).load()

    def move(number: int) -> None:
        with database.connected("test") as mine:
            if DatabaseCursors(mine, layout).move(start, start._replace(scanned=number)):
                winners.append(number)

    threads = [threading.Thread(target=move, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.connected("test") as db:
        assert winners == [DatabaseCursors(db, layout).load().scanned]


def test_a_relay_whose_cursors_were_moved_goes_on_from_those_kept(database: Database) -> None:
    """An order to send again arrives in the middle of a page: the page counts as not moved, and the order is carried out."""
    layout, deliveries = Layout(1, PARTITIONS, 0), list[SegmentRecord]()
    journal = Lines(lines(1, 0, 1))
    with database.connected("test") as db:
        cursors = DatabaseCursors(db, layout)

        def send(records: Iterable[tuple[str, int, None, bytes, object]]) -> None:
            deliveries.extend(unpacked(value) for _, _, _, value, _ in records)
            if len(deliveries) == 2:
                db.execute("UPDATE neraca.relays SET again[2] = 0")

        relay = LayoutRelay(journal, layout, cursors, send, RelayState(), clock=lambda: 0.0)
        assert not relay.step()
        assert cursors.load() == Cursors(0, (0,) * 4, (SETTLED, 0, SETTLED, SETTLED))
        relay.step()
        assert cursors.load() == Cursors(3, (3, 3, 0, 0), (SETTLED,) * 4)
    assert shape(deliveries) == [(1, 0, 3, [1, 3]), (0, 0, 3, [2])] * 2


def test_a_step_sends_a_page_and_says_whether_it_was_full() -> None:
    """A relay that is behind goes on at once."""
    cursors = MemoryCursors()
    journal = Lines(lines(*[1] * (PAGE + 5)))
    relay = LayoutRelay(journal, Layout(1, PARTITIONS, 0), cursors, lambda _: None, RelayState(), clock=lambda: 0.0)
    assert (relay.step(), cursors.held.scanned) == (True, PAGE)
    assert (relay.step(), cursors.held.scanned) == (False, PAGE + 5)


class MemoryCursors:
    """Cursors kept in memory."""

    def __init__(self) -> None:
        self.held = START

    def load(self) -> Cursors:
        """The cursors stored."""
        return self.held

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Compare and set."""
        if self.held != before:
            return False
        self.held = after
        return True
