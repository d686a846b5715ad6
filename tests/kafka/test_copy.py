"""Errors while rows are copied into PostgreSQL, or in statements sent ahead, are transient or poison, as elsewhere."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest

from projections.segment import NotWritten
from projections.store.rows_postgres import as_array
from streams.places.database import Database
from tests.journal.desk import task
from tests.kafka.guard_database import Setup, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.speed("test")

ENDS: Final = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(30);"
REFUSES: Final = "RAISE EXCEPTION 'not to be had' USING ERRCODE = '22003';"
"""Out of range: of the class of errors in the data."""


@pytest.fixture
def setup(database_url: str) -> Iterator[Setup]:
    with ExitStack() as ending:
        yield Setup(Database(database_url).prepare(), ending)


def execute(setup: Setup, *statements: str) -> None:
    """Statements that give no rows, in the generation served."""
    with setup.database.connected("test") as db:
        db.execute("SET search_path = neraca_1")
        for statement in statements:
            db.execute(statement.encode())


def on_writing(setup: Setup, what: str, when: str = "INSERT", table: str = "accounts") -> None:
    """Something happens whenever an account is begun, or another row written."""
    execute(
        setup,
        f"CREATE FUNCTION struck() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what} RETURN NEW; END $$",
        f"CREATE TRIGGER struck BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION struck()",
    )


def test_a_server_that_ends_the_session_of_a_copy_may_be_asked_again(setup: Setup) -> None:
    """Nothing was written; the same goes through once the server is well."""
    layout, topic = setup.layouts.current(1), Topic()
    setup.record(task("t1"))
    setup.relay(layout, topic.send)
    fold = setup.fold(layout)
    on_writing(setup, ENDS)
    with pytest.raises(NotWritten):
        fold.fold(topic.records())
    execute(setup, "DROP TRIGGER struck ON accounts")
    assert fold.fold(topic.records()).applied == 1
    assert setup.sql("SELECT count(*) FROM why") == [(1,)]


def test_rows_that_cannot_be_copied_stop_their_partition(setup: Setup) -> None:
    """They are kept apart, and the process goes on."""
    layout, topic = setup.layouts.current(1), Topic()
    setup.record(task("t1"))
    setup.relay(layout, topic.send)
    fold = setup.fold(layout)
    on_writing(setup, REFUSES)
    assert fold.fold(topic.records()).applied == 0
    assert "not to be had" in fold.stopped[0]
    assert len(setup.letters) == 1


@pytest.mark.parametrize("table", ["accounts", "dinas_months"])
@pytest.mark.parametrize("ends", [True, False])
def test_of_statements_sent_ahead_it_is_the_first_failure_that_counts(setup: Setup, table: str, *, ends: bool) -> None:
    """Statements behind it were never run; their errors are not taken for the cause."""
    layout, topic = setup.layouts.current(1), Topic()
    setup.record(task("t1"))
    setup.relay(layout, topic.send)
    fold = setup.fold(layout)
    assert fold.fold(topic.records()).applied == 1
    setup.record(task("t2"), task("t3", "a-9"))
    setup.relay(layout, topic.send)
    on_writing(setup, ENDS if ends else REFUSES, "UPDATE", table)
    if ends:
        with pytest.raises(NotWritten):
            fold.fold(topic.records())
    else:
        assert fold.fold(topic.records()).applied == 0
        assert "not to be had" in fold.stopped[0]
        assert len(setup.letters) == 1
    assert setup.sql("SELECT count(*) FROM why") == [(1,)]
    if ends:
        execute(setup, f"DROP TRIGGER struck ON {table}")
        assert fold.fold(topic.records()).applied == 2


AWKWARD: Final = (
    "",
    "null",
    "NULL",
    "{}",
    "a,b",
    '"',
    "\\",
    '\\"',
    "\\n",
    "'",
    " a ",
    "a\u00a0b",
    "ķ",
    "🏛",
    '{"permits":1}',
)


@pytest.mark.parametrize("column", [AWKWARD, ("",), ("a\nb", "\x1f", "\\u001f"), ("a", None), (None, "a")])
def test_a_column_of_text_arrives_as_it_was_sent(setup: Setup, column: tuple[str | None, ...]) -> None:
    """The values hold characters that JSON and PostgreSQL each quote in their own way."""
    assert setup.sql("SELECT unnest(%s::text[])", as_array(column)) == [(text,) for text in column]


@pytest.mark.parametrize(("column", "kind"), [((0, -1, 2**63 - 1), "int8"), ((b"", b"\x00\\"), "bytea")])
def test_a_column_of_numbers_or_bytes_arrives_as_it_was_sent(
    setup: Setup, column: tuple[object, ...], kind: str
) -> None:
    """The same of them."""
    assert setup.sql(f"SELECT unnest(%s::{kind}[])", as_array(column)) == [(value,) for value in column]
