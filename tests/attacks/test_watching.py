"""The security log holds no number of a person, misses no route that names one, and turns no refusal into a failure."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from api.http.watching import LISTS, PERSON, TAKEN
from domain.intake.wire import submission_or_refusal
from neraca.__main__ import main
from projections.ports import LOCAL
from projections.security import Note
from streams.intake.noting import NotedIntake
from streams.places.directory import DataDirectory
from tests.attacks.matrix import ROWS
from tests.pages.reading import FAR
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TASK: Final = {"dinas": "dishub", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}
NIK: Final = "3674064509900001"
NUMBERS: Final = (NIK, "367406 450990 0001", "199003152015041001", "".join(chr(ord(digit) + 0xFEE0) for digit in NIK))
"""A NIK bare, in groups and in wide digits, and a NIP."""
NAMES_NOBODY: Final = frozenset({"/auditor", "/v1/digest"})
"""Guarded routes whose answers hold figures of the whole city alone."""
MAPPING: Final = """
kind = "permit-processed"
source = "/import/case"
[fields]
dinas = "D"
service = "S"
case = "C"
received_at = "R"
completed_at = "E"
"""


def written(neraca: Assembled) -> str:
    """All that the log holds."""
    with neraca.log._engine.begin() as db:
        return str(
            [tuple(row) for table in ("security_log", "looks") for row in db.execute(text(f"SELECT * FROM {table}"))]
        )


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_is_typed_into_an_address_is_in_no_log(neraca: Assembled, number: str) -> None:
    """Whoever types it, whether refused or served, in a path or in a query."""
    neraca.record(event("task-completed", "t1", TASK))
    spelling = quote(number)
    tokens = {name: neraca.token(name, name) for name in ("personnel", "auditor")}
    tokens["counter"] = neraca.token("counter", "counter", dinas=["dishub"], sources=["/loket/1"])
    paths = (f"/v1/asn/{spelling}", f"/asn/{spelling}", f"/v1/dinas/{spelling}/asn", f"/dinas/{spelling}/files")
    for path in (*paths, f"/auditor/journal?q={spelling}", f"/dinas/dishub/events?service={spelling}"):
        for headers in ({}, *({"authorization": token} for token in tokens.values())):
            neraca.get(path, headers=headers, **FAR)
    neraca.built.close()
    log = written(neraca)
    assert "'refused'" in log
    assert "/dinas/{dinas}/events" in log, "a list is noted by its route"
    assert number not in log
    assert spelling not in log
    assert NIK not in log


@pytest.mark.both_databases
def test_a_subject_that_no_name_can_be_is_refused_and_noted_without_it(neraca: Assembled) -> None:
    """A zero is no text of PostgreSQL, and a path of any length would be searched for numbers on the event loop."""
    for word in ("a%00b", "1-" * 20_000):
        assert neraca.get(f"/v1/asn/{word}/why", **FAR).status_code in (401, 422), word[:9]
        assert neraca.get(f"/asn/{word}", **FAR).status_code in (401, 403, 404), word[:9]
    neraca.built.close()
    log = written(neraca)
    assert "401 GET /asn/{asn}" in log
    assert "1-1-1" not in log
    assert "\0" not in log


@pytest.mark.parametrize("token_id", ["l" * 201, "é" * 34])
def test_an_id_fits_an_address(tmp_path: Path, capsys: pytest.CaptureFixture[str], token_id: str) -> None:
    """The source of what is rated under a token's tickets is made of its id, as an address has it."""
    place = ["--role", "auditor", "--data", str(tmp_path / "data")]
    assert main(["token", "make", token_id, *place]) == 2
    assert "the id: at most 200 characters" in capsys.readouterr().err
    assert main(["token", "make", token_id[:-1], *place]) == 0


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_names_no_token(tmp_path: Path, capsys: pytest.CaptureFixture[str], number: str) -> None:
    """Nor its dinas, its ASN or a segment of its source; and no command notes it."""
    place = ["--data", str(tmp_path / "data")]
    usual = {"--role": "counter", "--dinas": "d", "--source": "/loket/1"}
    for token_id, options, word in (
        (number, {}, "the id"),
        ("t", {"--dinas": number}, "--dinas"),
        ("t", {"--source": f"/loket/{number}"}, "--source"),
        ("t", {"--role": "asn", "--asn": number}, "--asn"),
    ):
        pairs = options if "--asn" in options else usual | options
        words = [part for pair in pairs.items() for part in pair]
        assert main(["token", "make", token_id, *words, *place]) == 2, options
        error = capsys.readouterr().err
        assert f"{word}: a NIK or a NIP names nobody here" in error
        assert number not in error
    assert main(["token", "sessions", "--end", number, *place]) == 1
    capsys.readouterr()
    assert main(["security", "log", *place]) == 0
    assert number not in capsys.readouterr().out


def test_every_guarded_route_that_names_a_person_is_watched() -> None:
    """By the table of who may do what: by its path, as a list, or as a file that is taken away."""
    actions = {"read-person", "read-people", "read-reasons", "read-files", "audit"}
    routes = {row.route.removeprefix("GET ") for row in ROWS if row.action in actions and row.route.startswith("GET ")}
    assert {route for route in routes if PERSON not in route} - LISTS - TAKEN == NAMES_NOBODY
    assert routes | {"/dinas/{dinas}"} >= LISTS | TAKEN, "that page is everybody's, and names persons to some"


def test_a_refusal_stays_one_while_the_log_cannot_be_written(neraca: Assembled) -> None:
    """Also while it would write down how many there were in the minute before."""
    for path in ("/v1/journal", "/v1/journal", "/v1/asn/a-1", "/v1/asn/a-1"):
        assert neraca.get(path, **FAR).status_code == 401
    neraca.clock.us += 60_000_000
    with unwritable(neraca):
        assert neraca.get("/v1/journal", **FAR).status_code == 401
        assert neraca.get("/v1/dinas/d/asn", **FAR).status_code == 401


@contextmanager
def unwritable(neraca: Assembled) -> Iterator[None]:
    """While this lasts the log cannot be written."""
    with neraca.log._engine.begin() as db:
        db.execute(text("ALTER TABLE security_log RENAME TO gone"))
    yield
    with neraca.log._engine.begin() as db:
        db.execute(text("ALTER TABLE gone RENAME TO security_log"))


def test_what_an_import_corrects_is_noted(tmp_path: Path) -> None:
    """It is no call over HTTP."""
    file, mapping, place = tmp_path / "rows.csv", tmp_path / "map.toml", ["--data", str(tmp_path / "data")]
    mapping.write_text(MAPPING)
    for hour in ("09", "10"):
        file.write_text(f"D,S,C,R,E\nd,s,1,2026-03-01 08:00,2026-03-01 {hour}:00\n")
        assert main(["import", str(file), "--map", str(mapping), "--correct", *place]) == 0
    log = DataDirectory(tmp_path / "data").security_log()
    notes = [entry.note for entry in log.notes(0)]
    log.close()
    assert [(note.what, note.who, note.detail, note.address) for note in notes] == [
        ("reversal", "import", "neraca.event-corrected.v1 at 3", "")
    ]


def test_a_rule_is_noted_by_whatever_intake_records_it(neraca: Assembled) -> None:
    """Once: a repeat is no rule. What is recorded stays so if the log cannot be written."""
    rules = [submission_or_refusal(event("dinas-registered", n, {"dinas": n, "name": "Dinas"})) for n in ("d1", "d2")]
    intake = NotedIntake(neraca.intake, neraca.log, neraca.clock)
    grant = replace(LOCAL, id="token-1")
    for _ in range(2):
        intake.submit(rules[:1], grant)
    with unwritable(neraca):
        intake.submit(rules[1:], grant)
    assert neraca.journal.head() == 3
    assert [entry.note for entry in neraca.log.notes(0)] == [
        Note("rule", "token-1", "d1", "neraca.dinas-registered.v1 at 2")
    ]
