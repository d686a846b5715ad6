"""A token invents no names: a journal begun without `--open` refuses what nobody registered, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx

from domain.access.limits import Limits
from neraca.__main__ import main
from streams.journal.journal import Journal
from streams.places.database import Database
from streams.places.directory import DataDirectory
from tests.process import Process
from tests.serving import EVENT, event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pytest

TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}
AS_BEGUN: Final = {"NERACA_UNKNOWN": ""}


def refused(process: Process, event_id: str, headers: Mapping[str, str] | None = None, **data: str) -> list[str]:
    """The pointers at which a task of unregistered names is refused."""
    answer = httpx.post(
        f"{process.url}/v1/events",
        json=event("task-completed", event_id, {**TASK, "task": event_id, **data}),
        headers={"content-type": EVENT, **(headers or {})},
    ).json()
    assert answer.get("errors") or answer["position"], answer
    return [fault["pointer"] for fault in answer.get("errors", ())]


def test_a_journal_begun_without_open_is_strict_for_good(tmp_path: Path) -> None:
    with Process(tmp_path / "strict", is_open=False, environment=AS_BEGUN):
        pass
    with Process(tmp_path / "strict", environment=AS_BEGUN) as process:
        assert refused(process, "t1") == ["/data/dinas", "/data/asn"]
    with Process(tmp_path / "strict", environment={"NERACA_UNKNOWN": "open"}) as process:
        assert refused(process, "t2") == [], "a command may say otherwise"


def test_a_command_of_the_owner_begins_a_strict_journal(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an intake alone begins one: so does whatever connects as the owner, unless it says otherwise."""
    monkeypatch.setenv("NERACA_UNKNOWN", "")
    assert main(["layout", "--database", database_url]) == 0
    assert Journal.read_only(Database(database_url).prepare().journal).is_strict


def test_a_journal_begun_open_or_before_stays_so(tmp_path: Path) -> None:
    """Also where it is served without `--open` afterwards: a counter's task of names that nobody registered is taken."""
    with Process(tmp_path / "open", environment=AS_BEGUN) as process:
        assert refused(process, "t1") == []
    with Process(tmp_path / "open", environment=AS_BEGUN, is_open=False) as process:
        limits = Limits(frozenset({"e"}), frozenset({"/loket"}))
        store = DataDirectory(tmp_path / "open").token_store()
        secret = store.make("loket-1", ["counter"], "2026-11-24T05:00:00Z", limits)
        store.close()
        assert refused(process, "t2", {"authorization": f"Bearer {secret}"}, dinas="e") == []
