"""The relay reads its cursors once a turn: a load writes only the first time, and the last layout's are left to its step."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from streams.kafka.settings import KafkaSettings
from streams.layouts import Layout
from streams.places.database import Database
from streams.relay.cursors import SETTLED, Cursors, DatabaseCursors
from streams.relay.relay import Relay
from streams.relay.resuming import resume_all, stop_reasons
from tests.journal.desk import task
from tests.kafka.guard_database import Setup

if TYPE_CHECKING:
    from collections.abc import Iterator

START: Final = Cursors(0, (0, 0), (SETTLED, SETTLED))


@pytest.fixture
def setup(database_url: str) -> Iterator[Setup]:
    """A database with a journal in two partitions."""
    with ExitStack() as ending:
        yield Setup(Database(database_url).prepare(), ending)


def test_a_load_writes_only_the_first_time(setup: Setup) -> None:
    """Each turn loads them: on a session that may not write, every load but a layout's first one works."""
    layout = Layout(1, 2, 0)
    with setup.database.connected("relay") as db, setup.database.connected("reader") as reader:
        cursors = DatabaseCursors(db, layout)
        assert cursors.load() == START
        reader.execute("SET default_transaction_read_only = on")
        assert DatabaseCursors(reader, layout).load() == START
        after = START._replace(scanned=7)
        assert cursors.move(START, after)
        assert DatabaseCursors(reader, layout).load() == after


def test_a_turn_loads_the_cursors_of_earlier_layouts_only(setup: Setup) -> None:
    """The last layout has no end to reach; its own step loads its cursors."""
    first = setup.layouts.current(2)
    with setup.database.connected("relay") as db:
        assert unfinished(setup, db) == first
        assert setup.sql("SELECT layout FROM relays") == []
        setup.record(task("t1"))
        setup.layouts.change(3)
        assert unfinished(setup, db).number == 1
        assert setup.sql("SELECT layout FROM relays") == [(1,)]


def unfinished(setup: Setup, db: Any) -> Layout:  # noqa: ANN401 - a connection
    """The layout that a relay turns to; no broker is asked for it."""
    relay = Relay(setup.database, setup.journal, setup.layouts, KafkaSettings(("127.0.0.1:9",)), partitions=2)
    return relay._unfinished(db)[0]


def test_a_stopped_partition_is_resumed_once(setup: Setup) -> None:
    """Its gaps are forgotten and the relay is to send from its position; other partitions are left alone."""
    layout = setup.layouts.current(2)
    with setup.database.connected("relay") as db:
        DatabaseCursors(db, layout).load()
    store = setup.store(layout)
    store.count_gap(1, 0)
    store.stop(1, 0, "a gap")
    assert stop_reasons(setup.database) == {"1/1": "a gap"}
    assert resume_all(setup.database, ["1/0", "1/1"]) == ["1/1"]
    assert resume_all(setup.database, ["1/1"]) == []
    assert stop_reasons(setup.database) == {}
    assert setup.sql("SELECT again FROM relays") == [([SETTLED, 0],)]
    assert store.count_gap(1, 0) == 1
