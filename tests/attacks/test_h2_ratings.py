"""Nobody invents or rewrites a citizen's answer: ratings need a grant or a ticket, and reversals a second person (H2)."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from api.app import build
from domain.clock import DAY_US, utc_text
from tests.api.submissions import problem_of
from tests.attacks.matrix import DECIDED_AT, OTHER, OWN, RECEIVED_AT, SERVICE
from tests.pages.messages import ID
from tests.pages.reading import FAR
from tests.serving import BATCH, FORM, Assembled, event

if TYPE_CHECKING:
    import httpx

    from api.app import Built

SOURCE: Final = "/loket/1"
CASE: Final = {"dinas": OWN, "service": SERVICE, "case": "K-1"}
ANSWER: Final = {"overall": 4, "scale": 4}
MINUTES_15_US: Final = 15 * 60 * 1_000_000


def permit(number: str = "K-1", dinas: str = OWN, **attributes: Any) -> dict[str, Any]:  # noqa: ANN401 - of an event
    data = {**CASE, "dinas": dinas, "case": number, "received_at": RECEIVED_AT, "completed_at": DECIDED_AT}
    return event("permit-processed", f"izin-{number}", data, **{"source": SOURCE, **attributes})


def rating(**data: object) -> dict[str, Any]:
    return event("satisfaction-rated", "nilai", {**CASE, **ANSWER, **data}, source=SOURCE)


class Hall:
    """A city with a counter of one dinas, and callers by their tokens."""

    def __init__(self, neraca: Assembled) -> None:
        self.neraca = neraca
        limits: dict[str, Any] = {"dinas": [OWN], "sources": [SOURCE]}
        self.tokens = {"loket": neraca.token("loket", "counter", **limits)}

    def make(self, token_id: str, *roles: str, **limits: Any) -> None:  # noqa: ANN401 - dinas, sources
        self.tokens[token_id] = self.neraca.token(token_id, *roles, **limits)

    def post(self, caller: str, body: object, media: str = "application/cloudevents+json") -> httpx.Response:
        return self.neraca.post(body, media, headers={"authorization": self.tokens[caller]}, **FAR)

    def reverse(self, caller: str, target: dict[str, Any], under: str = SOURCE) -> httpx.Response:
        name = {"source": target["source"], "id": target["id"]}
        reversal = event(
            "event-retracted", f"batal-{caller}-{self.neraca.clock()}", {"event": name, "reason": "x"}, source=under
        )
        return self.post(caller, reversal)

    def correct(self, caller: str, target: dict[str, Any], event_id: str) -> httpx.Response:
        name = {"source": target["source"], "id": target["id"]}
        data = {"event": name, "reason": "x", "replacement": {**target["data"], "outcome": "rejected"}}
        return self.post(caller, event("event-corrected", event_id, data, source=SOURCE))

    def ticket(self, app: Built | None = None) -> str:
        self.neraca.settle()
        headers = {"authorization": self.tokens["loket"]}
        answer = self.neraca.get(f"/loket/tiket?{urlencode(CASE)}", headers=headers, app=app, **FAR)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()) == {"address", "expires"}
        address: str = answer.json()["address"]
        parts = urlsplit(address)
        assert parts.path == "/nilai"
        assert "tiket" not in parts.query, "no server and no preview is sent the ticket with the address"
        return parse_qs(parts.fragment)["tiket"][0]

    def rate(self, ticket: str, **fields: str) -> httpx.Response:
        content = urlencode({**CASE, "tiket": ticket, "overall": "4", **fields}).encode()
        return self.neraca.ask("POST", "/nilai", content=content, headers=FORM, **FAR)

    def ratings(self) -> list[dict[str, Any]]:
        self.neraca.settle()
        items: list[dict[str, Any]] = self.neraca.get("/v1/journal?type=neraca.satisfaction-rated.v1").json()["items"]
        return items


@pytest.fixture
def hall(neraca: Assembled) -> Hall:
    neraca.record(permit())
    return Hall(neraca)


def test_a_counter_records_no_rating(hall: Hall) -> None:
    assert (hall.post("loket", rating()).status_code, hall.ratings()) == (403, [])
    hall.make("kios", "rate", dinas=[OWN])
    assert hall.post("kios", rating()).status_code == 201


def test_a_case_is_rated_once_it_is_decided(hall: Hall) -> None:
    """Until then its rating is refused for now; a decision before it in the same request counts."""
    early = hall.neraca.post(rating(case="K-2"))
    assert (early.status_code, problem_of(early), early.json()["retry"]) == (409, "not-decided", True)
    both = hall.neraca.post([permit("K-3"), {**rating(case="K-3"), "id": "n-3"}], BATCH).json()
    assert (both["accepted"], both["rejected"]) == (2, [])
    other = hall.neraca.post([{**rating(case="K-4"), "id": "n-4"}, permit("K-4")], BATCH).json()
    assert [rejection["problem"]["type"] for rejection in other["rejected"]] == ["urn:neraca:problem:not-decided"]
    assert (
        hall.neraca.post(event("satisfaction-rated", "s", {"dinas": OWN, "survey": "S-1", **ANSWER})).status_code == 201
    )


def test_a_ticket_is_good_for_one_rating(hall: Hall) -> None:
    """Of its case, under a name of its own; a second use is refused, also once the rating was reversed."""
    ticket = hall.ticket()
    assert hall.rate(ticket).status_code == 200
    (entry,) = hall.ratings()
    assert (entry["source"], entry["recorded_by"]) == ("/nilai/loket", "loket")
    assert ticket not in json.dumps(entry)
    assert hall.rate(ticket, overall="1").status_code == 409
    assert hall.rate(hall.ticket(), overall="1").status_code == 409
    hall.make("kota", "correct")
    assert hall.reverse("kota", entry, "/koreksi").status_code == 201
    hall.neraca.clock.us += 1
    assert hall.rate(ticket, overall="1").status_code == 409
    assert len(hall.ratings()) == 1


def test_a_ticket_ends(hall: Hall) -> None:
    ticket = hall.ticket()
    hall.neraca.clock.us += 7 * 24 * 4 * MINUTES_15_US
    assert hall.rate(ticket).status_code == 403
    fresh = hall.ticket()
    hall.neraca.tokens.revoke("loket", utc_text(hall.neraca.clock()))
    assert (hall.rate(fresh).status_code, hall.ratings()) == (403, [])


def test_no_other_ticket_is_taken(hall: Hall) -> None:
    """None with a letter changed, a later end, another token's name, or for another case; nor one of another secret."""
    hall.make("lain", "counter", dinas=[OWN], sources=["/loket/2"])
    hall.neraca.record(permit("K-2"))
    ticket = hall.ticket()
    mac, end, name = ticket.split("-", 2)
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    others = [letters[(letters.index(letter) + 1) % 32] for letter in mac]
    forgeries = [f"{mac[:at]}{other}{mac[at + 1 :]}-{end}-{name}" for at, other in enumerate(others)]
    forgeries += [
        f"{mac}-{end[:-1]}{letters[letters.index(end[-1]) - 1]}-{name}",
        f"{mac}-{end}-lain",
        "",
        "x",
        f"-{end}-{name}",
    ]
    forgeries.append(hall.ticket(build(replace(hall.neraca.parts, secret=b"o" * 32))))
    assert {hall.rate(forgery).status_code for forgery in forgeries} == {403}
    assert hall.rate(ticket, case="K-2").status_code == 403
    assert hall.rate(ticket.lower().replace("0", "o")).status_code == 200, "as a person types it"


def test_a_ticket_can_do_nothing_else(hall: Hall) -> None:
    """In a header it records the rating of its case under its own name; no page, list or other event opens by it."""
    text = json.dumps([*CASE.values(), hall.ticket()]).encode()
    headers = {"authorization": f"Ticket {base64.urlsafe_b64encode(text).decode().rstrip('=')}"}
    for body in (
        permit("K-9"),
        rating(case="K-2"),
        rating(dinas=OTHER),
        event("dinas-registered", "n", {"dinas": OWN, "name": "X"}),
    ):
        assert hall.neraca.post(body, headers=headers, **FAR).status_code == 403
    for path in (f"/v1/dinas/{OWN}/files", "/v1/asn/a-1", "/v1/journal", f"/loket/tiket?{urlencode(CASE)}"):
        assert hall.neraca.get(path, headers=headers, **FAR).status_code == 403
    first = hall.neraca.post(rating(), headers=headers, **FAR)
    again = hall.neraca.post(rating(), headers=headers, **FAR)
    assert (first.status_code, again.status_code, first.json()) == (201, 200, again.json())
    assert [entry["source"] for entry in hall.ratings()] == ["/nilai/loket"]
    assert hall.neraca.post(rating(), headers={"authorization": "Ticket x"}, **FAR).status_code == 403


def test_a_rating_is_reversed_by_a_grant_of_the_whole_city_alone(hall: Hall) -> None:
    hall.rate(hall.ticket())
    (entry,) = hall.ratings()
    hall.make("kios", "rate")
    hall.make("unit", "correct", dinas=[OWN])
    hall.make("kota", "correct")
    for caller in ("loket", "kios", "unit"):
        assert hall.reverse(caller, entry).status_code == 403, caller
    assert hall.reverse("kota", entry).status_code == 201


def test_a_token_undoes_its_own_press_for_a_while(hall: Hall) -> None:
    fact = permit("K-5")
    assert hall.post("loket", fact).status_code == 201
    hall.neraca.clock.us += MINUTES_15_US
    assert problem_of(hall.reverse("loket", fact)) == "forbidden"
    hall.neraca.clock.us -= 1
    assert hall.reverse("loket", fact).status_code == 201


def test_later_a_second_person_has_to(hall: Hall) -> None:
    """Neither the one who recorded the fact nor the one who corrected it since; both may not wash their hands in turns."""
    for token_id in ("kepala", "wakil"):
        hall.make(token_id, "correct", dinas=[OWN])
    hall.make("petugas", "counter", "correct", dinas=[OWN], sources=["/loket/7"])
    fact = permit("K-6", source="/loket/7")
    assert hall.post("petugas", fact).status_code == 201
    hall.neraca.clock.us += MINUTES_15_US
    assert problem_of(hall.reverse("petugas", fact, "/loket/7")) == "second-person"
    assert hall.correct("kepala", fact, "koreksi-1").status_code == 201
    correction = {"source": SOURCE, "id": "koreksi-1"}
    again = {"event": correction, "reason": "x", "replacement": fact["data"]}
    assert hall.post("kepala", event("event-corrected", "koreksi-2", again)).status_code == 201, (
        "what was pressed just now"
    )
    correction = {"source": "/loket", "id": "koreksi-2"}
    assert problem_of(hall.reverse("petugas", correction, "/loket/7")) == "second-person"
    hall.neraca.clock.us += MINUTES_15_US
    assert problem_of(hall.reverse("kepala", correction)) == "second-person"
    assert hall.reverse("wakil", correction).status_code == 201


def test_who_has_nobody_beside_is_exempt(hall: Hall) -> None:
    fact = permit("K-7")
    hall.neraca.record(fact)
    hall.neraca.clock.us += MINUTES_15_US
    reversal = event("event-retracted", "b", {"event": {"source": SOURCE, "id": fact["id"]}, "reason": "x"})
    assert hall.neraca.post(reversal).status_code == 201


def test_a_refusal_is_the_same_for_what_is_unknown_foreign_or_reversed_there(hall: Hall) -> None:
    """Of another dinas nothing is told, not even whether an event or its reversal is there."""
    hall.make("unit", "correct", dinas=[OWN])
    first, there = permit("K-8", OTHER), permit("K-9", OTHER)
    hall.neraca.record(first, there)
    content = {"event": {"source": SOURCE, "id": first["id"]}, "reason": "x"}
    hall.neraca.record(event("event-retracted", "b", content))
    unknown = {"source": SOURCE, "id": "tidak-ada"}
    answers = [hall.reverse("unit", target) for target in (first, there, unknown)]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    copy = hall.post("unit", event("event-retracted", "b", content))
    assert (copy.status_code, copy.text) == (403, answers[0].text), "the receipt of another's reversal"


def test_a_source_holds_against_the_reversed_event(hall: Hall) -> None:
    hall.make("meja", "correct", dinas=[OWN], sources=["/loket/2"])
    assert hall.reverse("meja", permit(), "/loket/2").status_code == 403
    mine = permit("K-10", source="/loket/2")
    hall.neraca.record(mine)
    assert hall.reverse("meja", mine, "/loket/2").status_code == 201


def test_a_conflict_does_not_name_who_holds_a_rating(hall: Hall) -> None:
    hall.rate(hall.ticket())
    hall.make("kios", "rate", dinas=[OWN])
    answer = hall.post("kios", rating())
    assert (answer.status_code, problem_of(answer), "holder" in answer.json()) == (409, "natural-key-held", False)


def test_the_page_of_a_dinas_counts_what_was_reversed(hall: Hall) -> None:
    """Facts at once, ratings as of the last midnight; those that a caller reversed with nobody beside stand apart."""
    hall.make("kota", "correct")
    mine, local = permit("K-11"), permit("K-12")
    hall.neraca.record(mine, local, *(permit(f"K-{number}") for number in range(20, 30)))
    hall.rate(hall.ticket())
    (entry,) = hall.ratings()
    assert hall.reverse("kota", mine).status_code == 201
    assert hall.reverse("kota", entry, "/koreksi").status_code == 201
    name = {"source": SOURCE, "id": local["id"]}
    hall.neraca.record(event("event-retracted", "b", {"event": name, "reason": "x"}))

    def words() -> str:
        hall.neraca.settle()
        return hall.neraca.get(f"/dinas/{OWN}?period=2026-11", **FAR).text

    alone = ID("subject.reversed_alone", facts=1, ratings=0)
    assert f"{ID('subject.reversed', facts=2, ratings=0)} {alone}" in words()
    hall.neraca.clock.us += DAY_US
    assert f"{ID('subject.reversed', facts=2, ratings=1)} {alone}" in words()
