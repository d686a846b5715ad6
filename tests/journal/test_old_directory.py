"""A data directory that an earlier program of this version left behind: it opens, is completed, and nothing in it changes."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import inspect

from projections.store.schema import OPEN_BY_ASN
from projections.store.store import Store
from streams.journal.searching import RARE_INDEX
from tests.conftest import NewStore
from tests.journal.desk import task
from tests.journal.folding import audited, digest, segment
from tests.serving import Assembled, Clock

BEFORE: Final = Path(__file__).parents[1] / "data" / "before"
"""Journal and balances of ``HISTORY`` as the program of commit c4dcd63 wrote them."""
DIGEST: Final = "46eeb30e1dbd020e637b5689ee63de7aa49bfe738bdc71c49874d579ea496328"
"""As that program served it, at position 29."""


def file_with(path: Path, name: str) -> Path:
    """A database file with the content that was left under a name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.executescript((BEFORE / name).read_text(encoding="utf-8"))
    return path


def _rows(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with closing(sqlite3.connect(path)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: sorted(db.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}  # noqa: S608 - its own names


def _indexes(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as db:
        return {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """The directory as it was left."""
    file_with(tmp_path / "data" / "journal.sqlite", "journal.sql")
    file_with(tmp_path / "data" / "balances" / "generation-1.sqlite", "generation-1.sql")
    (tmp_path / "data" / "balances" / "current").write_bytes(b'{"generation":1,"version":2}')
    return tmp_path / "data"


def test_an_old_directory_is_folded_anew_once_to_the_same_digest(directory: Path) -> None:
    """Its balances know of no blocks of ratings; no row of the journal changes, and an index that is missing is added."""
    file = directory / "journal.sqlite"
    rows, indexes = _rows(file), _indexes(file)
    with Assembled(directory, clock=Clock()) as neraca:
        neraca.settle()
        assert neraca.live.generation == 2
        assert digest(neraca.live.store) == (29, DIGEST) == audited(neraca.journal.lines(0, 1000))
        assert neraca.get("/asn/a-1").status_code == 200
    assert _rows(file) == rows | {"leaves": []}
    assert _indexes(file) == indexes | {f"stored_events_{RARE_INDEX}"}
    with Assembled(directory, clock=Clock()) as again:
        assert again.record(task("t-new")) == [30]
        assert (again.live.generation, digest(again.live.store)) == (2, audited(again.journal.lines(0, 1000)))
    assert [position for position, _ in _rows(file)["leaves"]] == [30], "only what was recorded since has a leaf"


def _has_index(store: Store) -> bool:
    return OPEN_BY_ASN.name in {index["name"] for index in inspect(store.engine).get_indexes("case_files")}


@pytest.mark.both_databases
def test_an_index_that_is_missing_is_added_once(neraca: Assembled, new_store: NewStore) -> None:
    store = new_store("store")
    assert _has_index(store)
    store.complete()
    OPEN_BY_ASN.drop(store.engine)
    assert not _has_index(store)
    store.complete()
    assert _has_index(store)
    store.fold(segment(neraca.journal.lines(0, 10), 0, 1))
