"""Intake from Kafka: counters that speak it produce CloudEvents, one a record; the same validation as over HTTP.

Records are committed once what they said is durable. A reversal that overtakes its fact is parked and tried again for a
while; what is refused goes, with its problem, to a topic of its own.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from domain.canonical import canonical
from domain.intake.wire import Submission
from domain.refusal import Refusal, attempt
from projections.ports import Accepted, Grant, Unavailable
from streams.emitting.http import Answer, NotNow
from streams.intake.recording import is_overtaking
from streams.kafka.broker import Headers, NoBroker, Reading, Sender, ensure_topic
from streams.kafka.cloudevents import STRUCTURED, event_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from projections.ports import Intake, Outcome
    from streams.kafka.settings import KafkaSettings
    from streams.places.database import Database

INTAKE_TOPIC: Final = "neraca.intake"
REFUSED_TOPIC: Final = "neraca.refused"
GROUP: Final = "neraca-intake"
KAFKA: Final = Grant("kafka", frozenset({"fact", "reverse"}))
"""Who may produce to the topic is the broker's to say; rules are recorded over HTTP."""
PARKED_S: Final = 60.0
"""How long a reversal waits for the fact it names."""
AGAIN_S: Final = 1.0
LOG: Final = logging.getLogger("neraca.kafka-intake")


class Parked(Struct, frozen=True):
    """A reversal that waits for its fact: the record as it came, and until when."""

    key: str
    record: bytes
    until_us: int


class Came(Struct, frozen=True, array_like=True):
    """A record of the topic: what it is, byte for byte."""

    key: bytes | None
    value: bytes | None
    headers: Headers


class ParkingPlace(Protocol):
    """Where what waits survives the process."""

    def put(self, parked: Sequence[Parked]) -> None:
        """Keep these, durably."""
        ...

    def all(self) -> list[Parked]:
        """Everything that waits."""
        ...

    def remove(self, keys: Sequence[str]) -> None:
        """These wait no longer."""
        ...


class ParkedInDatabase:
    """Parked reversals in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, parked: Sequence[Parked]) -> None:
        """Keep these, durably."""
        with self._database.connected("parking") as db, db.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO neraca.parked VALUES (%s, %s, %s) ON CONFLICT (key) DO NOTHING",
                [(one.key, one.record, one.until_us) for one in parked],
            )

    def all(self) -> list[Parked]:
        """Everything that waits."""
        with self._database.connected("parking") as db:
            rows = db.execute("SELECT key, record, until_us FROM neraca.parked ORDER BY until_us, key").fetchall()
        return [Parked(row[0], bytes(row[1]), row[2]) for row in rows]

    def remove(self, keys: Sequence[str]) -> None:
        """These wait no longer."""
        with self._database.connected("parking") as db:
            db.execute("DELETE FROM neraca.parked WHERE key = ANY(%s)", (list(keys),))


class KafkaIntake:
    """Takes records into the journal through an intake."""

    def __init__(
        self, kafka: KafkaSettings, intake: Intake, parking: ParkingPlace, problem: Callable[[Refusal], dict[str, Any]],
        now_us: Callable[[], int], partitions: int, *, parked_s: float = PARKED_S,
    ) -> None:  # fmt: skip
        self._kafka = kafka
        self._intake = intake
        self._parking = parking
        self._problem = problem
        self._now_us = now_us
        self._partitions = partitions
        self._parked_s = parked_s
        self._tried = 0.0

    def run(self, ending: threading.Event) -> None:
        """Take records until told to end; a broker or a database that is away costs time only."""
        while not ending.is_set():
            try:
                ensure_topic(self._kafka, INTAKE_TOPIC, self._partitions, least=1)
                ensure_topic(self._kafka, REFUSED_TOPIC, 1)
                self._follow(ending)
            except Exception as error:  # noqa: BLE001 - nothing is committed: the same records come again
                LOG.warning("taking from Kafka again in a moment: %s", error)
                ending.wait(AGAIN_S)

    def _follow(self, ending: threading.Event) -> None:
        sender = Sender(self._kafka, ending=ending.is_set)
        try:
            reading = Reading(self._kafka, INTAKE_TOPIC, GROUP)
        except NoBroker:
            sender.close()
            raise
        try:
            while not ending.is_set():
                records = reading.poll(AGAIN_S)
                if records:
                    self._take(records, sender)
                    reading.commit()
                self._try_again(sender)
        finally:
            reading.close()
            sender.close()

    def _take(self, records: Sequence[Any], sender: Sender) -> None:
        came = [Came(record.key, record.value, record.headers or []) for record in records]
        events = [_read(one) for one in came]
        parked, refused = list[Parked](), list[Any]()
        for one, event, outcome in zip(came, events, self._submitted(events), strict=True):
            if isinstance(outcome, Accepted):
                continue
            if isinstance(event, Submission) and is_overtaking(outcome):
                until_us = self._now_us() + int(self._parked_s * 1e6)
                parked.append(Parked(_key(event), msgspec.msgpack.encode(one), until_us))
            else:
                refused.append(self._refused(outcome, one))
        if parked:
            self._parking.put(parked)
        sender.send(refused)

    def _submitted(self, events: Sequence[Submission | Refusal]) -> list[Outcome]:
        """Outcomes in order; while nothing can be recorded, the same again."""
        while True:
            try:
                return self._intake.submit(events, KAFKA)
            except Unavailable as error:
                LOG.warning("nothing is recorded: %s", error)
                time.sleep(AGAIN_S)

    def _try_again(self, sender: Sender) -> None:
        """Reversals whose fact has come since, and those whose time is over."""
        if time.monotonic() - self._tried < AGAIN_S:
            return
        self._tried = time.monotonic()
        waiting = self._parking.all()
        if not waiting:
            return
        came = [_CAME.decode(one.record) for one in waiting]
        done, refused = list[str](), list[Any]()
        outcomes = self._submitted([_read(one) for one in came])
        for parked, one, outcome in zip(waiting, came, outcomes, strict=True):
            if isinstance(outcome, Accepted):
                done.append(parked.key)
            elif not is_overtaking(outcome) or self._now_us() > parked.until_us:
                done.append(parked.key)
                refused.append(self._refused(outcome, one))
        sender.send(refused)
        if done:
            self._parking.remove(done)

    def _refused(self, refusal: Refusal, came: Came) -> Any:  # noqa: ANN401 - a record to send
        """The record as it came, its problem added; what stood there as null, which our client sends in no header, is empty."""
        value = came.value if came.key is not None else came.value or b""
        headers = [(name, content or b"") for name, content in came.headers]
        headers.append(("problem", msgspec.json.encode(self._problem(refusal))))
        return REFUSED_TOPIC, None, came.key, value, headers


_CAME: Final = msgspec.msgpack.Decoder(Came)


def _read(came: Came) -> Submission | Refusal:
    return attempt(event_of, came.value, came.headers)


def _key(event: Submission) -> str:
    """What a parked event is known by; of one source and id there may be two, and only one of them can be accepted."""
    return canonical((event.source, event.id, event.content_hash)).decode()


class KafkaClient:
    """A counter's side of it: sends events to the topic until the broker has them. Stands where the HTTP client does."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._sender: Sender | None = None

    def send(self, lines: list[bytes]) -> Answer:
        """Send events, one a line; accepted means that the broker keeps them. Raises: ``NotNow``."""
        try:
            self._sender = self._sender or Sender(self._kafka)
            headers: Headers = [("content-type", STRUCTURED.encode())]
            self._sender.send([(INTAKE_TOPIC, None, _dinas(line), line, headers) for line in lines])
        except NoBroker as error:
            self.close()
            raise NotNow(str(error)) from error
        return Answer(len(lines), 0, [])

    def close(self) -> None:
        """Drop the connection."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None


def _dinas(line: bytes) -> bytes | None:
    """The dinas an event is about, as its key: what is about one dinas keeps its order."""
    try:
        data = msgspec.json.decode(line)["data"]
        return str(data["dinas"]).encode()
    except (msgspec.DecodeError, KeyError, TypeError):
        return None
