"""Intake from Kafka: the same validation and idempotency as over HTTP, and nothing lost or doubled when it is killed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from api.http.problems import problem
from local.local_kafka import LocalKafka
from streams.intake.kafka import PARKED_S, KafkaIntake
from streams.intake.parking import ParkedInDatabase
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.kafka.settings import KafkaSettings
from streams.places.database import Database
from tests.kafka.serving import Scaled
from tests.kafka.topics import Headers, Topics
from tests.serving import EVENT, ZONE, Clock, event, ndjson, until

INTAKE: Final = "neraca.intake"
REFUSED: Final = "neraca.refused"
KEY: Final = b"disdukcapil"
STRUCTURED: Final[Headers] = [("content-type", EVENT.encode())]
DECISION: Final = {
    "dinas": "disdukcapil",
    "service": "ktp-el",
    "case": "K-1",
    "received_at": "2026-11-24T08:00:00+07:00",
    "completed_at": "2026-11-24T10:00:00+07:00",
}


def task(name: str, **data: object) -> dict[str, Any]:
    fields = {"dinas": "disdukcapil", "asn": "a-1", "task": name, "completed_at": "2026-11-24T10:00:00+07:00"}
    return event("task-completed", name, {**fields, **data})


def retracted(name: str, target: str, reason: str = "mistake") -> dict[str, Any]:
    return event("event-retracted", name, {"event": {"source": "/loket", "id": target}, "reason": reason})


def produced(topics: Topics, *events: object) -> None:
    """Events in JSON, in order, as one counter produces them."""
    topics.produce(INTAKE, [(KEY, ndjson([submission]), STRUCTURED) for submission in events], partition=0)


def refused(topics: Topics, number: int) -> list[Any]:
    """The refusals, once there are so many."""

    def read() -> list[Any] | None:
        records = topics.read(REFUSED)
        return records if len(records) >= number else None

    return until(read, f"{number} refusals")


def problem_of(record: Any) -> dict[str, Any]:  # noqa: ANN401 - a record of an untyped client
    """The problem that a refused record carries."""
    problem: dict[str, Any] = msgspec.json.decode(dict(record.headers)["problem"])
    return problem


BAD: Final = [
    b"{",
    b"",
    b"[]",
    b'{"id": NaN}',
    b'{"id": 1, "id": 1}',
    b"\xff",
    b"null",
    b"[" * 50 + b"]" * 50,
    event("task-finished", "b1", {}),
    event("period-closed", "b2", {}),
    {**task("b3"), "type": "neraca.task-completed.v2"},
    {**task("b4"), "time": "2999-01-01T00:00:00+07:00"},
    {**task("b5"), "time": "2026-11-24T11:00:00"},
    task("b6", asn="198501012010011001"),
    task("b7", extra=1),
    {**task("b8"), "data": {"dinas": "disdukcapil"}},
    {**task("b9"), "recordedby": "me"},
    task("t1", task="another"),
    event("permit-processed", "b10", DECISION),
    retracted("b11", "t2"),
    retracted("b12", "m1"),
]
"""Each is wrong in its own way; the last four only conflict with earlier entries."""


def test_what_is_wrong_is_refused_as_over_http(cluster: Scaled, topics: Topics) -> None:
    """Good events are recorded once, repeats included; each refusal has its problem, and the record as it was produced."""
    topics.make(INTAKE)
    good = [task("t1"), task("t2"), event("permit-processed", "d1", DECISION), retracted("m1", "t2"), task("t1")]
    produced(topics, *good, *BAD)
    rule = event("dinas-registered", "r1", {"dinas": "disdukcapil", "name": "Dinas"})
    binary: Headers = [("ce_id", b"b"), ("ce_source", b"\xff"), ("content-type", b"application/json")]
    topics.produce(INTAKE, [(KEY, ndjson([rule]), STRUCTURED), (KEY, b"{}", binary)])
    topics.produce_nulls(INTAKE, "ce_id")
    cluster.begin("intake", "--kafka")
    cluster.await_up("intake")
    *alike, without_scope, no_json, empty, without = refused(topics, len(BAD) + 4)

    assert cluster.head() == 1 + 4
    values = [ndjson([submission]) for submission in BAD]
    assert [(record.key, record.value) for record in alike] == [(KEY, value) for value in values]
    assert all(record.headers[:-1] == STRUCTURED for record in alike)
    with httpx.Client(base_url=cluster.url("intake"), headers={"content-type": EVENT}) as http:
        answers = [http.post("/v1/events", content=value) for value in values]
    assert [problem_of(record) for record in alike] == [answer.json() for answer in answers]
    assert {answer.status_code for answer in answers} == {400, 409, 422}
    assert [problem_of(record)["type"].rpartition(":")[2] for record in alike[-4:]] == [
        "content-conflict",
        "natural-key-held",
        "already-reversed",
        "invalid-event",
    ]
    assert problem_of(without_scope)["detail"] == "the token does not cover this event"
    assert problem_of(no_json)["detail"] == "ce_source: must be UTF-8"
    assert no_json.headers[:-1] == binary
    assert (empty.key, empty.value, problem_of(empty)["status"]) == (None, b"", 400)
    assert (without.headers[0], problem_of(without)["detail"]) == (("ce_id", b""), "ce_id: must have a value")
    assert cluster.head() == 1 + 4


@contextmanager
def taking(database_url: str, bootstrap: str, clock: Clock) -> Iterator[Journal]:
    """An intake from Kafka in this process, whose clock the test moves."""
    database = Database(database_url).prepare()
    journal, ending = Journal.open(database.journal, ZONE, clock()), threading.Event()
    service = IntakeService(journal, Policy(ZoneInfo(ZONE)), clock)
    intake = KafkaIntake(KafkaSettings((bootstrap,)), service, ParkedInDatabase(database), problem, clock, partitions=1)
    thread = threading.Thread(target=intake.run, args=(ending,))
    thread.start()
    try:
        yield journal
    finally:
        ending.set()
        thread.join()
        service.close()
        journal.close()


def test_a_reversal_that_overtakes_its_fact_waits_for_it_and_not_for_ever(
    database_url: str,
    topics: Topics,
    kafka: LocalKafka,
    clock: Clock,
) -> None:
    """When the fact comes it is recorded; of two under one name only one; and whose fact never comes is refused in time."""
    parking = ParkedInDatabase(Database(database_url).prepare())
    topics.make(INTAKE)
    with taking(database_url, kafka.bootstrap, clock) as journal:
        two = [retracted("m1", "late"), retracted("m1", "late", reason="duplicate")]
        produced(topics, *two, retracted("m2", "never"))
        until(lambda: len(parking.all()) == 3, "three are parked")
        assert (journal.head(), topics.read(REFUSED)) == (1, [])
        produced(topics, task("late"))
        until(lambda: len(parking.all()) == 1, "what has come is parked no longer")
        (conflict,) = topics.read(REFUSED)
        assert (journal.head(), problem_of(conflict)["type"]) == (3, "urn:neraca:problem:content-conflict")
        assert conflict.value in [ndjson([submission]) for submission in two]
        clock.us += int(PARKED_S * 1e6)
        until(lambda: len(parking.all()) == 1, "its time is not over on the second")
        clock.us += 1
        _, never = refused(topics, 2)
        assert (never.key, never.value) == (KEY, ndjson([retracted("m2", "never")]))
        assert never.headers[:-1] == STRUCTURED
        assert problem_of(never)["errors"] == [{"pointer": "/data/event", "detail": "names no event of the journal"}]
        until(lambda: not parking.all(), "it waits no longer")
        assert journal.head() == 3


CASE: Final = {"dinas": "disdukcapil", "service": "ktp-el", "case": "K-1"}
LEFT_OUT: Final = {name: value for name, value in DECISION.items() if name != "received_at"}


def noted(kind: str, name: str, hour: int) -> dict[str, Any]:
    """A pause or a resumption of the case."""
    reason = {"reason": "applicant"} if kind == "permit-paused" else {}
    return event(kind, name, {**CASE, "at": f"2026-11-24T{hour:02}:00:00+07:00", **reason})


def received(name: str, case: str = "K-1") -> dict[str, Any]:
    return event("permit-received", name, {**CASE, "case": case, "received_at": "2026-11-24T07:00:00+07:00"})


def kinds_of(journal: Journal) -> list[str]:
    """The kinds of all entries but the first, in order."""
    lines = [msgspec.json.decode(line) for _, line in journal.lines(1, 100)]
    return [line["type"].split(".")[1] for line in lines]


def test_a_decision_is_parked_until_its_receipt_comes(
    database_url: str, topics: Topics, kafka: LocalKafka, clock: Clock
) -> None:
    """It takes the time of its receipt; nothing is refused, and nothing stays parked."""
    parking = ParkedInDatabase(Database(database_url).prepare())
    topics.make(INTAKE)
    with taking(database_url, kafka.bootstrap, clock) as journal:
        produced(topics, event("permit-processed", "d", LEFT_OUT))
        until(lambda: len(parking.all()) == 1, "the decision is parked")
        assert journal.head() == 1
        produced(topics, received("r"))
        until(lambda: journal.head() == 3, "both are recorded")
        line = msgspec.json.decode(journal.lines(2, 1)[0][1])
        assert (line["id"], line["data"]["resolved"]["elapsed_us"]) == ("d", 3 * 3_600_000_000)
        until(lambda: not parking.all(), "nothing is parked")
        assert topics.read(REFUSED) == []


@pytest.mark.parametrize("at_once", [True, False], ids=["in one batch", "one after the other"])
def test_a_decision_never_overtakes_a_pause_that_is_parked(
    database_url: str, topics: Topics, kafka: LocalKafka, clock: Clock, at_once: object
) -> None:
    """The decision could be recorded by itself, and would then refuse the pause for good; a decision of another case is."""
    parking = ParkedInDatabase(Database(database_url).prepare())
    topics.make(INTAKE)
    events = [noted("permit-paused", "p", 8), noted("permit-resumed", "q", 9), event("permit-processed", "d", DECISION)]
    other = event("permit-processed", "e", {**DECISION, "case": "K-2"})
    if at_once:
        produced(topics, *events, other)
    with taking(database_url, kafka.bootstrap, clock) as journal:
        for number, note in enumerate(() if at_once else events, 1):
            produced(topics, note)
            until(lambda number=number: len(parking.all()) == number, "it is parked")  # type: ignore[misc]
        if not at_once:
            produced(topics, other)
        until(lambda: len(parking.all()) == 3 and journal.head() == 2, "three are parked, and one is recorded")
        produced(topics, received("r"))
        until(lambda: journal.head() == 6, "all are recorded")
        assert kinds_of(journal) == [
            "permit-processed",
            "permit-received",
            "permit-paused",
            "permit-resumed",
            "permit-processed",
        ]
        line = msgspec.json.decode(journal.lines(5, 1)[0][1])
        assert line["data"]["resolved"]["elapsed_us"] == 3_600_000_000
        until(lambda: not parking.all(), "nothing is parked")
        assert topics.read(REFUSED) == []


def test_a_decision_waits_for_a_parked_pause_no_longer_than_the_pause_itself(
    database_url: str, topics: Topics, kafka: LocalKafka, clock: Clock
) -> None:
    """The receipt never comes: the pause is refused for good when its time is over, and the decision is recorded."""
    parking = ParkedInDatabase(Database(database_url).prepare())
    topics.make(INTAKE)
    with taking(database_url, kafka.bootstrap, clock) as journal:
        produced(topics, noted("permit-paused", "p", 8))
        until(lambda: len(parking.all()) == 1, "the pause is parked")
        clock.us += 1_000_000
        produced(topics, event("permit-processed", "d", DECISION))
        until(lambda: len(parking.all()) == 2, "the decision waits")
        clock.us += int(PARKED_S * 1e6)
        until(lambda: journal.head() == 2, "the decision is recorded")
        (refusal,) = refused(topics, 1)
        assert problem_of(refusal)["detail"].startswith("/data/case: has no open file: its receipt")


@pytest.mark.faults
def test_an_intake_killed_in_the_middle_of_the_stream_loses_and_doubles_nothing(
    cluster: Scaled, topics: Topics
) -> None:
    """Everything produced is in the journal exactly once, and a reversal that was parked is recorded after its fact."""
    number = 6000
    topics.make(INTAKE, 2)
    produced(topics, retracted("m", "late"))
    cluster.start("intake", options=["--kafka"])
    until(lambda: cluster.sql("SELECT 1 FROM neraca.parked"), "the reversal is parked")
    records = [(str(n).encode(), ndjson([task(f"t{n}")]), STRUCTURED) for n in range(number)]
    producing = threading.Thread(target=topics.produce, args=(INTAKE, records))
    producing.start()
    until(lambda: cluster.head() > 500, "the stream is under way")
    cluster.kill("intake")
    at_the_kill = cluster.head()
    producing.join()
    assert at_the_kill < number
    produced(topics, task("late"))
    cluster.start("intake", options=["--kafka"])
    until(lambda: cluster.head() >= 1 + number + 2, "everything is recorded", within_s=90)
    until(lambda: not cluster.sql("SELECT 1 FROM neraca.parked"), "nothing is parked")
    lines = [msgspec.json.decode(line) for line in cluster.command("export", "--journal", "-").stdout.splitlines()]
    assert sorted(line["id"] for line in lines[1:]) == sorted([*(f"t{n}" for n in range(number)), "late", "m"])
    assert topics.read(REFUSED) == []
