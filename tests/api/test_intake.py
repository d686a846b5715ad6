"""The intake accepts events: receipts, tallies, media types, the strict policy."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.api.submissions import BAD, NAME, PAUSE, RECEIPT, STANDARD, TASK, problem_of, task
from tests.conftest import Assemble
from tests.serving import BATCH, NDJSON, Assembled, Clock, event, ndjson


@pytest.mark.parametrize(
    "again",
    [
        {},
        {"time": "2026-11-24T04:00:00Z"},
        {"time": "2026-11-24T04:00:00.000000+00:00"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
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


def test_listed_extension_attributes_are_kept(tmp_path: Path) -> None:
    """Attributes that a gateway adds, and that the city lists, are stored beside the event, with their types."""
    with Assembled(tmp_path / "data", extensions={"traceid", "hops", "live"}) as neraca:
        neraca.record({**task("t1"), "traceid": "0a", "hops": 2**31 - 1, "live": True, "subject": "antrean"})
        line = neraca.journal.lines(1, 1)[0][1]
    for attribute in (b'"traceid":"0a"', b'"hops":2147483647', b'"live":true', b'"subject":"antrean"'):
        assert attribute in line


STRICT: Final = (
    ("task of both unknown", task("t1"), ("/data/dinas", "/data/asn")),
    (
        "receipt of unknown dinas and service",
        event("permit-received", "r1", RECEIPT),
        ("/data/dinas", "/data/service"),
    ),
    (
        "pause of unknown dinas and service",
        event("permit-paused", "z1", {**PAUSE, "at": "2026-11-20T09:00:00+07:00", "reason": "payment"}),
        ("/data/dinas", "/data/service"),
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


@pytest.mark.parametrize(
    ("more", "pointers"), [({}, []), ({"dinas": RECEIPT["dinas"]}, []), ({"dinas": "other"}, ["/data/service"])]
)
def test_strict_knows_a_service_by_its_standard(assemble: Assemble, more: dict[str, str], pointers: list[str]) -> None:
    """A standard for all dinas names it for each of them."""
    strict = assemble(strict=True)
    rules = [event("dinas-registered", "n1", {**NAME, "dinas": RECEIPT["dinas"]})]
    rules.append(event("standard-set", "s1", {**STANDARD, "service": RECEIPT["service"], **more}))
    tally = strict.post([*rules, event("permit-received", "r1", RECEIPT)], BATCH).json()
    assert [fault["pointer"] for row in tally["rejected"] for fault in row["problem"]["errors"]] == pointers
    assert all(row["problem"]["retry"] for row in tally["rejected"])


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
