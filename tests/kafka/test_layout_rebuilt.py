"""A rebuild while a change of the layout is under way brings balances beyond where the new layout begins."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from projections.segment import RULEBOOK
from streams.following.follower import catch_up
from streams.layouts import Layout
from streams.places.database import Database
from tests.journal.desk import rows, task
from tests.kafka.guard_database import Setup, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.speed("test")


@pytest.fixture
def setup(database_url: str) -> Iterator[Setup]:
    """A database with an empty journal."""
    with ExitStack() as ending:
        yield Setup(Database(database_url).prepare(), ending)


def rebuild(setup: Setup) -> None:
    """Balances are folded anew in the second generation, which takes the place of the first."""
    generations = setup.database.generations()
    setup.ending.callback(generations.close)
    generation, store = generations.begin()
    setup.ending.callback(store.engine.dispose)
    generations.flip(generation, lambda: catch_up(setup.journal, store, 100, lambda _: None))
    assert generation == 2


def test_what_a_rebuild_folded_beyond_a_change_of_layout_is_not_folded_again(setup: Setup) -> None:
    """The new layout goes on from the balances' position, not from its declared start; earlier entries are trimmed."""
    setup.layouts.current(2)
    start = setup.record(task("t1"))
    new_layout = setup.layouts.change(3)
    assert new_layout == Layout(2, 3, start)
    head = setup.record(task("t2"), task("t3"))
    rebuild(setup)
    assert setup.layouts.current(2) == new_layout
    assert dict(rows(setup.database, "SELECT source, position FROM neraca_2.sources")) == {
        "2/0": head,
        "2/1": head,
        "2/2": head,
        RULEBOOK: head,
    }
    last, topic = setup.record(task("t4")), Topic()
    setup.relay(new_layout, topic.send)
    setup.fold(new_layout).fold(topic.records())
    assert rows(setup.database, "SELECT count(*) FROM neraca_2.why") == [(4,)]
    positions = rows(setup.database, "SELECT DISTINCT position FROM neraca_2.sources WHERE source <> 'rulebook'")
    assert positions == [(last,)]
