"""The index that answers each query that must not grow with history, as SQLite explains its plan."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import event

from domain.events.kinds import KINDS
from domain.events.names import type_of
from domain.score.scorecard import Subject
from projections.ports import LineSearch
from projections.store.open_files import Choice
from projections.store.queries import Queries
from streams.journal.searching import RARE_INDEX, RARE_TYPES, condition
from tests.journal.folding import empty

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.serving import Assembled

FILES: Final = "case_files_open"
PLANS: Final[dict[str, tuple[Callable[[Queries], object], str]]] = {
    "open files of an ASN, counted": (lambda q: q.files.of_asn(0, "a"), f"COVERING INDEX {FILES}_asn (open_asn=?)"),
    "open files of an ASN, listed": (lambda q: q.files.listed_of_asn("a", 5), f"INDEX {FILES}_asn (open_asn=?)"),
    "an ASN with an open file": (lambda q: q.files.any_of_asn("a"), f"INDEX {FILES}_asn (open_asn=?)"),
    "open files by dinas": (lambda q: q.files.by_dinas(0), f"SCAN case_files USING COVERING INDEX {FILES}"),
    "open files of some dinas": (lambda q: q.files.by_dinas(0, ["d"]), f"COVERING INDEX {FILES} (dinas=?"),
    "open files of a dinas, by ASN": (lambda q: q.files.by_asn(0, "d"), f"COVERING INDEX {FILES} (dinas=?"),
    "open files of a dinas, by service": (lambda q: q.files.by_service(0, "d"), f"COVERING INDEX {FILES} (dinas=?"),
    "open files of a dinas, listed": (lambda q: q.files.page("d", None, 5), f"INDEX {FILES} (dinas=?"),
    "open files of a dinas, listed on": (lambda q: q.files.page("d", (1, "s", "c"), 5), f"INDEX {FILES} (dinas=?"),
    "overdue files of a dinas": (lambda q: q.files.page("d", None, 5, Choice(9)), f"INDEX {FILES} (dinas=?"),
    "overdue files of a service": (lambda q: q.files.page("d", None, 5, Choice(9, "s")), f"INDEX {FILES} (dinas=?"),
    "every open file": (lambda q: list(q.files.all()), f"INDEX {FILES}"),
    "what lies ahead of a dinas": (lambda q: q.files.ahead(0, 9, "d"), f"COVERING INDEX {FILES} (dinas=?"),
    "leaves of some dinas": (lambda q: list(q.leaves(["d"], ["m"])), "INDEX accounts_leaf (dinas=? AND month=?)"),
    "months of an ASN": (lambda q: q.months_of_asn("a", ["m"]), "INDEX accounts_asn (asn=? AND month=?)"),
    "an ASN with an account": (lambda q: q.knows(Subject("asn", "a")), "COVERING INDEX accounts_asn (asn=?)"),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_query_is_answered_by_its_index(tmp_path: Path, name: str) -> None:
    ask, index = PLANS[name]
    store, plans = empty(tmp_path / "store.sqlite"), list[str]()

    def explain(cursor: Any, statement: str, parameters: object) -> None:  # noqa: ANN401 - the driver's cursor
        plans.extend(row[3] for row in cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))

    event.listen(
        store.engine, "before_cursor_execute", lambda _, cursor, sql, values, *__: explain(cursor, sql, values)
    )
    with store.engine.connect() as db:
        ask(Queries(db))
    store.engine.dispose()
    assert any(index in plan for plan in plans), plans


@pytest.mark.parametrize("kind", [kind for kind in KINDS if type_of(kind) in RARE_TYPES])
@pytest.mark.parametrize("texts", [(), (('"d"', "x"), ("y",))])
def test_a_search_for_a_rare_kind_is_answered_by_its_index(
    neraca: Assembled, tmp_path: Path, kind: str, texts: tuple[tuple[str, ...], ...]
) -> None:
    """The index serves with any other filter and any bounds."""
    assert neraca.journal.newest(LineSearch((type_of(kind),), texts), 0, 9, 5).lines == []
    where, values = condition(LineSearch((type_of(kind),), texts), "CAST(state AS TEXT) LIKE ?", "?")
    query = f"SELECT rowid, state FROM stored_events WHERE {where} AND rowid > 5 AND rowid <= 9 ORDER BY rowid DESC"  # noqa: S608 - our own condition
    with closing(sqlite3.connect(tmp_path / "data" / "journal.sqlite")) as db:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert plan == [f"SEARCH stored_events USING INDEX stored_events_{RARE_INDEX} (topic=? AND rowid>? AND rowid<?)"]
