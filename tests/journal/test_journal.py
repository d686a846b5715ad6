"""The journal's contract: the identity of events, repeats, the order of entries, and bytes that never change."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain.clock import parse_instant
from neraca.__main__ import main
from projections.ports import Accepted
from streams.journal.appending import hex_of
from streams.journal.journal import Journal, JournalApplication, JournalError, originator_of
from streams.journal.sqlite import JournalRecorder
from streams.places.directory import DataDirectory, JournalFile
from tests.conftest import Assemble, Places
from tests.journal.desk import (
    Event,
    accept,
    answers_to,
    at,
    corrected,
    decided,
    json_array,
    lines_of,
    originator,
    outcomes,
    received,
    retracted,
    rows,
    rows_alone,
    standard,
    task,
    url_of,
)
from tests.serving import ZONE, Assembled, Clock, event

pytestmark = pytest.mark.both_databases

NAMES = [
    ("/loket", "1"),
    ("/loket/1", ""),
    ("/loke", "t1"),
    ('"', "],["),
    ("loket ü", "番号-7"),
    ("a", "bc"),
    ("ab", "c"),
]
"""Pairs that a careless concatenation would confuse."""


@pytest.mark.parametrize(("source", "name"), NAMES)
def test_identity_is_the_uuid5_of_source_and_id_as_a_json_array(source: str, name: str) -> None:
    assert originator_of(source, name) == originator(source, name)


def test_the_identity_is_what_the_table_stores(neraca: Assembled, places: Places) -> None:
    pairs = [(source, name) for source, name in NAMES if name]
    for source, name in pairs:
        assert answers_to(neraca, task("t") | {"source": source, "id": name}) == ["accepted"]
    select = "SELECT replace(CAST(originator_id AS text), '-', ''), originator_version, topic FROM stored_events ORDER BY rowid"
    entries = rows(places("data"), select)
    assert entries[1:] == [(originator(*pair), 1, "neraca.task-completed.v1") for pair in pairs]


BASE = decided("d", "K-1", received_at="2026-11-24T08:00:00+07:00")
REPEATS: list[tuple[str, Callable[[Event], Event], str]] = [
    ("the same bytes", lambda e: e, "repeated"),
    ("the instant in another offset", lambda e: e | {"time": "2026-11-24T04:00:00Z"}, "repeated"),
    ("the instant with a fraction", lambda e: e | {"time": "2026-11-24T11:00:00.000+07:00"}, "repeated"),
    ("its fields in another order", lambda e: e | {"data": dict(reversed(e["data"].items()))}, "repeated"),
    (
        "an extension more",
        lambda e: e | {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        "repeated",
    ),
    ("a subject more", lambda e: e | {"subject": "K-1"}, "repeated"),
    ("another instant", lambda e: e | {"time": "2026-11-24T11:00:01+07:00"}, "content-conflict"),
    ("another datum", lambda e: e | {"data": e["data"] | {"asn": "a-2"}}, "content-conflict"),
    ("a default spelt out", lambda e: e | {"data": e["data"] | {"outcome": "issued"}}, "content-conflict"),
    (
        "a time of data in another offset",
        lambda e: e | {"data": e["data"] | {"received_at": "2026-11-24T01:00:00Z"}},
        "content-conflict",
    ),
    ("another type", lambda _: received("d", "K-1"), "content-conflict"),
]


@pytest.mark.parametrize(("change", "answer"), [row[1:] for row in REPEATS], ids=[row[0] for row in REPEATS])
def test_a_repeat_is_the_same_type_instant_and_data_as_submitted(
    neraca: Assembled, change: Callable[[Event], Event], answer: str
) -> None:
    accept(neraca, BASE)
    first, second = outcomes(neraca, BASE)[0], outcomes(neraca, change(BASE))[0]
    assert isinstance(first, Accepted)
    if answer == "repeated":
        assert second == first
    else:
        assert answers_to(neraca, change(BASE)) == [answer]
        assert getattr(second, "holder", None) == {
            "source": "/loket",
            "id": "d",
            "position": 2,
            "outcome": "issued",
            "time": "2026-11-24T10:00:00+07:00",
        }
    assert neraca.journal.head() == 2


LATER = ["retracted", "corrected", "under another rule", "when unknown dinas are refused", "in the past"]


@pytest.mark.speed("quick")
@pytest.mark.parametrize("later", LATER)
def test_a_repeat_gets_the_first_receipt_whatever_came_later(assemble: Assemble, clock: Clock, later: str) -> None:
    neraca = assemble()
    (first,) = outcomes(neraca, BASE)
    assert isinstance(first, Accepted)
    match later:
        case "retracted":
            accept(neraca, retracted("x", "d"))
        case "corrected":
            accept(neraca, corrected("x", "d", decided("_", "K-1", "11:00", received_at=at("08:00"))))
        case "under another rule":
            accept(neraca, standard("s", 5))
        case "when unknown dinas are refused":
            neraca.close()
            neraca = assemble(strict=True)
        case _:
            clock.set("2020-01-01T00:00:00+07:00")
    assert outcomes(neraca, BASE) == [Accepted(first.receipt, repeated=True)]


def _break_an_append(neraca: Assembled) -> None:
    with neraca.journal.appending() as append:
        append.add(originator("/x", "1"), "neraca.task-completed.v1", b"{}")
        append.set_key(json_array("survey", "d", "s"), originator("/x", "1"))
        raise ArithmeticError


@pytest.mark.speed("quick")
def test_positions_are_consecutive_after_whatever_was_refused_or_rolled_back(neraca: Assembled) -> None:
    """A position is never used up by what did not enter."""
    accept(neraca, received("r1", "K-1"))
    assert answers_to(
        neraca, received("r2", "K-1"), received("r1", "K-1"), received("r1", "K-2"), decided("d2", "K-9")
    ) == [
        "natural-key-held",
        "repeated",
        "content-conflict",
        "invalid-event",
    ]
    with pytest.raises(ArithmeticError):
        _break_an_append(neraca)
    assert answers_to(neraca, task("t1"), task("t1"), task("t2")) == ["accepted", "repeated", "accepted"]
    assert [line["position"] for line in lines_of(neraca)] == [1, 2, 3, 4]
    assert [line["id"] for line in lines_of(neraca)[1:]] == ["r1", "t1", "t2"]


HISTORY: list[Event] = [
    standard("s", 5),
    received("r1", "K-1"),
    decided("d1", "K-1"),
    task("t1"),
    corrected("c1", "t1", task("t1", "a-2")),
    retracted("x1", "d1"),
    event("dinas-registered", "n1", {"dinas": "disdukcapil", "name": "Kependudukan ü"}),
]


def test_what_the_mapper_stores_it_reads_back(neraca: Assembled, places: Places) -> None:
    """The topic is the versioned type, never a module path; the state is the line."""
    accept(neraca, *HISTORY)
    application = JournalApplication(places("data").journal.environment)
    try:
        notifications = application.recorder.select_notifications(start=1, limit=100)
        for notification in notifications:
            domain_event = application.mapper.to_domain_event(notification)
            again = application.mapper.to_stored_event(domain_event)
            assert (again.topic, again.state) == (notification.topic, notification.state)
            assert (hex_of(again.originator_id), again.originator_version) == (hex_of(notification.originator_id), 1)
            assert notification.topic == lines_of(neraca)[notification.id - 1]["type"]
    finally:
        application.close()
    assert len(notifications) == len(HISTORY) + 1


@pytest.mark.speed("quick")
def test_stored_bytes_and_positions_never_change(assemble: Assemble, places: Places) -> None:
    """Neither a correction nor a retraction, a restart, a rebuild or a VACUUM changes a recorded line."""
    place, select = places("data"), "SELECT rowid, * FROM stored_events ORDER BY rowid"
    options = ["--data", place.label] if isinstance(place, DataDirectory) else ["--database", url_of(place)]
    neraca = assemble()
    accept(neraca, *HISTORY[:4])
    before: list[tuple[Any, ...]] = rows(place, select)
    accept(neraca, *HISTORY[4:])
    neraca.close()
    assert main(["rebuild", *options]) == 0
    whole = rows(place, select)
    rows(place, "VACUUM") if isinstance(place, DataDirectory) else rows_alone(place, "VACUUM FULL neraca.neraca_events")
    assert rows(place, select) == whole
    assert whole[: len(before)] == before
    neraca = assemble()
    accept(neraca, task("t9"))
    assert rows(place, select)[:-1] == whole
    assert neraca.settle() == len(HISTORY) + 2


@pytest.mark.sqlite_file
def test_an_acknowledged_event_is_on_the_disk(neraca: Assembled) -> None:
    """synchronous=FULL (2) on the connection the journal appends through; NORMAL would lose the tail of the WAL."""
    assert isinstance(neraca.journal._recorder, JournalRecorder)
    with neraca.journal._recorder.datastore.get_connection(commit=True) as connection:
        db = connection._sqlite_conn
        assert db.execute("PRAGMA synchronous").fetchone()[0] == 2
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert db.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 8000
        assert db.execute("PRAGMA cache_size").fetchone()[0] == -65536
    with neraca.journal._recorder.datastore.get_connection(commit=True) as again:
        assert again is connection, "the writer's cache is kept from one append to the next"


def test_a_journal_begun_in_another_zone_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The months of what is recorded would change their meaning."""
    now = parse_instant("2026-11-24T12:00:00+07:00")
    Journal.open(JournalFile(tmp_path / "journal.sqlite"), ZONE, now).close()
    Journal.open(JournalFile(tmp_path / "journal.sqlite"), ZONE, now).close()
    with pytest.raises(JournalError, match="counts its months in Asia/Jakarta, but Asia/Makassar is configured"):
        Journal.open(JournalFile(tmp_path / "journal.sqlite"), "Asia/Makassar", now)
    assert main(["up", "--data", str(tmp_path), "--zone", "Asia/Makassar", "--port", "0"]) == 1
    assert "Set NERACA_ZONE=Asia/Jakarta" in capsys.readouterr().err
