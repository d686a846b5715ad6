"""The intake accepts events and checks their senders: receipts, tallies, tokens and scopes, the strict policy."""

from typing import Any, Final, NamedTuple

import httpx
import pytest

from tests.conftest import Assemble
from tests.serving import BATCH, NDJSON, Assembled, Clock, event, ndjson

TASK: Final = {"dinas": "dishub", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-20T10:00:00+07:00"}
RECEIPT: Final = {"dinas": "dishub", "service": "uji-kir", "case": "K-1", "received_at": "2026-11-20T08:00:00+07:00"}
STANDARD: Final = {"service": "uji-kir", "amount": 24, "unit": "wall_hours", "effective_from": "2026-01-01"}
NAME: Final = {"dinas": "dishub", "name": "Dinas Perhubungan"}


def task(event_id: str, **data: object) -> dict[str, Any]:
    """A finished task under an id of its own."""
    return event("task-completed", event_id, {**TASK, "task": event_id, **data})


BAD: Final = task("bad", asn="a/b")
PAUSE: Final = {"dinas": "dishub", "service": "uji-kir", "case": "K-1"}


def problem_of(response: httpx.Response) -> str:
    """The last word of a problem's type."""
    return str(response.json()["type"]).rpartition(":")[2]


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"time": "2026-11-24T04:00:00Z"},
        {"time": "2026-11-24T04:00:00.000000+00:00"},
        {"gateway": "another"},
        {"datacontenttype": "application/json"},
        {"subject": None},
    ],
    ids=repr,
)
def test_a_repeat_is_answered_with_the_first_receipt(neraca: Assembled, clock: Clock, again: dict[str, object]) -> None:
    """One event is recorded once: 201, then 200 and the same receipt, for any gateway and spelling of time."""
    first = neraca.post(task("t1"))
    clock.set("2026-11-24T18:00:00+07:00")
    second = neraca.post({**task("t1"), **again})
    assert (first.status_code, second.status_code) == (201, 200)
    receipt = {
        "position": 2,
        "event": {"source": "/loket", "id": "t1"},
        "recorded_at": "2026-11-24T05:00:00.000000Z",
    }
    assert first.json() == second.json() == receipt
    assert neraca.journal.head() == 2


def test_positions_are_consecutive_and_sources_are_apart(neraca: Assembled) -> None:
    """The event's name is source and id together; receipts count up by one."""
    same_id = [task("t1"), {**task("t1"), "source": "/loket/2"}, {**task("t1"), "source": "/Loket"}]
    assert neraca.record(*same_id) == [2, 3, 4]


class Many(NamedTuple):
    """Events of one request, and what becomes of them."""

    name: str
    events: tuple[dict[str, Any], ...]
    accepted: int
    duplicates: int
    rejected: tuple[tuple[int, str], ...] = ()


MANY: Final = (
    Many("nothing", (), 0, 0),
    Many("one", (task("t1"),), 1, 0),
    Many("a repeat inside", (task("t1"), task("t2"), task("t1")), 2, 1),
    Many("good beside bad", (BAD, task("t1"), BAD, task("t2")), 2, 0, ((0, "invalid-event"), (2, "invalid-event"))),
    Many("other content inside", (task("t1"), task("t1", asn="a-2")), 1, 0, ((1, "content-conflict"),)),
    Many(
        "a held key inside",
        (event("permit-received", "r1", RECEIPT), event("permit-received", "r2", RECEIPT)),
        1,
        0,
        ((1, "natural-key-held"),),
    ),
    Many(
        "a case in order",
        (
            event("standard-set", "s1", STANDARD),
            event("permit-received", "r1", RECEIPT),
            event("permit-paused", "z1", {**PAUSE, "at": "2026-11-20T09:00:00+07:00", "reason": "payment"}),
            event("permit-resumed", "y1", {**PAUSE, "at": "2026-11-20T10:00:00+07:00"}),
            event("permit-processed", "p1", {**PAUSE, "completed_at": "2026-11-20T11:00:00+07:00"}),
            event("event-retracted", "x1", {"event": {"source": "/loket", "id": "p1"}, "reason": "typo"}),
            event("permit-processed", "p2", {**PAUSE, "completed_at": "2026-11-20T12:00:00+07:00"}),
        ),
        7,
        0,
    ),
    Many(
        "all kinds of bad",
        (event("period-closed", "c1", {}), event("lost", "l1", {}), {}),
        0,
        0,
        ((0, "unknown-type"), (1, "unknown-type"), (2, "invalid-event")),
    ),
)


@pytest.mark.parametrize("media", [BATCH, NDJSON])
@pytest.mark.parametrize("row", MANY, ids=lambda row: row.name)
def test_many_are_tallied_and_what_is_good_is_kept(neraca: Assembled, row: Many, media: str) -> None:
    """A tally counts each event once, rejections name their index from 0, and a second sending is all duplicates."""
    body = ndjson(row.events) if media == NDJSON else list(row.events)
    response = neraca.post(body, media)
    assert response.status_code == 200
    tally = response.json()
    rejections = [
        (rejection["index"], rejection["problem"]["type"].rpartition(":")[2]) for rejection in tally["rejected"]
    ]
    assert (tally["accepted"], tally["duplicates"], tuple(rejections)) == (row.accepted, row.duplicates, row.rejected)
    assert neraca.journal.head() == 1 + row.accepted
    again = neraca.post(body, media).json()
    assert (again["accepted"], again["duplicates"]) == (0, row.accepted + row.duplicates)
    assert [rejection["index"] for rejection in again["rejected"]] == [index for index, _ in row.rejected]
    assert neraca.journal.head() == 1 + row.accepted


def test_whoever_prefers_it_is_told_the_receipt_of_each(neraca: Assembled) -> None:
    """By index, as each alone is answered; of a repeat the first, of a rejected one none; unasked, nobody is."""
    good, bad = task("1"), {**task("2"), "type": "neraca.nothing.v1"}
    alone = neraca.post(good).json()
    batch = [bad, good, task("3"), good]
    assert "receipts" not in neraca.post([bad, good], BATCH).json()
    for media, body in ((BATCH, batch), (NDJSON, ndjson(batch))):
        answer = neraca.post(body, media, headers={"prefer": "return=representation"}).json()
        assert [receipt and receipt["event"]["id"] for receipt in answer["receipts"]] == [None, "1", "3", "1"]
        assert (answer["receipts"][1], answer["receipts"][3]) == (alone, alone)
        assert answer["receipts"][2]["position"] == neraca.journal.head()


def test_a_line_that_is_no_json_is_rejected_at_its_index(neraca: Assembled) -> None:
    """A bad line spoils no other line, an empty line is no line, and CRLF ends a line as LF does."""
    body = ndjson([task("t1"), b"{", b"", b"  ", b"\xff", task("t2"), b'{"a":NaN}']).replace(b"\n", b"\r\n") + b"\r\n"
    tally = neraca.post(body, NDJSON).json()
    assert tally["accepted"] == 2
    assert [(rejection["index"], rejection["problem"]["status"]) for rejection in tally["rejected"]] == [
        (1, 400),
        (2, 400),
        (4, 400),
    ]


def test_ten_thousand_events_are_one_request(neraca: Assembled) -> None:
    """The limit of 10,000 events is the last number that is taken."""
    body = ndjson([task("t1"), *[b"{}"] * 9_999])
    tally = neraca.post(body, NDJSON).json()
    assert (tally["accepted"], len(tally["rejected"])) == (1, 9_999)


@pytest.mark.parametrize(
    "media",
    [
        "application/cloudevents+json",
        "Application/CloudEvents+JSON",
        "application/cloudevents+json; charset=utf-8",
        'application/cloudevents+json;charset="UTF-8"',
    ],
)
def test_a_media_type_is_read_without_case_or_charset(neraca: Assembled, media: str) -> None:
    """UTF-8 may be named, in any letter case."""
    assert neraca.post(task("t1"), media).status_code == 201


def test_binary_mode_carries_attributes_in_headers(neraca: Assembled) -> None:
    """An event in binary mode is the same event as in structured mode: percent-encoded UTF-8 in `ce-` headers."""
    whole = event("task-completed", "résumé 1", TASK, source="/loket/Ciputat 2")
    headers = {
        "ce-specversion": "1.0",
        "ce-type": whole["type"],
        "ce-source": "/loket/Ciputat%202",
        "ce-id": "r%C3%A9sum%C3%A9%201",
        "ce-time": whole["time"],
    }
    first = neraca.post(TASK, "application/json", headers=headers)
    assert (first.status_code, first.json()["event"]) == (201, {"source": "/loket/Ciputat 2", "id": "résumé 1"})
    assert neraca.post(whole).status_code == 200


def test_extension_attributes_are_kept(neraca: Assembled) -> None:
    """Attributes that a gateway adds are stored beside the event, with their types."""
    neraca.record({**task("t1"), "traceid": "0a", "hops": 3, "live": True, "subject": "antrean"})
    line = neraca.journal.lines(1, 1)[0][1]
    for attribute in (b'"traceid":"0a"', b'"hops":3', b'"live":true', b'"subject":"antrean"'):
        assert attribute in line


FOREIGN: Final[dict[str, dict[str, Any]]] = {
    "another address": {"caller": "192.0.2.7"},
    "another address, loopback host": {"caller": "2001:db8::7", "host": "localhost"},
    "through a proxy": {"headers": {"x-forwarded-for": "192.0.2.7"}},
    "through a proxy that names its host": {"headers": {"x-forwarded-host": "neraca.example"}},
    "through a network in front": {"headers": {"cf-connecting-ip": "192.0.2.7"}},
    "through a proxy, RFC 7239": {"headers": {"forwarded": "for=192.0.2.7"}},
    "by another name": {"host": "neraca.example"},
    "by a name that begins as loopback": {"host": "127.0.0.1.evil.example"},
    "by a name that cannot be read": {"headers": {"host": "evil.example:99999"}},
    "by no name of the web": {"headers": {"host": "[evil"}},
}
GUARDED: Final = (
    "/v1/asn/a-1",
    "/v1/asn/a-1/why",
    "/v1/dinas/dishub/why",
    "/v1/dinas/dishub/asn",
    "/v1/rankings/asn?dinas=dishub",
)
OPEN: Final = (
    "/v1/dinas",
    "/v1/dinas/dishub",
    "/v1/rankings/dinas",
    "/v1/digest",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
)


@pytest.mark.parametrize("origin", FOREIGN.values(), ids=FOREIGN)
def test_beyond_the_machine_a_token_is_needed(neraca: Assembled, origin: dict[str, Any]) -> None:
    """A call that is not from the machine to itself needs a token for intake and one ASN's data, for nothing else."""
    neraca.record(task("t1"))
    responses = [neraca.post(task("t2"), **origin), *(neraca.get(path, **origin) for path in GUARDED)]
    assert {(response.status_code, problem_of(response)) for response in responses} == {(401, "unauthorized")}
    assert all(response.headers["www-authenticate"].startswith("Bearer") for response in responses)
    assert neraca.journal.head() == 2
    assert {neraca.get(path, **origin).status_code for path in OPEN} == {200}


@pytest.mark.parametrize(
    "origin",
    [
        {},
        {"host": "localhost"},
        {"host": "localhost:8000"},
        {"caller": "::1", "host": "[::1]:8000"},
        {"caller": "127.8.8.8", "host": "127.0.0.1:80"},
    ],
    ids=repr,
)
def test_the_operator_at_the_machine_needs_no_token(neraca: Assembled, origin: dict[str, Any]) -> None:
    """A call on loopback to a loopback name is the operator's."""
    neraca.record(task("t1"))
    assert neraca.post(task("t2"), **origin).status_code == 201
    assert {neraca.get(path, **origin).status_code for path in GUARDED} == {200}


@pytest.mark.parametrize("authorization", ["Bearer neraca_wrong", "Bearer", "", "Basic bmVyYWNh", "bearer  "])
@pytest.mark.parametrize("origin", [{}, {"caller": "192.0.2.7"}], ids=["here", "beyond"])
def test_a_token_that_is_not_known_is_refused_everywhere(
    neraca: Assembled, authorization: str, origin: dict[str, Any]
) -> None:
    """A request with a wrong token gets 401, even from the machine itself."""
    headers = {"authorization": authorization}
    assert neraca.post(task("t1"), headers=headers, **origin).status_code == 401
    assert neraca.get("/v1/asn/a-1", headers=headers, **origin).status_code == 401


class Allowed(NamedTuple):
    """A token, an event, and the status it gets."""

    name: str
    scopes: tuple[str, ...]
    event: dict[str, Any]
    status: int
    dinas: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None


RETRACTION: Final = event("event-retracted", "x1", {"event": {"source": "/loket", "id": "before"}, "reason": "typo"})
RULE: Final = event("dinas-registered", "n1", NAME)
ALLOWED: Final = (
    Allowed("fact", ("fact",), task("t1"), 201),
    Allowed("fact, of a rule", ("fact",), RULE, 403),
    Allowed("fact, of a reversal", ("fact",), RETRACTION, 403),
    Allowed("rulebook", ("rulebook",), RULE, 201),
    Allowed("rulebook, of a fact", ("rulebook",), task("t1"), 403),
    Allowed("reverse", ("reverse",), RETRACTION, 201),
    Allowed("reverse, of a fact", ("reverse",), task("t1"), 403),
    Allowed("read", ("read",), task("t1"), 403),
    Allowed("several", ("read", "fact", "rulebook"), RULE, 201),
    Allowed("its dinas", ("fact",), task("t1"), 201, dinas=("dishub", "dinkes")),
    Allowed("another dinas", ("fact",), task("t1"), 403, dinas=("dinkes",)),
    Allowed("a dinas in other letters", ("fact",), task("t1"), 403, dinas=("Dishub",)),
    Allowed("its source", ("fact",), task("t1"), 201, sources=("/loket",)),
    Allowed("another source", ("fact",), task("t1"), 403, sources=("/loket/2",)),
    Allowed(
        "a pause of another dinas",
        ("fact",),
        event("permit-paused", "z1", {**PAUSE, "at": "2026-11-20T09:00:00+07:00", "reason": "payment"}),
        403,
        dinas=("dinkes",),
    ),
    Allowed("reversal in its dinas", ("reverse",), RETRACTION, 201, dinas=("dishub",)),
    Allowed("reversal in another dinas", ("reverse",), RETRACTION, 403, dinas=("dinkes",)),
    Allowed("reversal from another source", ("reverse",), RETRACTION, 403, sources=("/loket/2",)),
)


@pytest.mark.parametrize("row", ALLOWED, ids=lambda row: row.name)
def test_a_token_covers_its_scopes_dinas_and_sources(neraca: Assembled, row: Allowed) -> None:
    """A token speaks for its scopes; facts and reversals only of its dinas, from its sources; in a batch as alone."""
    neraca.record(task("before"))
    headers = {"authorization": neraca.token("loket-2", *row.scopes, dinas=row.dinas, sources=row.sources)}
    response = neraca.post(row.event, headers=headers, caller="192.0.2.7")
    assert response.status_code == row.status, response.text
    assert neraca.journal.head() == (3 if row.status == 201 else 2)
    if row.status == 201:
        assert b'"recordedby":"loket-2"' in neraca.journal.lines(2, 1)[0][1]
        return
    assert problem_of(response) == "forbidden"
    many = neraca.post([row.event], BATCH, headers=headers, caller="192.0.2.7")
    if many.status_code == 200:
        assert [rejection["problem"]["status"] for rejection in many.json()["rejected"]] == [403]
    else:
        assert many.status_code == 403
    assert neraca.journal.head() == 2


def test_a_correction_may_not_be_used_to_look_into_another_dinas(neraca: Assembled) -> None:
    """A token of one dinas may not replace another's fact, even if the replacement names another dinas."""
    neraca.record(task("before"))
    headers = {"authorization": neraca.token("loket-2", "reverse", "fact", dinas=("dinkes",))}
    for dinas in ("dinkes", "dishub"):
        replacement = {
            "event": {"source": "/loket", "id": "before"},
            "reason": "typo",
            "replacement": {**TASK, "dinas": dinas},
        }
        assert neraca.post(event("event-corrected", f"k-{dinas}", replacement), headers=headers).status_code == 403
    assert neraca.journal.head() == 2


def test_reads_of_one_asn_need_scope_read(neraca: Assembled) -> None:
    """A token without scope `read` reads what anyone reads, and a revoked one nothing."""
    neraca.record(task("t1"))
    reading, telling = neraca.token("pembaca", "read"), neraca.token("loket", "fact")
    for token, status in ((reading, 200), (telling, 403)):
        headers = {"authorization": token}
        assert {neraca.get(path, headers=headers, caller="192.0.2.7").status_code for path in GUARDED} == {status}
    assert neraca.tokens.revoke("pembaca", "2026-11-24T05:00:00Z")
    assert neraca.get("/v1/asn/a-1", headers={"authorization": reading}, caller="192.0.2.7").status_code == 401


STRICT: Final = (
    ("task of both unknown", task("t1"), ("/data/dinas", "/data/asn")),
    ("receipt of unknown dinas", event("permit-received", "r1", RECEIPT), ("/data/dinas",)),
    (
        "pause of unknown dinas",
        event("permit-paused", "z1", {**PAUSE, "at": "2026-11-20T09:00:00+07:00", "reason": "payment"}),
        ("/data/dinas",),
    ),
)


@pytest.mark.parametrize(("name", "unknown", "pointers"), STRICT, ids=[row[0] for row in STRICT])
def test_strict_refuses_the_unknown_and_open_flags_it(
    assemble: Assemble, name: str, unknown: dict[str, Any], pointers: tuple[str, ...]
) -> None:
    """Under `strict` an unregistered dinas or ASN is 422 with its pointer; under `open` it is recorded and flagged."""
    strict, free = assemble("strict", strict=True), assemble("open")
    response = strict.post(unknown)
    assert (response.status_code, problem_of(response)) == (422, "invalid-event"), name
    assert tuple(fault["pointer"] for fault in response.json()["errors"]) == pointers
    assert strict.journal.head() == 1
    if "paused" in unknown["type"]:
        return
    free.record(unknown)
    line = free.journal.lines(1, 1)[0][1]
    assert b'"unknown_dinas"' in line
    assert (b'"unknown_asn"' in line) == ("/data/asn" in pointers)


def test_strict_takes_what_was_registered_a_line_before(assemble: Assemble) -> None:
    """Registrations hold from the next event of the same request on."""
    strict = assemble(strict=True)
    registrations = [event("dinas-registered", "n1", NAME), event("asn-registered", "n2", {"asn": "a-1"})]
    tally = strict.post([task("early"), *registrations, task("t1")], BATCH).json()
    assert (tally["accepted"], [rejection["index"] for rejection in tally["rejected"]]) == (3, [0])
    assert b"flags" not in strict.journal.lines(3, 1)[0][1]
    correction = {"event": {"source": "/loket", "id": "t1"}, "reason": "typo", "replacement": {**TASK, "asn": "a-9"}}
    response = strict.post(event("event-corrected", "k1", correction))
    assert [fault["pointer"] for fault in response.json()["errors"]] == ["/data/replacement/asn"]
