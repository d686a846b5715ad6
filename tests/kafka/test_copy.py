"""What goes wrong while rows are copied into PostgreSQL is told apart as in any other statement: it may pass, or it is poison."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from projections.segment import NotWritten
from streams.database import Database
from tests.journal.desk import task
from tests.kafka.guard_database import Kept, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDS: Final = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(30);"
REFUSES: Final = "RAISE EXCEPTION 'not to be had' USING ERRCODE = '22003';"
"""Out of range: of the class of errors in the data."""


@pytest.fixture
def kept(database_url: str) -> Iterator[Kept]:
    with ExitStack() as ending:
        yield Kept(Database(database_url).prepare(), ending)


def done(kept: Kept, *statements: str) -> None:
    """Statements that give no rows, in the generation served."""
    with kept.database.connected("test") as db:
        db.execute("SET search_path = neraca_1")
        for statement in statements:
            db.execute(statement.encode())


def on_insertion(kept: Kept, what: str) -> None:
    """Something happens whenever an account is begun."""
    done(
        kept, f"CREATE FUNCTION struck() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what} RETURN NEW; END $$",
        "CREATE TRIGGER struck BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION struck()",
    )  # fmt: skip


def test_a_server_that_ends_the_session_of_a_copy_may_be_asked_again(kept: Kept) -> None:
    """Nothing was written; the same goes through once the server is well."""
    layout, topic = kept.layouts.reached(1), Topic()
    kept.record(task("t1"))
    kept.relay(layout, topic.send)
    fold = kept.fold(layout)
    on_insertion(kept, ENDS)
    with pytest.raises(NotWritten):
        fold.fold(topic.records())
    done(kept, "DROP TRIGGER struck ON accounts")
    assert fold.fold(topic.records()).applied == 1
    assert kept.sql("SELECT count(*) FROM why") == [(1,)]


def test_rows_that_cannot_be_copied_stop_their_partition(kept: Kept) -> None:
    """They are kept apart, and the process goes on."""
    layout, topic = kept.layouts.reached(1), Topic()
    kept.record(task("t1"))
    kept.relay(layout, topic.send)
    fold = kept.fold(layout)
    on_insertion(kept, REFUSES)
    assert fold.fold(topic.records()).applied == 0
    assert "not to be had" in fold.stopped[0]
    assert len(kept.letters) == 1
