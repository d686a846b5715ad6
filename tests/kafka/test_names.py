"""A worker's name, of which several processes may believe that it is theirs: the newest has it, the others wait for its end."""

import os
import threading
from pathlib import Path

import pytest

from streams.places.database import Database
from streams.places.location import NoDatabase
from streams.worker.lease import acquire
from tests.serving import until

pytestmark = pytest.mark.speed("test")


@pytest.fixture
def database(database_url: str) -> Database:
    return Database(database_url).prepare()


def machine(folder: Path, name: str) -> Path:
    """The directory of a supervisor."""
    program = folder / name
    program.mkdir()
    return program


def test_every_start_of_a_worker_has_a_greater_epoch(database: Database, tmp_path: Path) -> None:
    """Nobody else took its name, so nobody is waited for, whether its process before ended or hangs."""
    mine = machine(tmp_path, "mine")
    with database.connected("hangs") as hanging:
        assert acquire(hanging, "w", mine) == 1
        for epoch in (2, 3):
            with database.connected("again") as db:
                assert acquire(db, "w", mine) == epoch
    with database.connected("another name") as db:
        assert acquire(db, "v", machine(tmp_path, "other")) == 1


def test_a_new_machine_takes_the_name_at_once_and_the_old_one_waits_until_it_is_gone(
    database: Database, tmp_path: Path
) -> None:
    """The old one may be started again as often as it likes; it does not take the name back from a process that lives."""
    old, new, epochs = machine(tmp_path, "old"), machine(tmp_path, "new"), list[int]()
    with database.connected("old") as db:
        assert acquire(db, "w", old) == 1
        with database.connected("new") as newer:
            assert acquire(newer, "w", new) == 2

    def comes_back() -> None:
        with database.connected("old") as db:
            epochs.append(acquire(db, "w", old))

    with database.connected("new") as newer, database.connected("look") as look:
        assert acquire(newer, "w", new) == 3
        waiting = threading.Thread(target=comes_back, daemon=True)
        waiting.start()
        query = (
            "SELECT 1 FROM pg_stat_activity WHERE application_name = 'neraca old' AND query LIKE '%pg_try_advisory%'"
        )
        until(lambda: look.execute(query).fetchall(), "the old one asks for its name")
        waiting.join(2.5)
        assert (waiting.is_alive(), epochs) == (True, [])
    waiting.join(10)
    assert epochs == [4]


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_supervisor_none_waits(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = machine(tmp_path, "old")
    with database.connected("old") as db, database.connected("new") as newer:
        acquire(db, "w", old)
        acquire(newer, "w", machine(tmp_path, "new"))
        parents = iter([1, 2])
        monkeypatch.setattr(os, "getppid", lambda: next(parents))
        with pytest.raises(SystemExit), database.connected("again") as again:
            acquire(again, "w", old)


def test_a_database_that_goes_away_is_named(database: Database, tmp_path: Path) -> None:
    with database.connected("ended") as db, database.connected("end") as other:
        other.execute("SELECT pg_terminate_backend(%s)", (db.info.backend_pid,))
        with pytest.raises(NoDatabase, match="the name w: "):
            acquire(db, "w", machine(tmp_path, "mine"))
