"""The guards that lie in the database: gaps, epochs and transactions, on a real one, and what is planted without each."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from psycopg.errors import LockNotAvailable
from sqlalchemy import text

from projections.store.partitions import (
    _LOCKED,
    Advance,
    Overtaken,
    PartitionStore,
    PartitionTransaction,
    StoredPartition,
    source_of,
)
from streams.worker.fold import GAP_WAIT_S, HOLE_WAIT_S
from streams.worker.turn import ReadAgain
from tests.kafka.guard_fold import Now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.kafka.guard_database import Partitions

pytestmark = pytest.mark.speed("test")


def test_a_gap_is_counted_across_processes_and_stops_its_partition(kept: Partitions) -> None:
    """Guard 2: twice the process reads again; the third time the partition is stopped in the database, the other goes on."""
    first, _, third = [one for one in kept.of(1) if len(one.value or b"") > 0][:3]
    for times in range(3):
        now = Now()
        fold = kept.fold(kept.layout, clock=now)
        fold.fold([first, third._replace(offset=first.offset + 1)])
        assert kept.at(1)[2] is None
        now.s += GAP_WAIT_S + 0.1
        if times < 2:
            with pytest.raises(ReadAgain, match="of partition 1 are missing from the topic"):
                fold.fold([])
    fold.fold(kept.of(0))
    assert "are missing from the topic" in (kept.at(1)[2] or "")
    assert set(fold.stopped) == {1}
    assert kept.sql("SELECT times FROM gaps") == [(3,)]
    assert (kept.at(0)[0], kept.at(0)[2]) == (kept.journal.head(), None)


def test_an_offset_passed_over_is_read_again_and_counted_as_no_gap(kept: Partitions) -> None:
    """Guard 2: a record that the framework skipped was of no consequence by position; offsets say that it was skipped."""
    now = Now()
    fold = kept.fold(kept.layout, clock=now)
    records = kept.of(1)
    again = records[0]._replace(offset=len(records) + 1)
    fold.fold([*records, again])
    now.s += HOLE_WAIT_S + 0.1
    with pytest.raises(ReadAgain, match="passed over"):
        fold.fold([])
    assert (kept.at(1)[1], kept.sql("SELECT * FROM gaps")) == (len(records), [])


def fencing_check(kept: Partitions, made: type[PartitionStore]) -> None:
    """Guard 3: a newer process of the same name ends the older one, which writes nothing more, also while it waited."""
    old = kept.fold(kept.layout, kept.planted(made))
    old.fold(kept.of(1)[:1])
    at = kept.at(1)
    failed: list[BaseException] = []

    def late() -> None:
        try:
            old.fold(kept.of(1))
        except BaseException as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    with kept.database.connected("lock") as db, db.transaction():
        db.execute("SELECT 1 FROM neraca_1.sources WHERE source = '1/1' FOR UPDATE")
        waiting = threading.Thread(target=late)
        waiting.start()
        kept.waiting()
        kept.store(kept.layout)
    waiting.join()
    assert [type(one) for one in failed] == [Overtaken]
    with pytest.raises(Overtaken, match="worker w: a newer process has this name"):
        old.fold(kept.of(1))
    assert kept.at(1) == at
    kept.fold(kept.layout, kept.store(kept.layout, "another")).fold(kept.of(1))
    assert kept.at(1)[0] == kept.journal.head()


class Unfenced(PartitionStore):
    """Planted: nobody looks at the epoch."""

    def _check_epoch(self, db: object) -> None:
        pass


class LooksEarly(PartitionStore):
    """Planted: the epoch is looked at before the lock, not after it."""

    @contextmanager
    def folding(self, partitions: Sequence[int]) -> Iterator[PartitionTransaction]:
        with self._writing() as db:
            self._check_epoch(db)
            with locked(self, db, partitions, str(_LOCKED)) as folding:
                yield folding


class ReadsEarly(PartitionStore):
    """Planted: positions are read before the rows are locked."""

    @contextmanager
    def folding(self, partitions: Sequence[int]) -> Iterator[PartitionTransaction]:
        with self._writing() as db:
            unlocked = str(_LOCKED).replace("FOR UPDATE", "")
            with locked(self, db, partitions, unlocked) as folding, locked(self, db, partitions, str(_LOCKED)):
                yield folding


class LocksBackwards(PartitionStore):
    """Planted: rows are locked in the order in which they happen to be asked for."""

    @contextmanager
    def folding(self, partitions: Sequence[int]) -> Iterator[PartitionTransaction]:
        backwards = str(_LOCKED).replace("ORDER BY source", "ORDER BY source DESC")
        with self._writing() as db, locked(self, db, partitions, backwards) as folding:
            yield folding


@contextmanager
def locked(store: PartitionStore, db: Any, partitions: Sequence[int], statement: str) -> Iterator[PartitionTransaction]:  # noqa: ANN401 - a connection
    """A folding of what a statement finds."""
    folding = PartitionTransaction(db, store._current(), store._layout, store._partitions)
    names = [source_of(store._layout, one) for one in partitions]
    for row in db.execute(text(statement), {"names": names}):
        folding.stored[int(row[0].partition("/")[2])] = StoredPartition(*row[1:5])
    yield folding


def test_a_newer_process_ends_the_older_one(kept: Partitions) -> None:
    fencing_check(kept, PartitionStore)


@pytest.mark.planted
@pytest.mark.speed("soak")
@pytest.mark.parametrize("planted", [Unfenced, LooksEarly])
def test_without_its_guard_two_processes_fold_under_one_name(kept: Partitions, planted: type[PartitionStore]) -> None:
    with pytest.raises(AssertionError):
        fencing_check(kept, planted)


def position_check(kept: Partitions, made: type[PartitionStore]) -> None:
    """Guard 4: position is read under the lock, so that entries folded meanwhile by another worker are trimmed."""
    mine, other = kept.planted(made, "mine"), kept.store(kept.layout, "other")
    seen: list[int] = []

    def look() -> None:
        with mine.folding([1]) as folding:
            seen.append(folding.stored[1].position)

    waiting = threading.Thread(target=look)
    with other.folding([1]) as folding:
        waiting.start()
        kept.waiting()
        folding.apply([], {1: Advance(5, "h", 2, "")})
    waiting.join()
    assert seen == [5]


def test_a_position_is_read_under_the_lock(kept: Partitions) -> None:
    position_check(kept, PartitionStore)


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_guard_a_position_is_that_of_before(kept: Partitions) -> None:
    with pytest.raises(AssertionError):
        position_check(kept, ReadsEarly)


def order_check(kept: Partitions, made: type[PartitionStore]) -> None:
    """Guard 4: rows are locked in order: a process that waits for one holds none behind it, so there is no deadlock."""
    mine = kept.fold(kept.layout, kept.planted(made))
    with kept.database.connected("lock") as db, db.transaction():
        db.execute("SELECT 1 FROM neraca_1.sources WHERE source = '1/0' FOR UPDATE")
        waiting = threading.Thread(target=lambda: mine.fold([*kept.of(1), *kept.of(0)]))
        waiting.start()
        kept.waiting()
        try:
            db.execute("SELECT 1 FROM neraca_1.sources WHERE source = '1/1' FOR UPDATE NOWAIT")
        except LockNotAvailable as error:
            message = "whoever waits for 1/0 holds 1/1"
            raise AssertionError(message) from error
        finally:
            db.execute("ROLLBACK")
            waiting.join()
    assert kept.at(0)[0] == kept.at(1)[0] == kept.journal.head()


def test_rows_are_locked_in_order(kept: Partitions) -> None:
    order_check(kept, PartitionStore)


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_guard_workers_may_wait_in_a_circle(kept: Partitions) -> None:
    with pytest.raises(AssertionError, match="holds 1/1"):
        order_check(kept, LocksBackwards)
