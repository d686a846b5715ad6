"""The security log: who signed in, was refused, looked at whom, took what away; written first, never a secret, never changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.clock import HOUR_US
from neraca.__main__ import main
from projections.security import Look, Note
from tests.api.submissions import problem_of, task
from tests.pages.reading import FAR
from tests.serving import ELSEWHERE, FORM, Assembled, event

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Places


def notes(neraca: Assembled) -> list[Note]:
    return [entry.note for entry in neraca.log.notes(0)]


def looks(neraca: Assembled) -> dict[tuple[str, str, str, str], int]:
    return {
        (entry.look.day, entry.look.who, entry.look.page, entry.look.person): entry.count
        for entry in neraca.log.looks(0)
    }


def sign_in(neraca: Assembled, secret: str) -> dict[str, str]:
    answer = neraca.ask("POST", "/masuk", content=urlencode({"token": secret}).encode(), headers=FORM, **FAR)
    assert answer.status_code == 303
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


def test_signing_in_and_out_is_noted_without_a_secret(neraca: Assembled) -> None:
    secret = neraca.token("kepala", "read").removeprefix("Bearer ")
    headers = sign_in(neraca, secret)
    neraca.ask("POST", "/keluar", content=b"", headers=FORM | headers, **FAR)
    assert [(note.what, note.who, note.detail, note.address) for note in notes(neraca)] == [
        ("sign-in", "kepala", "token", ELSEWHERE),
        ("sign-out", "kepala", "", ELSEWHERE),
    ]
    link = neraca.tokens.sessions.link(neraca.clock(), lasts_us=HOUR_US)
    neraca.ask("POST", "/masuk/tautan", content=urlencode({"tautan": link}).encode(), headers=FORM, **FAR)
    assert notes(neraca)[-1] == Note("sign-in", "local", detail="link", address=ELSEWHERE)
    with neraca.log._engine.begin() as db:
        statements = ("SELECT * FROM security_log", "SELECT * FROM looks")
        rows = str([tuple(row) for statement in statements for row in db.execute(text(statement))])
    for word in (secret, link, headers["cookie"].partition("=")[2]):
        assert word not in rows


def test_a_refusal_is_noted_and_those_alike_are_counted(neraca: Assembled) -> None:
    """A hundred of one kind in a minute leave a row, and their number once the minute is over."""
    headers = {"authorization": neraca.token("loket", "fact")}
    for _ in range(100):
        assert neraca.get("/v1/asn/a-1", headers=headers, **FAR).status_code == 403
    refusal = Note("refused", "loket", "a-1", "403 GET /v1/asn/{asn}", ELSEWHERE)
    assert notes(neraca) == [refusal]
    neraca.clock.us += 60_000_000
    assert neraca.get("/v1/journal", **FAR).status_code == 401
    assert {note.count: note.detail for note in notes(neraca)[1:]} == {
        99: "403 GET /v1/asn/{asn}",
        1: "401 GET /v1/journal",
    }
    wrong = neraca.ask("POST", "/masuk", content=b"token=neraca_wrong", headers=FORM, **FAR)
    assert wrong.status_code == 401
    assert notes(neraca)[-1].detail == "401 POST /masuk"
    assert "neraca_wrong" not in str(notes(neraca))


def test_refusals_of_many_kinds_do_not_fill_the_memory(neraca: Assembled) -> None:
    for number in range(1_100):
        neraca.get(f"/v1/asn/a-{number}", **FAR)
    assert len(notes(neraca)) <= 1_001
    neraca.built.close()
    assert sum(note.count for note in notes(neraca)) == 1_100


def test_a_reading_of_a_person_is_a_row_a_day_page_and_person(neraca: Assembled) -> None:
    neraca.record(task("t1"))
    headers = {"authorization": neraca.token("kepala", "read")}
    for _ in range(3):
        assert neraca.get("/v1/asn/a-1", headers=headers, **FAR).status_code == 200
    tag = neraca.get("/asn/a-1", headers=headers, **FAR).headers["etag"]
    assert neraca.get("/asn/a-1", headers=headers | {"if-none-match": tag}, **FAR).status_code == 304
    neraca.get("/v1/asn/nobody", headers=headers, **FAR)
    neraca.get("/v1/asn/a-1", **FAR)
    assert looks(neraca) == {
        ("2026-11-24", "kepala", "/v1/asn/{asn}", "a-1"): 3,
        ("2026-11-24", "kepala", "/asn/{asn}", "a-1"): 2,
    }
    neraca.clock.us += 12 * HOUR_US
    neraca.get("/v1/asn/a-1", headers=headers, **FAR)
    assert looks(neraca)["2026-11-25", "kepala", "/v1/asn/{asn}", "a-1"] == 1, "the city's day, not that of UTC"


def test_a_list_of_persons_is_one_row(neraca: Assembled) -> None:
    """The caller, the query, the day, and how often."""
    neraca.record(task("t1"))
    headers = {"authorization": neraca.token("kepala", "read")}
    for _ in range(2):
        assert neraca.get("/v1/dinas/dishub/asn?limit=5", headers=headers, **FAR).status_code == 200
    neraca.get("/dinas/dishub", headers=headers, **FAR)
    neraca.get("/dinas/dishub", **FAR)
    neraca.get("/v1/dinas", headers=headers, **FAR)
    assert looks(neraca) == {
        ("2026-11-24", "kepala", "/v1/dinas/dishub/asn?limit=5", ""): 2,
        ("2026-11-24", "kepala", "/dinas/dishub", ""): 1,
    }


def test_a_person_is_shown_only_once_the_log_has_it(neraca: Assembled) -> None:
    """While it cannot be written, 503; the public's answers are given, and then all is as before."""
    neraca.record(task("t1"))
    headers = {"authorization": neraca.token("kepala", "read")}
    paths = ("/v1/asn/a-1", "/asn/a-1", "/v1/dinas/dishub/asn", "/dinas/dishub")
    assert {neraca.get(path, headers=headers, **FAR).status_code for path in paths} == {200}
    with neraca.log._engine.begin() as db:
        db.execute(text("ALTER TABLE looks RENAME TO gone"))
    for path in paths:
        answer = neraca.get(path, headers=headers, **FAR)
        assert (answer.status_code, problem_of(answer), answer.headers["retry-after"]) == (503, "unavailable", "1")
        assert "a-1" not in answer.text
    assert neraca.get("/v1/dinas", **FAR).status_code == 200
    assert neraca.get("/dinas/dishub", **FAR).status_code == 200
    with neraca.log._engine.begin() as db:
        db.execute(text("ALTER TABLE gone RENAME TO looks"))
    assert {neraca.get(path, headers=headers, **FAR).status_code for path in paths} == {200}


def test_rules_reversals_and_journals_taken_away_are_noted(neraca: Assembled) -> None:
    neraca.record(task("t1"), event("dinas-registered", "n1", {"dinas": "dishub", "name": "Dinas"}))
    neraca.record(event("event-retracted", "x1", {"event": {"source": "/loket", "id": "t1"}, "reason": "salah"}))
    neraca.record(event("dinas-registered", "n1", {"dinas": "dishub", "name": "Dinas"}))
    headers = {"authorization": neraca.token("inspektorat", "audit")}
    assert neraca.get("/auditor/journal.ndjson?until=2", headers=headers, **FAR).status_code == 200
    assert notes(neraca) == [
        Note("rule", "local", "dishub", "neraca.dinas-registered.v1 at 3", "127.0.0.1"),
        Note("reversal", "local", "", "neraca.event-retracted.v1 at 4", "127.0.0.1"),
        Note("taken", "inspektorat", "/auditor/journal.ndjson", "until=2", ELSEWHERE),
    ]


def test_an_export_and_a_token_that_is_replaced_are_noted(
    neraca: Assembled, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Commands are the operator's, at the terminal."""
    neraca.record(task("t1"))
    data = ["--data", str(tmp_path / "data")]
    assert main(["export", "--journal", str(tmp_path / "out.ndjson"), *data]) == 0
    make = ["--role", "counter", "--dinas", "d", "--source", "/loket/1", *data]
    assert main(["token", "make", "loket-1", *make]) == 0
    assert main(["token", "make", "loket-2", "--replaces", "loket-1", *make]) == 0
    assert notes(neraca) == [
        Note("taken", "local", "journal", "up to 2"),
        Note("token-made", "local", "loket-1", "counter dinas=d source=/loket/1"),
        Note("token-made", "local", "loket-2", "counter dinas=d source=/loket/1 replaces=loket-1"),
        Note("token-revoked", "local", "loket-1", "replaced by loket-2"),
    ]
    secrets = [word for word in capsys.readouterr().out.split() if word.startswith("neraca_")]
    assert len(secrets) == 2
    assert not any(secret in str(notes(neraca)) for secret in secrets)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("statement", ["UPDATE security_log SET who = 'x'", "DELETE FROM security_log"])
def test_a_note_is_never_changed(neraca: Assembled, statement: str) -> None:
    neraca.log.note(1, Note("refused"))
    with pytest.raises(DBAPIError, match="never changed"), neraca.log._engine.begin() as db:
        db.execute(text(statement))
    assert notes(neraca) == [Note("refused")]


@pytest.mark.both_databases
def test_both_databases_keep_notes_and_count_looks(places: Places) -> None:
    log = places("data").security_log()
    log.note(5, Note("refused", "t", "w" * 900, "d", "a", 3))
    log.note(7, Note("sign-in", "t"))
    look = Look("2026-11-24", "t", "/asn/{asn}", "a-1", "192.0.2.7")
    for at_us in (1, 2, 3):
        log.look(at_us, look)
    assert [(entry.at_us, entry.note.what, entry.note.count) for entry in log.notes(0)] == [
        (5, "refused", 3),
        (7, "sign-in", 1),
    ]
    assert [entry.note.what for entry in log.notes(6)] == ["sign-in"]
    assert len(next(log.notes(0)).note.whose) == 500
    (row,) = log.looks(0)
    assert (row.look, row.count, row.first_us, row.last_us) == (look, 3, 1, 3)
    assert list(log.looks(4)) == []
    log.close()


def test_the_command_shows_the_log(places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tokens made and ended at the terminal, sessions ended, links made; from a day or an instant on."""
    data = ["--data", str(tmp_path / "data")]
    assert main(["token", "make", "loket-1", "--scope", "fact", "--dinas", "d", "--source", "/loket/1", *data]) == 0
    secret = capsys.readouterr().out.strip()
    assert main(["token", "revoke", "loket-1", *data]) == 0
    assert main(["token", "link", *data]) == 0
    assert main(["token", "sessions", "--end", "loket-1", *data]) == 1
    log = places("data").security_log()
    log.look(10**16, Look("2286-11-20", "kepala", "/asn/{asn}", "a-1", "192.0.2.7"))
    log.close()
    capsys.readouterr()
    assert main(["security", "log", *data]) == 0
    output = capsys.readouterr().out
    rows = [json.loads(line) for line in output.splitlines()]
    assert [(row["what"], row["who"]) for row in rows] == [
        ("token-made", "local"),
        ("token-revoked", "local"),
        ("link-made", "local"),
        ("sessions-ended", "local"),
        ("person-read", "kepala"),
    ]
    assert rows[0]["whose"] == "loket-1"
    assert secret not in output
    for since, count in (("2026-01-01", 5), ("2286-11-20", 1), ("2286-11-20T17:46:40Z", 1), ("2287-01-01", 0)):
        assert main(["security", "log", "--since", since, *data]) == 0
        assert len(capsys.readouterr().out.splitlines()) == count
    assert main(["security", "log", "--since", "kemarin", *data]) == 2


def test_the_metrics_count_the_log(neraca: Assembled) -> None:
    neraca.record(task("t1"))
    neraca.get("/v1/asn/a-1")
    neraca.get("/v1/journal", **FAR)
    metrics = neraca.get("/metrics").text
    assert 'neraca_security_events_total{what="person-read"} 1.0' in metrics
    assert 'neraca_security_events_total{what="refused"} 1.0' in metrics
