"""Sessions stand beside the tokens: known by hashes alone, seen by every process, listed and ended by a command."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import text

from domain.clock import HOUR_US
from neraca.__main__ import main
from neraca.wiring import now_us

if TYPE_CHECKING:
    from pathlib import Path

    from streams.places.sessions import SessionStore
    from tests.conftest import Places

NOW_US: Final = 1_764_000_000_000_000
LENGTH: Final = {"lasts_us": 12 * HOUR_US, "idle_us": HOUR_US}


@pytest.mark.both_databases
def test_a_session_is_kept_as_a_hash_and_seen_by_every_process(places: Places) -> None:
    """What one begins another knows, and ends."""
    here, there = (places("data").token_store() for _ in range(2))
    secret = here.sessions.begin("t", NOW_US, **LENGTH)
    assert there.sessions.holder(secret, NOW_US) == "t"
    with here._engine.begin() as db:
        rows = [tuple(row) for row in db.execute(text("SELECT * FROM sessions"))]
    assert len(rows) == 1
    assert secret not in str(rows)
    there.sessions.end(secret)
    assert here.sessions.holder(secret, NOW_US) is None
    for store in (here, there):
        store._engine.dispose()


@pytest.mark.both_databases
def test_of_many_who_spend_a_link_at_once_one_succeeds(places: Places) -> None:
    stores = [places("data").token_store() for _ in range(4)]
    secret = stores[0].sessions.link(NOW_US, lasts_us=HOUR_US)
    start, results = threading.Barrier(len(stores)), list[bool]()

    def spend(sessions: SessionStore) -> None:
        start.wait()
        results.append(sessions.spend(secret, NOW_US))

    threads = [threading.Thread(target=spend, args=(store.sessions,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, False, True]
    for store in stores:
        store._engine.dispose()


@pytest.mark.both_databases
def test_a_session_ends_idle_and_in_all(places: Places) -> None:
    """A call prolongs the idle time, and never the whole."""
    store = places("data").token_store()
    secret, at_us = store.sessions.begin("t", NOW_US, **LENGTH), NOW_US
    while at_us + HOUR_US - 1 < NOW_US + LENGTH["lasts_us"]:
        at_us += HOUR_US - 1
        assert store.sessions.holder(secret, at_us) == "t"
    assert store.sessions.holder(secret, NOW_US + LENGTH["lasts_us"]) is None
    idle = store.sessions.begin("t", NOW_US, **LENGTH)
    assert store.sessions.holder(idle, NOW_US + HOUR_US) is None
    assert [session.token for session in store.sessions.standing(NOW_US)] == ["t", "t"]
    assert store.sessions.standing(NOW_US + LENGTH["lasts_us"]) == []
    store._engine.dispose()


def test_the_command_lists_and_ends_sessions(
    places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One by its name, or all of a token; it shows no secret and no link."""
    store, data = places("data").token_store(), ["--data", str(tmp_path / "data")]
    secrets = [store.sessions.begin(token, now_us(), **LENGTH) for token in ("a", "a", "b")]
    link = store.sessions.link(now_us(), lasts_us=HOUR_US)

    def listed() -> list[tuple[str, str]]:
        assert main(["token", "sessions", *data]) == 0
        output = capsys.readouterr().out
        assert not any(secret in output for secret in (*secrets, link))
        return re.findall(r"^([0-9a-f]{12}): (\w+) begun \S+ seen \S+ ends \S+$", output, re.MULTILINE)

    rows = listed()
    assert sorted(token for _, token in rows) == ["a", "a", "b"]
    name = next(name for name, holder in rows if holder == "b")
    assert main(["token", "sessions", "--end", name, *data]) == 0
    assert sorted(token for _, token in listed()) == ["a", "a"]
    assert main(["token", "sessions", "--end", "a", *data]) == 0
    assert listed() == []
    assert main(["token", "sessions", "--end", "a", "--end", "", *data]) == 1
    assert store.sessions.spend(link, now_us()), "a link is ended by no name"
    store._engine.dispose()


def test_the_command_makes_a_link(places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the address that is named; on standard output, alone."""
    store = places("data").token_store()
    assert main(["token", "link", "--url", "https://neraca.kota/", "--data", str(tmp_path / "data")]) == 0
    address, _, secret = capsys.readouterr().out.strip().partition("#")
    assert address == "https://neraca.kota/masuk/tautan"
    assert store.sessions.spend(secret, now_us())
    assert not store.sessions.spend(secret, now_us())
    store._engine.dispose()
