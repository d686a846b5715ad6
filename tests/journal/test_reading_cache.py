"""Readings of one version share figures, never those of another version; only changed figures are read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import pytest

from projections.live import Live
from projections.reading.public import SmallCells
from projections.reading.reader import VIEWS_MOST, Reader, Snapshot
from projections.reading.version import Version
from projections.segment import At
from tests.journal.desk import accept, at
from tests.journal.folding import HISTORY, NOVEMBER, segments, statements
from tests.serving import Clock

if TYPE_CHECKING:
    from tests.conftest import NewStore
    from tests.serving import Assembled

pytestmark = pytest.mark.both_databases
DINAS: Final = ("disdukcapil", "dpmptsp")
MOMENTS: Final = ("08:20", "09:01", "09:01", "10:01", "10:29", "10:31", "12:31")


def figures(snapshot: Snapshot) -> tuple[object, ...]:
    """Every kind of figure that a reading serves."""
    return (
        snapshot.version,
        snapshot.dinas(NOVEMBER),
        snapshot.ranking_of_dinas(NOVEMBER),
        [snapshot.one_dinas(dinas, NOVEMBER) for dinas in DINAS],
        [snapshot.asn_of(dinas, NOVEMBER) for dinas in DINAS],
        [snapshot.services(dinas, NOVEMBER) for dinas in DINAS],
        snapshot.services_of_every(DINAS, NOVEMBER),
        [snapshot.one_asn(asn, NOVEMBER) for asn in ("a-1", "a-2")],
        snapshot.months(),
        snapshot.rulebook.lines(),
    )


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("size", [1, 4])
def test_a_reader_that_goes_on_reads_what_a_new_one_reads(
    neraca: Assembled, new_store: NewStore, size: int, *, is_told: bool
) -> None:
    """After each fold and each step of the clock, with or without news of the dinas that moved."""
    accept(neraca, *HISTORY)
    store, clock = new_store("store"), Clock()
    live = Live("j", 1, store, At(0))
    reader = Reader(live, ZoneInfo("Asia/Jakarta"), clock)
    for number, segment in enumerate(segments(neraca.journal.lines(0, 1000), size)):
        move = store.fold(segment)
        if is_told:
            live.movement.tell(segment.after, move)
        live.at = At(move.position)
        clock.set(at(MOMENTS[min(number * size // 4, len(MOMENTS) - 1)]))
        with reader.snapshot() as snapshot, Reader(live, reader.zone, clock).snapshot() as fresh:
            assert figures(snapshot) == figures(fresh)
            assert figures(snapshot) == figures(fresh), "read again from what is kept"


def test_a_reading_in_flight_keeps_its_own_figures(neraca: Assembled, new_store: NewStore) -> None:
    """A reading that began before a fold goes on with the balances, files and rules of its position."""
    accept(neraca, *HISTORY)
    first, second = segments(neraca.journal.lines(0, 1000), 20)
    store = new_store("store")
    live = Live("j", 1, store, At(0))
    reader = Reader(live, ZoneInfo("Asia/Jakarta"), Clock())
    store.fold(first)
    with reader.snapshot() as before_fold:
        alone = figures(before_fold)
    with reader.snapshot() as before:
        early = before.dinas(NOVEMBER)
        live.movement.tell(first.last, store.fold(second))
        with reader.snapshot() as after:
            late = figures(after)
        assert (early, figures(before)) == (alone[1], alone)
    assert late != alone


def test_what_did_not_move_is_not_read_again(neraca: Assembled, new_store: NewStore) -> None:
    """Of a version that was read before, a reading asks how far the fold is; after a fold, for the dinas that moved."""
    accept(neraca, *HISTORY)
    *early, last = segments(neraca.journal.lines(0, 1000), 1)
    store = new_store("store")
    live = Live("j", 1, store, At(0))
    reader = Reader(live, ZoneInfo("Asia/Jakarta"), Clock())
    for segment in early:
        live.movement.tell(segment.after, store.fold(segment))
    with reader.snapshot() as snapshot:
        snapshot.services_of_every(DINAS, NOVEMBER)
    with statements(store) as queries, reader.snapshot() as snapshot:
        snapshot.services_of_every(DINAS, NOVEMBER)
    assert len([query for query in queries if "FROM" in query]) == 1, queries
    move = store.fold(last)
    assert move.dinas == {"disdukcapil"}
    live.movement.tell(last.after, move)
    with reader.snapshot() as snapshot:
        with statements(store) as queries:
            snapshot.services("dpmptsp", NOVEMBER)
        assert queries == []
        with statements(store) as queries:
            snapshot.services("disdukcapil", NOVEMBER)
        assert len(queries) == 1


@pytest.mark.parametrize("overtaken", [At(10, (10, 15)), At(9, (9, 20)), At(9)])
def test_a_reading_that_was_overtaken_takes_over_no_later_cells(new_store: NewStore, overtaken: At) -> None:
    """Where partitions are folded, the least of them may stand still while another goes on."""
    store = new_store("store")
    reader = Reader(Live("j", 1, store, At(0)), ZoneInfo("Asia/Jakarta"), Clock())
    later = Version("j", 1, At(10, (10, 20)) if overtaken.partitions else At(10), 0, None)
    cells = reader._small = later, SmallCells({("dishub", "2026-11"): {"kir": ((0, 9),)}})
    with store.snapshot() as queries:
        small = reader._small_at(queries, later._replace(at=overtaken))
    assert small.of([("dishub", "2026-11")]) == {}
    assert reader._small is cells


def test_many_views_drop_neither_the_publics_nor_that_of_all(new_store: NewStore) -> None:
    """Leaders of many dinas watch at once, and a public page is read in between."""
    reader = Reader(Live("j", 1, new_store("store"), At(0)), ZoneInfo("Asia/Jakarta"), Clock())
    views = [frozenset[str](), None, *(frozenset({f"d-{number}"}) for number in range(20))]
    for own in views:
        with reader.snapshot(published=True, own=own):
            pass
    assert {frozenset(), None} <= reader._published.keys()
    assert len(reader._published) == VIEWS_MOST
