"""Layouts on a real database: how balances begin to be folded in partitions, and how they go over to another cut."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from neraca.__main__ import main
from projections.segment import RULEBOOK, WrongJournal
from streams.layouts import Layout, Layouts
from streams.places.database import Database
from tests.journal.desk import rows, task
from tests.journal.folding import HISTORY
from tests.kafka.guard_database import CLOCK, Setup, Topic
from tests.serving import Assembled, until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.speed("test")


@pytest.fixture
def setup(database_url: str) -> Iterator[Setup]:
    """A database with an empty journal."""
    with ExitStack() as ending:
        yield Setup(Database(database_url).prepare(), ending)


def drain(setup: Setup, layout: Layout) -> None:
    """Relay and fold all of a layout."""
    topic = Topic()
    setup.relay(layout, topic.send)
    setup.fold(layout).fold(topic.records())


def test_the_first_layout_begins_at_the_journals_beginning(setup: Setup) -> None:
    """A row for each partition and one for the rulebook, with nothing folded."""
    setup.record(task("t1"))
    layout = setup.layouts.current(3)
    assert layout == Layout(1, 3, 0)
    assert layout.topic == "neraca.segments.1"
    assert setup.sources() == {"1/0": 0, "1/1": 0, "1/2": 0, RULEBOOK: 0}


def test_a_layout_that_has_begun_keeps_its_partitions(setup: Setup) -> None:
    """A worker that is configured otherwise folds what is there."""
    assert setup.layouts.current(3) == setup.layouts.current(7) == Layout(1, 3, 0)


def test_workers_that_start_at_once_begin_one_layout(setup: Setup) -> None:
    layouts: list[Layout] = []
    threads = [threading.Thread(target=lambda: layouts.append(setup.layouts.current(3))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert layouts == [Layout(1, 3, 0)] * 4
    assert len(setup.sources()) == 4


def test_balances_that_one_process_folded_are_adopted_where_they_stand(database_url: str) -> None:
    """Nothing is folded twice: every partition, and the rulebook, goes on from that position."""
    database = Database(database_url).prepare()
    with Assembled(database, clock=CLOCK) as alone:
        alone.record(*HISTORY)
        head = alone.settle()
        before = rows(database, "SELECT count(*), sum(length(measures)) FROM neraca_1.accounts")
    with ExitStack() as ending:
        setup = Setup(database, ending)
        assert setup.layouts.current(2) == Layout(1, 2, head)
        assert setup.sources() == {"1/0": head, "1/1": head, RULEBOOK: head}
        hashes = {row[0] for row in setup.sql("SELECT hash FROM sources")}
        assert hashes == {setup.journal.hash_at(head)}
        assert rows(database, "SELECT count(*), sum(length(measures)) FROM neraca_1.accounts") == before


def test_an_upgrade_goes_on_with_the_partitions(setup: Setup, database_url: str) -> None:
    """To prepare the database for a new version keeps the older balances, and a rebuild hands their partitions on."""
    layout = setup.layouts.current(3)
    head = setup.record(task("t1"))
    drain(setup, layout)
    setup.sql("UPDATE generations SET version = version - 1 RETURNING 1")
    assert main(["database", "prepare", "--database", database_url]) == 0
    assert main(["rebuild", "--database", database_url]) == 0
    at = "SELECT source, position FROM neraca_2.sources"
    assert dict(setup.sql(at)) == {"1/0": head, "1/1": head, "1/2": head, RULEBOOK: head}
    assert setup.layouts.current(7) == layout


def test_to_prepare_again_waits_for_no_fold(setup: Setup, database_url: str) -> None:
    """Workers fold while an operator starts one more service, and the owner prepares at each start."""
    words = ["database", "prepare", "--database", database_url]
    assert main(words) == 0
    with setup.database.connected("fold") as db:
        db.execute(f"ALTER DATABASE {db.info.dbname} SET lock_timeout = '2s'".encode())
        with db.transaction():
            db.execute("LOCK TABLE neraca_1.accounts, neraca_1.sources IN ROW EXCLUSIVE MODE")
            assert main(words) == 0


def test_a_change_ends_the_layout_before_it_at_the_journals_head(setup: Setup) -> None:
    """The old one is folded until it is drained, then the new one, from where the old one ended."""
    setup.layouts.current(2)
    head = setup.record(task("t1"), task("t2"))
    new_layout = setup.layouts.change(3)
    assert new_layout == Layout(2, 3, head)
    later = setup.record(task("t3"))
    old = Layout(1, 2, 0, head)
    with setup.database.connected("test") as db:
        assert setup.layouts.every(db) == [old, new_layout]
    assert setup.layouts.current(2) == old
    drain(setup, old)
    assert set(setup.sources().values()) == {head, 0}
    assert setup.layouts.current(2) == new_layout
    assert setup.sources() == {"2/0": head, "2/1": head, "2/2": head, RULEBOOK: 0}
    drain(setup, new_layout)
    assert max(setup.sources().values()) == later
    count = setup.sql("SELECT count(*) FROM why")
    assert count == [(3,)]


def test_a_layout_is_not_left_before_each_of_its_partitions_is_drained(setup: Setup) -> None:
    """A partition that is behind, or has stopped, holds the others in the old layout."""
    setup.layouts.current(2)
    head = setup.record(task("t1"))
    setup.layouts.change(3)
    setup.sql(
        "UPDATE sources SET position = %s, hash = %s WHERE source = '1/1' RETURNING 1", head, hash_of(setup, head)
    )
    assert setup.layouts.current(2).number == 1
    setup.sql(
        "UPDATE sources SET position = %s, hash = %s WHERE source = '1/0' RETURNING 1", head, hash_of(setup, head)
    )
    assert setup.layouts.current(2).number == 2


def hash_of(setup: Setup, position: int) -> str:
    line_hash = setup.journal.hash_at(position)
    assert line_hash is not None
    return line_hash


def test_a_second_change_is_refused_while_the_first_is_under_way(setup: Setup) -> None:
    """It says so, and changes nothing."""
    setup.layouts.current(2)
    head = setup.record(task("t1"))
    setup.layouts.change(3)
    with pytest.raises(ValueError, match="layout 2 is not reached yet"):
        setup.layouts.change(4)
    assert setup.sql("SELECT layout FROM layouts ORDER BY layout") == [(1,), (2,)]
    drain(setup, Layout(1, 2, 0, head))
    setup.layouts.current(2)
    assert setup.layouts.change(4) == Layout(3, 4, head)


def test_changes_that_race_are_one(setup: Setup) -> None:
    setup.layouts.current(2)
    setup.record(task("t1"))
    messages: list[str] = []

    def change() -> None:
        try:
            messages.append(str(setup.layouts.change(3).number))
        except ValueError as error:
            messages.append(str(error)[:8])

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(messages) == ["2", "layout 2", "layout 2", "layout 2"]


def test_balances_of_another_journal_are_refused(setup: Setup) -> None:
    """By the journal's id, and by the hash at the position reached: a journal put back to an older state is another one."""
    setup.layouts.current(2)
    head = setup.record(task("t1"))
    drain(setup, Layout(1, 2, 0))
    setup.layouts.current(2)
    (mine,) = setup.sql("SELECT hash FROM sources WHERE source = '1/1'")
    for column, value, back in (
        ("journal", "another", setup.journal.id),
        ("hash", "another", mine[0]),
        ("position", head + 5, head),
    ):
        setup.sql(f"UPDATE sources SET {column} = %s WHERE source = '1/1' RETURNING 1", value)  # noqa: S608 - columns named here
        with pytest.raises(WrongJournal, match="1/1 was folded up to position"):
            setup.layouts.current(2)
        setup.sql(f"UPDATE sources SET {column} = %s WHERE source = '1/1' RETURNING 1", back)  # noqa: S608 - the same
    setup.layouts.current(2)


def test_a_generation_flipped_meanwhile_is_waited_for(setup: Setup) -> None:
    """A new layout locks the generation served: a rebuild that would replace it comes before or after."""
    connection, layouts = setup.database.connected("rebuild"), list[Layout]()
    with connection as db, db.transaction():
        db.execute("SELECT generation FROM neraca.generations WHERE served FOR UPDATE")
        thread = threading.Thread(target=lambda: layouts.append(Layouts(setup.database, setup.journal).current(2)))
        thread.start()
        until(lambda: setup.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"), "it waits")
        assert layouts == []
    thread.join()
    assert layouts == [Layout(1, 2, 0)]
