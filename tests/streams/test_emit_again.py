"""What `neraca emit` keeps: events refused for now are sent again, those refused for good are listed, and none is lost."""

from __future__ import annotations

import json
import queue
import sqlite3
import sys
import threading
from typing import TYPE_CHECKING, Final

import pytest

from local.local_server import free_port
from neraca.__main__ import main
from tests.serving import Assembled, Clock, Listening, event, until
from tests.streams.emitting import TASK, Emit, recorded, task

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASE: Final = {"dinas": "d07", "service": "s", "case": "K1"}


def permit(kind: str, name: str, **data: object) -> bytes:
    """A step of case K1 as a line."""
    return json.dumps(event(kind, name, {**CASE, **data})).encode()


RECEIPT: Final = permit("permit-received", "r1", received_at="2026-11-23T08:00:00+07:00")
PAUSE: Final = permit("permit-paused", "p1", at="2026-11-23T09:00:00+07:00", reason="applicant")
RESUMPTION: Final = permit("permit-resumed", "q1", at="2026-11-23T10:00:00+07:00")
DECISION: Final = permit("permit-processed", "d1", completed_at="2026-11-24T10:00:00+07:00")
RETRACTION: Final = json.dumps(
    event("event-retracted", "x1", {"event": {"source": "/loket", "id": "r1"}, "reason": "mistake"})
).encode()


@pytest.mark.parametrize(
    ("early", "late"),
    [
        ([DECISION], [RECEIPT]),
        ([PAUSE], [RECEIPT]),
        ([PAUSE, RESUMPTION, DECISION], [RECEIPT]),
        ([RETRACTION], [RECEIPT]),
    ],
)
def test_what_a_later_event_lifts_is_sent_again_by_the_next_run(
    early: list[bytes], late: list[bytes], neraca: Assembled, url: str, emit: Emit
) -> None:
    """Case 7: counter B was away, and its receipt comes after what counter A sent."""
    number = len(early)
    assert emit(early, "--url", url) == (f"accepted=0 duplicates=0 refused=0 pending={number}", 1)
    assert "waits, to be sent again" in emit.said
    assert (emit(None, "--list")[0], "waits" in emit.said) == ("", True)
    assert emit(late, "--url", url, outbox="b.sqlite") == ("accepted=1 duplicates=0 refused=0 pending=0", 0)
    assert emit([], "--url", url) == (f"accepted={number} duplicates=0 refused=0 pending=0", 0)
    assert recorded(neraca) == [json.loads(line)["id"] for line in (*late, *early)]


def test_of_one_file_in_any_order_all_of_it_is_recorded(neraca: Assembled, url: str, emit: Emit) -> None:
    """A resumption before its pause, a decision before both, and the receipt last."""
    assert emit([RESUMPTION, PAUSE, DECISION, RECEIPT], "--url", url) == (
        "accepted=4 duplicates=0 refused=0 pending=0",
        0,
    )
    assert recorded(neraca) == ["r1", "p1", "q1", "d1"]


def test_an_event_of_a_clock_that_is_ahead_waits_until_its_time_has_come(clock: Clock, url: str, emit: Emit) -> None:
    at = "2026-11-24T12:10:00+07:00"
    line = json.dumps(event("task-completed", "t", {**TASK, "task": "t", "completed_at": at}, time=at)).encode()
    assert emit([line], "--url", url) == ("accepted=0 duplicates=0 refused=0 pending=1", 1)
    clock.us += 5 * 60_000_000
    assert emit([], "--url", url) == ("accepted=1 duplicates=0 refused=0 pending=0", 0)
    far = line.replace(b'"t"', b'"u"').replace(b"2026", b"2999")
    assert emit([far], "--url", url) == ("accepted=0 duplicates=0 refused=1 pending=0", 3), "nobody waits so long"


def test_an_outbox_of_the_former_version_is_read(neraca: Assembled, url: str, emit: Emit, tmp_path: Path) -> None:
    """Its refused events are listed, and sent anew by ``--retry``."""
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        db.execute("CREATE TABLE outbox (number INTEGER PRIMARY KEY, line BLOB NOT NULL, refused TEXT)")
        db.execute("INSERT INTO outbox (line, refused) VALUES (?, ?)", (task("old"), '{"detail": "why"}'))
    db.close()
    assert '"why"' in emit(None, "--list")[0]
    assert emit(None, "--url", url) == ("accepted=0 duplicates=0 refused=0 pending=0", 0)
    assert emit(None, "--url", url, "--retry") == ("accepted=1 duplicates=0 refused=0 pending=0", 0)
    assert recorded(neraca) == ["old"]


@pytest.mark.parametrize(
    "options", [["--list"], ["--retry", "--url", "http://x"], ["events.ndjson", "--outbox", "b"], []]
)
def test_options_that_do_not_go_together_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", *options]) == 2
    assert "neraca emit: " in capsys.readouterr().err


class Line:
    """Standard input that stays open until the test ends it."""

    def __init__(self) -> None:
        self._given: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def give(self, line: bytes | None) -> None:
        """One more line, or the end."""
        self._given.put(line)

    def __iter__(self) -> Iterator[bytes]:
        """The lines as they come."""
        while (line := self._given.get()) is not None:
            yield line + b"\n"


def test_events_are_kept_as_they_come_and_leave_once_there_is_a_network(
    neraca: Assembled, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An emitter that reads standard input outlasts its patience with a network, and sends soon after its return."""
    port, line = free_port(), Line()
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": line}))
    command = [
        "emit",
        "-",
        "--url",
        f"http://127.0.0.1:{port}",
        "--outbox",
        str(tmp_path / "a.sqlite"),
        "--patience",
        "0",
    ]
    codes: list[int] = []
    running = threading.Thread(target=lambda: codes.append(main(command)))
    running.start()
    for number in range(3):
        line.give(task(f"t{number}"))
    until(lambda: "refused" in capsys.readouterr().err, "nobody is there")
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        until(lambda: db.execute("SELECT COUNT(*) FROM outbox").fetchone() == (3,), "they are on the disk")
    db.close()
    with Listening(neraca, port):
        until(lambda: len(recorded(neraca)) == 3, "they are sent")
        line.give(DECISION)
        until(lambda: "waits, to be sent again" in capsys.readouterr().err, "it waits for its receipt")
        neraca.record(json.loads(RECEIPT))
        until(lambda: len(recorded(neraca)) == 5, "it is tried again meanwhile")
        line.give(None)
        running.join()
    assert codes == [0]
    assert capsys.readouterr().out == "accepted=4 duplicates=0 refused=0 pending=0\n"
