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


def test_a_gap_is_counted_across_processes_and_stops_its_partition(setup: Partitions) -> None:
    """Guard 2: twice the process reads again; the third time the partition is stopped in the database, the other goes on."""
    first, _, third = [record for record in setup.of(1) if len(record.value or b"") > 0][:3]
    for times in range(3):
        now = Now()
        fold = setup.fold(setup.layout, clock=now)
        fold.fold([first, third._replace(offset=first.offset + 1)])
        assert setup.at(1)[2] is None
        now.s += GAP_WAIT_S + 0.1
        if times < 2:
            with pytest.raises(ReadAgain, match="of partition 1 are missing from the topic"):
                fold.fold([])
    fold.fold(setup.of(0))
    assert "are missing from the topic" in (setup.at(1)[2] or "")
    assert set(fold.stopped) == {1}
    assert setup.sql("SELECT times FROM gaps") == [(3,)]
    assert (setup.at(0)[0], setup.at(0)[2]) == (setup.journal.head(), None)


def test_an_offset_passed_over_is_read_again_and_counted_as_no_gap(setup: Partitions) -> None:
    """Guard 2: a record that the framework skipped was of no consequence by position; offsets say that it was skipped."""
    now = Now()
    fold = setup.fold(setup.layout, clock=now)
    records = setup.of(1)
    again = records[0]._replace(offset=len(records) + 1)
    fold.fold([*records, again])
    now.s += HOLE_WAIT_S + 0.1
    with pytest.raises(ReadAgain, match="passed over"):
        fold.fold([])
    assert (setup.at(1)[1], setup.sql("SELECT * FROM gaps")) == (len(records), [])


def fencing_check(setup: Partitions, store_type: type[PartitionStore]) -> None:
    """Guard 3: a newer process of the same name ends the older one, which writes nothing more, also while it waited."""
    old = setup.fold(setup.layout, setup.planted(store_type))
    old.fold(setup.of(1)[:1])
    at = setup.at(1)
    errors: list[BaseException] = []

    def late() -> None:
        try:
            old.fold(setup.of(1))
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    with setup.database.connected("lock") as db, db.transaction():
        db.execute("SELECT 1 FROM neraca_1.sources WHERE source = '1/1' FOR UPDATE")
        waiting = threading.Thread(target=late)
        waiting.start()
        setup.waiting()
        setup.store(setup.layout)
    waiting.join()
    assert [type(error) for error in errors] == [Overtaken]
    with pytest.raises(Overtaken, match="worker w: a newer process has this name"):
        old.fold(setup.of(1))
    assert setup.at(1) == at
    setup.fold(setup.layout, setup.store(setup.layout, "another")).fold(setup.of(1))
    assert setup.at(1)[0] == setup.journal.head()


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
            query = str(_LOCKED).replace("FOR UPDATE", "")
            with locked(self, db, partitions, query) as folding, locked(self, db, partitions, str(_LOCKED)):
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
    folding = PartitionTransaction(db, store._current(), store._layout, store._partitions, store._zone)
    names = [source_of(store._layout, number) for number in partitions]
    for row in db.execute(text(statement), {"names": names}):
        folding.stored[int(row[0].partition("/")[2])] = StoredPartition(*row[1:5])
    yield folding


def test_a_newer_process_ends_the_older_one(setup: Partitions) -> None:
    fencing_check(setup, PartitionStore)


@pytest.mark.planted
@pytest.mark.speed("soak")
@pytest.mark.parametrize("store_type", [Unfenced, LooksEarly])
def test_without_its_guard_two_processes_fold_under_one_name(
    setup: Partitions, store_type: type[PartitionStore]
) -> None:
    with pytest.raises(AssertionError):
        fencing_check(setup, store_type)


def position_check(setup: Partitions, store_type: type[PartitionStore]) -> None:
    """Guard 4: position is read under the lock, so that entries folded meanwhile by another worker are trimmed."""
    mine, other = setup.planted(store_type, "mine"), setup.store(setup.layout, "other")
    positions: list[int] = []

    def look() -> None:
        with mine.folding([1]) as folding:
            positions.append(folding.stored[1].position)

    waiting = threading.Thread(target=look)
    with other.folding([1]) as folding:
        waiting.start()
        setup.waiting()
        folding.apply([], {1: Advance(5, "h", 2, "")})
    waiting.join()
    assert positions == [5]


def test_a_position_is_read_under_the_lock(setup: Partitions) -> None:
    position_check(setup, PartitionStore)


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_guard_a_position_is_that_of_before(setup: Partitions) -> None:
    with pytest.raises(AssertionError):
        position_check(setup, ReadsEarly)


def order_check(setup: Partitions, store_type: type[PartitionStore]) -> None:
    """Guard 4: rows are locked in order: a process that waits for one holds none behind it, so there is no deadlock."""
    mine = setup.fold(setup.layout, setup.planted(store_type))
    with setup.database.connected("lock") as db, db.transaction():
        db.execute("SELECT 1 FROM neraca_1.sources WHERE source = '1/0' FOR UPDATE")
        waiting = threading.Thread(target=lambda: mine.fold([*setup.of(1), *setup.of(0)]))
        waiting.start()
        setup.waiting()
        try:
            db.execute("SELECT 1 FROM neraca_1.sources WHERE source = '1/1' FOR UPDATE NOWAIT")
        except LockNotAvailable as error:
            message = "whoever waits for 1/0 holds 1/1"
            raise AssertionError(message) from error
        finally:
            db.execute("ROLLBACK")
            waiting.join()
    assert setup.at(0)[0] == setup.at(1)[0] == setup.journal.head()


def test_rows_are_locked_in_order(setup: Partitions) -> None:
    order_check(setup, PartitionStore)


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_guard_workers_may_wait_in_a_circle(setup: Partitions) -> None:
    with pytest.raises(AssertionError, match="holds 1/1"):
        order_check(setup, LocksBackwards)
