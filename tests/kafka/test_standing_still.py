"""Guard 4: a process that is stopped within a transaction does not hold its locks for as long as it stays stopped."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC
from typing import TYPE_CHECKING, Final, cast

import pytest
from eventsourcing.persistence import PersistenceError
from psycopg.errors import LockNotAvailable
from sqlalchemy import create_engine, text

from domain.events.kinds import OPENED_TYPE
from projections.ports import Unavailable
from projections.segment import NotWritten
from projections.store import generations_postgres
from projections.store.generations_postgres import IDLE_MS
from projections.store.partitions import PartitionStore
from projections.store.rows_postgres import CopyIn, pipelined
from projections.store.schema import WHY
from projections.store.store import Store
from streams.journal import postgres as journal_postgres
from streams.journal import stuck_sessions as standing
from streams.journal.journal import Journal
from streams.journal.stuck_sessions import StuckSessions
from tests.journal.desk import task
from tests.kafka.guard_database import CLOCK, Partitions, epoch_of
from tests.serving import ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

    from streams.journal.postgres import PostgresTables


COPYING: Final = (
    "COPY neraca.neraca_events (notification_id, originator_id, originator_version, topic, state) FROM STDIN"
)


SHORT_MS: Final = 1500
"""The limit of these tests: the program's own, of eight seconds, would be most of what they take."""


@pytest.fixture
def setup(setup: Partitions, monkeypatch: pytest.MonkeyPatch) -> Partitions:
    """Partitions, of which a process may hold the locks for a short time."""
    for module in (generations_postgres, standing):
        monkeypatch.setattr(module, "IDLE_MS", SHORT_MS)
    return setup


def test_a_process_that_stands_still_in_a_transaction_loses_its_locks(setup: Partitions, database_url: str) -> None:
    """Guard 4: within eight seconds another folds its partition. Beside it, one whose connection has no such limit does not.

    The first one's writes are undone; when it goes on, it learns that nothing was written.
    """
    assert IDLE_MS <= 8000
    engine = create_engine(
        database_url.replace("postgresql://", "postgresql+psycopg://"),
        connect_args={"options": "-c search_path=neraca_1,neraca"},
    )
    setup.ending.callback(engine.dispose)
    store = PartitionStore(lambda: Store(engine), 1, 2, "planted", epoch_of(setup.database, "planted"), UTC)
    mine = setup.store(setup.layout)
    other = setup.fold(setup.layout, setup.store(setup.layout, "other"))
    with ExitStack() as contexts:
        folding = contexts.enter_context(left_standing(mine, 1))
        contexts.enter_context(store.folding([0]))
        other.fold(setup.of(1))
        assert setup.at(1)[0] == setup.journal.head()
        with (
            setup.database.connected("try") as db,
            pytest.raises(LockNotAvailable),
        ):
            db.execute("SELECT 1 FROM neraca_1.sources WHERE source = '1/0' FOR UPDATE NOWAIT")
        folding()
    assert setup.counted() == []
    again = setup.fold(setup.layout, mine)
    again.fold(setup.topic.records())
    assert setup.at(0)[0] == setup.at(1)[0] == setup.journal.head()
    assert setup.counted() == []


@contextmanager
def in_pipeline(db: Connection) -> Iterator[None]:
    """A pipeline, in which a fold spends most of its time."""
    with pipelined(db):
        db.execute(text("SELECT 1"))
        yield


def in_copy(db: Connection) -> AbstractContextManager[None]:
    """A COPY, by which a fold opens accounts."""
    return CopyIn(WHY).running(db, [(1, 1)])


@contextmanager
def left_within(store: PartitionStore, place: Callable[[Connection], AbstractContextManager[None]]) -> Iterator[None]:
    """A fold of partition 0, stopped within a statement; it must raise ``NotWritten`` once it goes on."""
    with pytest.raises(NotWritten), store.folding([0]) as folding, place(folding._db):
        yield


@pytest.mark.parametrize("place", [in_pipeline, in_copy])
def test_a_process_that_stands_still_within_a_statement_loses_its_locks(
    setup: Partitions, place: Callable[[Connection], AbstractContextManager[None]]
) -> None:
    """Guard 4: to the server it is active, and no limit of its own reaches it; another worker's look does."""
    mine, sessions, ending = setup.store(setup.layout), StuckSessions(), threading.Event()
    other = setup.fold(setup.layout, setup.store(setup.layout, "other"))

    def fold() -> None:
        other.fold(setup.of(0))
        ending.set()

    with setup.database.connected("free") as db, left_within(mine, place):
        waiting = threading.Thread(target=fold)
        waiting.start()
        assert not ending.wait(SHORT_MS / 1000 + 2), "the server ended it: there is nothing left to guard"
        assert [sessions.end(db), sessions.end(db), sessions.end(db)] == [0, 1, 0]
        waiting.join()
    assert setup.at(0)[0] == setup.journal.head()
    assert setup.counted() == []
    setup.fold(setup.layout, mine).fold(setup.of(0))
    assert setup.counted() == []


def test_a_look_at_the_layout_waits_for_no_fold(setup: Partitions) -> None:
    """Otherwise the look would hang together with the fold it is to see."""
    with setup.store(setup.layout).folding([0, 1]):
        assert not setup.layouts.is_over(setup.layout.number)
        assert setup.layouts.is_over(setup.layout.number + 1)


@contextmanager
def left_standing(store: PartitionStore, partition: int) -> Iterator[Callable[[], None]]:
    """A stopped fold; the function given makes it go on, and must raise ``NotWritten``."""
    with pytest.raises(NotWritten), store.folding([partition]) as folding:
        yield lambda: folding.apply([], {})


def test_an_intake_that_stands_still_within_its_append_lets_another_append(
    setup: Partitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An intake waiting for the lock ends its holder at the second look; an unacknowledged append is not recorded."""
    monkeypatch.setattr(journal_postgres, "LOCK_WAIT_S", 2)
    monkeypatch.setattr(standing, "IDLE_MS", 1000)
    head, journal = setup.journal.head(), Journal.open(setup.database.journal, ZONE, CLOCK())
    setup.ending.callback(journal.close)
    errors = []

    def waited(name: str) -> int | None:
        try:
            return setup.record(task(name))
        except Unavailable as error:
            errors.append(str(error))
            return None

    with pytest.raises(PersistenceError) as loss, journal.appending() as append:  # noqa: PT012 - it goes on after it has lost
        tables = cast("PostgresTables", append._tables)
        append.add("00" * 16, OPENED_TYPE, b"{}")
        with tables._cursor.copy(COPYING):
            assert [waited(f"w{number}") for number in range(4)] == [None, None, head + 1, head + 2]
    assert "terminating" in str(loss.value)
    assert errors == ["nothing was recorded: canceling statement due to lock timeout"] * 2
    assert setup.journal.head() == head + 2
