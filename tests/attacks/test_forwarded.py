"""Forms of a reader go to the intake under a proof of the session: nobody without the secret records by that way (H7)."""

from __future__ import annotations

import base64
import json
from copy import copy
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from api.app import build
from api.http.doors import Doors
from api.http.tickets import Case
from domain.access.grant import SIGNED_OPERATOR, Grant
from domain.intake.wire import Submission, read_submission
from domain.refusal import Refusal
from neraca.__main__ import main
from projections.forwarding import LASTS_US, PATH, SCHEME, claims_of, outcomes_in
from projections.ports import Accepted, Unavailable
from streams.intake.elsewhere import IntakeElsewhere
from tests.attacks.matrix import OTHER, OWN, SERVICE
from tests.attacks.split import (
    STRANGER,
    Split,
    altered,
    answer_of,
    answering,
    at,
    batch,
    elsewhere_of,
    form_of,
    reader_of,
)
from tests.attacks.test_h2_ratings import CASE, Hall, permit, rating
from tests.pages.counter import tickets_of
from tests.pages.reading import FAR, Page
from tests.serving import Assembled, Listening, event

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture
def split(neraca: Assembled) -> Iterator[Split]:
    neraca.record(permit())
    with Listening(neraca) as listening:
        hall, elsewhere = Hall(neraca), elsewhere_of(neraca, listening.url)
        yield Split(hall, at(hall, reader_of(neraca, elsewhere)), listening, elsewhere)


def test_a_ticket_of_any_process_is_good_at_any_other(split: Split) -> None:
    """One rating in all: a second use is refused, or told the first receipt, wherever it is tried."""
    ticket = split.reader.ticket()
    header = base64.urlsafe_b64encode(json.dumps([*CASE.values(), ticket]).encode()).decode()
    assert split.reader.rate(ticket).status_code == 200
    (entry,) = split.intake.ratings()
    assert (entry["source"], entry["recorded_by"], entry["data"]["overall"]) == ("/nilai/loket", "loket", 4)
    assert split.reader.rate(ticket, overall="1").status_code == 409
    assert split.intake.rate(ticket, overall="1").status_code == 409
    same = {**rating(), "time": entry["time"]}
    again = split.intake.neraca.post(same, headers={"authorization": f"Ticket {header}"}, **FAR)
    assert (again.status_code, again.json()["position"]) == (200, entry["position"])
    assert split.reader.rate(split.intake.ticket(), overall="1").status_code == 409
    assert split.intake.ratings() == [entry]


def test_the_intake_decides_whether_a_case_is_decided(split: Split) -> None:
    """Of a case that is not, a reader gives no ticket; a rating under one that was made before is refused for now."""
    city, case = split.intake.neraca, CASE | {"case": "K-2"}
    token = city.tokens.by_id("loket")
    assert token is not None
    ticket = tickets_of(city).issue(token, Case(**case))
    assert ticket is not None
    answer = split.reader.rate(ticket.text, case="K-2")
    assert (answer.status_code, "belum tercatat selesai" in answer.text) == (409, True)
    headers = {"authorization": split.reader.tokens["loket"]}
    for path in ("/loket/tiket", "/loket/qr.svg"):
        early = split.reader.neraca.get(f"{path}?dinas={OWN}&service={SERVICE}&case=K-2", headers=headers, **FAR)
        assert early.status_code == 409, path
    city.record(permit("K-2"))
    assert split.reader.rate(ticket.text, case="K-2").status_code == 200


def test_without_a_proof_of_this_very_request_nothing_is_recorded(split: Split) -> None:
    body, grant = batch(rating()), split.grant()
    proof, token = split.proof(body, grant), split.intake.tokens["loket"]
    text, _, mac = proof.partition(".")
    secret, now_us = split.intake.neraca.secret, split.intake.neraca.clock()
    forgeries: dict[str, Sequence[str]] = {
        "none": (),
        "a token": (token,),
        "no proof": (f"{SCHEME} x",),
        "an empty one": (SCHEME,),
        "another scheme": (proof.replace(SCHEME, "Bearer"),),
        "another secret": (split.proof(body, grant, secret=STRANGER),),
        "another body": (split.proof(batch(rating(overall=1)), grant),),
        "a changed body": (altered(proof, body="0" * 64),),
        "another session": (altered(proof, token="lain"),),  # noqa: S106 - the id of one
        "another case": (altered(proof, case=(OWN, SERVICE, "K-9")),),
        "another event": (altered(proof, event_id="tiket-x"),),
        "a later instant": (altered(proof, at_us=now_us + 1),),
        "a changed hash": (f"{text}.{mac[:-1]}{'0' if mac[-1] != '0' else '1'}",),
        "a cut hash": (f"{text}.{mac[:32]}",),
        "no hash": (f"{text}.",),
        "sent late": (split.proof(body, grant, late_us=LASTS_US),),
        "of the future": (split.proof(body, grant, late_us=-LASTS_US),),
        "two": (proof, proof),
    }
    answers = {name: split.send(body, *headers).status_code for name, headers in forgeries.items()}
    assert answers == dict.fromkeys(forgeries, 401)
    assert split.send(body, proof, path="/v1/events").status_code == 401, "on another path"
    for method, path in (("PUT", PATH), ("POST", "/v1/events")):
        with pytest.raises(Refusal):
            claims_of(secret, proof.removeprefix(f"{SCHEME} "), method, path, now_us)
    assert split.intake.neraca.get("/v1/journal", headers={"authorization": proof}, **FAR).status_code == 401
    assert split.intake.ratings() == []
    assert split.send(body, proof).status_code == 200, "the same with its own proof is recorded"


def test_a_request_that_is_sent_again_in_time_counts_once(split: Split) -> None:
    """Until its proof has ended; then it is refused."""
    body = batch(rating())
    proof = split.proof(body, split.grant())
    first, again = (outcomes_in(split.send(body, proof).content, 1)[0] for _ in range(2))
    assert isinstance(first, Accepted)
    assert again == replace(first, repeated=True)
    split.intake.neraca.clock.us += LASTS_US - 1
    assert split.send(body, proof).status_code == 200
    split.intake.neraca.clock.us += 1
    assert split.send(body, proof).status_code == 401
    assert len(split.intake.ratings()) == 1


def test_rights_are_looked_up_where_the_event_is_recorded(split: Split) -> None:
    """A token that was revoked, has ended, is unknown or reserved, or may record nothing: a proof of it opens nothing."""
    city, body = split.intake.neraca, batch(rating())
    ticket = split.grant()
    split.intake.make("kunci", "keys")
    split.intake.make("kios", "rate")
    split.intake.make("lain", "counter", dinas=[OTHER], sources=["/loket/2"])
    city.token("usai", "rate", until_us=city.clock())
    roles = frozenset({"rate"})
    for grant in (Grant("kunci", roles), Grant("usai", roles), Grant("tidak-ada", roles), Grant("import", roles)):
        assert split.send(body, split.proof(body, grant)).status_code == 403, grant.id
    for name in ("kios", "lain"):  # they never gave a ticket of this case
        assert split.send(body, split.proof(body, replace(ticket, id=name))).status_code == 403, name
    city.tokens.revoke("loket", "2026-11-24T00:00:00Z")
    assert split.send(body, split.proof(body, ticket)).status_code == 403
    with_nothing = split.elsewhere.submit([read_submission(rating())], ticket)
    assert [getattr(outcome, "slug", "") for outcome in with_nothing] == ["forbidden"]
    assert split.intake.ratings() == []


def test_a_session_records_what_its_token_may(split: Split) -> None:
    """The port answers as the intake itself does, event by event; what was no event before is not sent."""
    token, refusal = split.intake.neraca.tokens.by_id("loket"), Refusal("unknown-type", "x")
    assert token is not None
    fact = read_submission(permit("K-7"))
    facts: list[Submission | Refusal] = [fact, refusal, read_submission(rating(case="K-7")), fact]
    first, second, third, fourth = split.elsewhere.submit(facts, token)
    assert isinstance(first, Accepted)
    assert first.unpromised
    assert second is refusal
    assert isinstance(third, Refusal)
    assert (third.slug, third.detail) == ("forbidden", "the token does not cover this event")
    assert fourth == replace(first, repeated=True, unpromised=False)
    rule = read_submission(event("dinas-registered", "n", {"dinas": OWN, "name": "Dinas"}))
    (outcome,) = split.elsewhere.submit([rule], SIGNED_OPERATOR)
    assert isinstance(outcome, Accepted)
    line = split.intake.neraca.journal.lines_at([outcome.receipt.position])[outcome.receipt.position]
    assert b'"recordedby":"local"' in line
    assert split.elsewhere.submit([refusal], token) == [refusal]


def test_while_the_intake_is_away_a_page_keeps_the_citizens_answers(split: Split) -> None:
    """And once it is back the same form is recorded."""
    ticket, port = split.reader.ticket(), split.listening.port
    split.listening.__exit__()
    answer = split.reader.rate(ticket, overall="2", waktu="3", sarana="4")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "belum dapat dicatat" in answer.text
    form = form_of(answer)
    assert form == {**CASE, "tiket": ticket, "overall": "2", "waktu": "3", "sarana": "4"}
    assert "<details open>" in answer.text, "what was chosen is seen"
    assert split.intake.ratings() == []
    with Listening(split.intake.neraca, port):
        assert split.reader.rate(**{"ticket": form.pop("tiket"), **form}).status_code == 200
    (entry,) = split.intake.ratings()
    assert entry["data"]["unsur"] == {"waktu": 3, "sarana": 4}


def test_an_answer_that_says_nothing_of_the_event_is_none(split: Split) -> None:
    """As of a network's sign-in page, or a line that was cut."""
    grant, submission = split.grant(), read_submission(rating())
    for content in (
        b"",
        b"nothing of HTTP\r\n\r\n",
        answer_of("200 OK", "<html>please sign in</html>"),
        answer_of("200 OK", "[]"),
        answer_of("200 OK", "[{}]"),
        answer_of("200 OK", '[{"accepted":{"position":1}}]'),
        answer_of("302 Found", ""),
        answer_of("403 Forbidden", "<html>a web server on the way</html>"),
        answer_of("403 Forbidden", '{"type":"about:blank","detail":"x"}'),
        answer_of("404 Not Found", '{"detail":"x"}'),
        answer_of("500 Internal Server Error", '{"detail":"x"}'),
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n[{",
    ):
        with answering(content) as url:
            away = elsewhere_of(split.intake.neraca, url)
            with pytest.raises(Unavailable):
                away.submit([submission], grant)
    assert at(split.reader, reader_of(split.intake.neraca, away)).rate(split.reader.ticket()).status_code == 503


def test_processes_without_one_secret_say_so(split: Split, caplog: pytest.LogCaptureFixture) -> None:
    """To the operator: the citizen keeps the answer, as while the intake is away."""
    city = split.intake.neraca
    other = reader_of(city, elsewhere_of(city, split.listening.url, STRANGER), STRANGER)
    reader = at(split.reader, other)
    assert reader.rate(reader.ticket()).status_code == 503
    assert "do both have the same NERACA_SECRET_FILE, and clocks that agree?" in caplog.text
    assert split.reader.rate(reader.ticket()).status_code == 403, "a ticket of another secret"
    assert split.intake.ratings() == []


def test_an_intake_that_takes_a_reader_for_a_web_server_takes_its_forms(split: Split) -> None:
    """As on one machine: both are set NERACA_PROXIES to the address of the city's web server, which is the reader's too."""
    city = split.intake.neraca
    behind = copy(city)
    behind.built = build(replace(city.parts, doors=Doors(proxies=(ip_network("127.0.0.1"),))))
    with Listening(behind) as listening:
        for caller in ("", "203.0.113.9"):
            elsewhere = IntakeElsewhere(listening.url, city.secret, city.clock, lambda caller=caller: caller)  # type: ignore[misc]  # bound at once
            (outcome,) = elsewhere.submit([read_submission(rating())], split.grant())
            assert isinstance(outcome, Accepted), caller


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ftp://intake", "is no address such as http://127.0.0.1:8001"),
        ("intake:8001", "is no address such as http://127.0.0.1:8001"),
        ("http://:8001", "is no address such as http://127.0.0.1:8001"),
        ("http://intake:99999", "is no address such as http://127.0.0.1:8001"),
        ("http://who@intake", "an address without a name and a password is needed"),
        ("http://:rahasia@intake", "an address without a name and a password is needed"),
        ("http://intake?x", "is no address such as http://127.0.0.1:8001"),
        ("http://intake:8001", "needs NERACA_SECRET_FILE"),
    ],
)
def test_an_address_without_an_intake_or_a_secret_is_refused_at_the_start(
    url: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NERACA_SECRET_FILE", raising=False)
    assert main(["api", "--database", "postgresql://nobody@127.0.0.1:1/none", "--intake-url", url]) == 2
    assert sentence in capsys.readouterr().err


def test_where_no_ratings_are_taken_pages_say_so_and_offer_none(split: Split) -> None:
    """Of a process that has neither an intake nor the address of one."""
    reader, headers = at(split.reader, reader_of(split.intake.neraca, None)), split.reader.tokens["loket"]
    words = "Penilaian warga tidak diterima di alamat ini."
    for path, status in ((f"/loket?dinas={OWN}", 200), ("/loket/warga", 404), ("/nilai", 404)):
        answer = reader.neraca.get(path, headers={"authorization": headers}, **FAR)
        assert (answer.status_code, words in answer.text) == (status, True), path
        assert 'id="warga"' not in answer.text, path
        assert 'type="radio" name="overall"' not in answer.text, path
        ways = [link for link in Page(answer.text).links if link.startswith(("/nilai", "/loket/warga"))]
        assert [way for way in ways if not way.startswith(f"{path}?lang=")] == [], path
        here = split.reader.neraca.get(path, headers={"authorization": headers}, **FAR)
        assert words not in here.text, path
    case = f"dinas={OWN}&service={SERVICE}&case=K-1"
    for path in ("/loket/tiket", "/loket/qr.svg"):
        answer = reader.neraca.get(f"{path}?{case}", headers={"authorization": headers}, **FAR)
        assert answer.status_code == 404, path
    answer = reader.rate(split.reader.ticket())
    assert (answer.status_code, words in answer.text) == (404, True)
    assert split.intake.ratings() == []


def test_what_a_form_records_is_counted_where_it_is_recorded(split: Split) -> None:
    """Once: by the intake, whose metrics and security log have all events."""
    assert split.reader.rate(split.reader.ticket()).status_code == 200
    metrics = split.intake.neraca.get("/metrics").text
    assert 'neraca_events_total{outcome="accepted"} 2.0' in metrics
