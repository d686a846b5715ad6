"""A token invents no names: a journal begun without `--open` refuses what nobody registered, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpx
import pytest

from domain.access.limits import Limits
from neraca.__main__ import main
from streams.journal.journal import Journal
from streams.places.database import Database
from streams.places.directory import DataDirectory
from tests.journal.test_old_directory import file_with
from tests.process import Process
from tests.serving import EVENT, Assembled, event

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}
AS_BEGUN: Final = {"NERACA_UNKNOWN": ""}


def refused(process: Process, event_id: str, headers: Mapping[str, str] | None = None, **data: str) -> list[str]:
    """The pointers at which a task of unregistered names is refused."""
    answer = httpx.post(
        f"{process.url}/v1/events",
        json=event("task-completed", event_id, {**TASK, "task": event_id, **data}),
        headers={"content-type": EVENT, **(headers or {})},
    ).json()
    assert answer.get("errors") or answer.get("position"), answer
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


def test_a_journal_begun_open_stays_so(tmp_path: Path) -> None:
    with Process(tmp_path / "open", environment=AS_BEGUN) as process:
        assert refused(process, "t1") == []


def begun_open(data: Path) -> None:
    """Begin a journal as `--open` does."""
    Assembled(data).close()


def begun_before(data: Path) -> None:
    """Leave a journal behind as a former version did."""
    data.mkdir(mode=0o700)
    file_with(data / "journal.sqlite", "journal.sql").chmod(0o600)


@pytest.mark.speed("all")
@pytest.mark.parametrize("begin", [begun_open, begun_before])
def test_a_journal_begun_open_or_before_stays_so_without_open(tmp_path: Path, begin: Callable[[Path], None]) -> None:
    """A counter's task of names that nobody registered is taken."""
    begin(tmp_path / "data")
    limits = Limits(frozenset({"e"}), frozenset({"/loket"}))
    store = DataDirectory(tmp_path / "data").token_store()
    secret = store.make("loket-1", ["counter"], "2026-11-24T05:00:00Z", limits)
    store.close()
    with Process(tmp_path / "data", environment=AS_BEGUN, is_open=False) as process:
        assert refused(process, "t-baru", {"authorization": f"Bearer {secret}"}, dinas="e", asn="z-1") == []
