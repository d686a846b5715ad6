"""Intake from Kafka: counters produce CloudEvents, one a record, and they are validated as over HTTP.

A record's offset is committed once its event is durable. An event that is refused for now, such as a decision that
overtakes its receipt, is parked and tried again for a while; a decision waits with a receipt or a pause of its case that is
parked. A record that is refused for good goes, with its problem, to a topic of its own. Each topic that is read has a grant of
its own, as a token has.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from domain.canonical import canonical
from domain.intake.checks import WAITS_US
from domain.intake.wire import Submission
from domain.refusal import Refusal, attempt
from projections.ports import Accepted, Unavailable
from streams.intake.case_order import CaseOrder, Waiting, case_of, cases_of, is_for_now
from streams.intake.parking import Parked
from streams.intake.refused import REFUSED_TOPIC, Outgoing, refused_record, send_refused
from streams.intake.topics import INTAKE_TOPIC, ONE_TOPIC
from streams.kafka.broker import Headers, NoBroker, Reading, Sender, ensure_topic
from streams.kafka.cloudevents import event_of
from streams.retrying import PROMPT, Failures, Interrupted, Pauses, Retrying

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Sequence

    from projections.ports import Intake, Outcome
    from streams.intake.parking import ParkingPlace
    from streams.intake.topics import Grants

    Submit = Callable[[Sequence[Submission | Refusal]], list[Outcome]]
    from streams.kafka.settings import KafkaSettings

GROUP: Final = "neraca-intake"
PARKED_S: Final = WAITS_US / 1e6
"""The longest time for which an event waits for what would lift its refusal."""
LOOK_S: Final = 1.0
LOOK_MOST_S: Final = 10.0
"""How often parked events are read at least and at most: another intake may have parked some, and ended."""
PARKED: Final = Pauses(LOOK_S, 60.0)
"""The pauses between attempts at a parked event."""
PARKED_MOST: Final = 500
"""The number of parked events that are tried at once: between them, records of the topic are taken."""
LOG: Final = logging.getLogger("neraca.kafka-intake")


class RawRecord(Struct, frozen=True, array_like=True):
    """A record of the topic, byte for byte."""

    key: bytes | None
    value: bytes | None
    headers: Headers
    topic: str = INTAKE_TOPIC


class _Attempts:
    """The attempts at a parked event: when the next one is due, at pauses that grow."""

    def __init__(self, due_s: float) -> None:
        self._failures = Failures(PARKED)
        self.due_s = due_s

    def failed(self, now_s: float) -> None:
        """It was refused for now once more."""
        self.due_s = now_s + (self._failures.pause_s(now_s) or PARKED.longest_s)


class KafkaIntake:
    """Takes records into the journal through an intake.

    ``extensions`` are the extension attributes that events may have beside those that are always taken.
    """

    def __init__(  # noqa: PLR0913 - its ports, some with a usual value
        self,
        kafka: KafkaSettings,
        intake: Intake,
        parking: ParkingPlace,
        problem: Callable[[Refusal], dict[str, Any]],
        now_us: Callable[[], int],
        partitions: int,
        *,
        grants: Grants = ONE_TOPIC,
        parked_s: float = PARKED_S,
        extensions: Collection[str] = (),
    ) -> None:
        self._kafka = kafka
        self._intake = intake
        self._parking = parking
        self._problem = problem
        self._now_us = now_us
        self._partitions = partitions
        self._grants = grants
        self._parked_s = parked_s
        self._extensions = extensions
        self._look_s = 0.0
        self._attempts: dict[str, _Attempts] = {}
        self._parked: dict[str, Waiting] = {}
        self._ending = threading.Event()
        self._following = self._retrying(Exception, "taking from Kafka again in a moment: %s")
        self._submitting = self._retrying(Unavailable, "nothing is recorded: %s")

    def _retrying(self, on: type[Exception], message: str) -> Retrying:
        return Retrying(
            on,
            PROMPT,
            on_failure=lambda error, _: LOG.warning(message, error),
            pause=self._pause,
        )

    def _pause(self, pause_s: float) -> bool:
        """Wait; true once this process has to end."""
        return self._ending.wait(pause_s)

    def run(self, ending: threading.Event) -> None:
        """Take records until the process has to end. After a failure nothing is committed, so the same records come again."""
        self._ending = ending
        with suppress(Interrupted):
            self._following.call(self._follow)

    def _follow(self) -> None:
        for topic in self._grants:
            ensure_topic(self._kafka, topic, self._partitions, least=1)
        ensure_topic(self._kafka, REFUSED_TOPIC, 1)
        sender = Sender(self._kafka, ending=self._ending.is_set)
        try:
            reading = Reading(self._kafka, tuple(self._grants), GROUP)
        except NoBroker:
            sender.close()
            raise
        try:
            while not self._ending.is_set():
                records = reading.poll(LOOK_S)
                if records:
                    self._take(records, sender)
                    reading.commit()
                self._retry_parked(sender)
        finally:
            reading.close()
            sender.close()

    def _take(self, messages: Sequence[Any], sender: Sender) -> None:
        records = [RawRecord(message.key, message.value, message.headers or [], message.topic) for message in messages]
        events = [self._event(record) for record in records]
        entries, refusals = list[Parked](), list[Outgoing]()
        until_us = self._now_us() + int(self._parked_s * 1e6)
        for record, event, outcome in zip(records, events, self._decide(records, events, until_us), strict=True):
            if isinstance(outcome, Accepted):
                continue
            if isinstance(event, Submission) and outcome.for_now:
                entries.append(Parked(_key(event), msgspec.msgpack.encode(record), until_us))
            else:
                refusals.append(self._refusal(outcome, record))
        if entries:
            self._parking.put(entries)
            self._look_s = min(self._look_s, time.monotonic() + LOOK_S)
        send_refused(sender, refusals)

    def _event(self, record: RawRecord) -> Submission | Refusal:
        return attempt(event_of, record.value, record.headers, self._extensions)

    def _decide(
        self, records: Sequence[RawRecord], events: Sequence[Submission | Refusal], until_us: int
    ) -> list[Outcome]:
        """The outcomes of fresh events; a decision of a case of which a receipt or a note is parked waits too."""
        if any(map(case_of, events)) and self._parking.keys() != self._parked.keys():
            self._read_parked()
        order = CaseOrder(self._submitted_by(records, events), self._waits(), self._now_us())
        outcomes = order.decide([Waiting(event, until_us) for event in events])
        self._hasten(event for event, outcome in zip(events, outcomes, strict=True) if not is_for_now(outcome))
        return outcomes

    def _read_parked(self) -> list[Parked]:
        """The parked events, read once for each; of those given up at one instant the receipts and notes first."""
        entries = self._parking.all()
        self._parked = {
            entry.key: self._parked.get(entry.key)
            or Waiting(self._event(_RAW_RECORD.decode(entry.record)), entry.until_us)
            for entry in entries
        }
        return sorted(entries, key=self._rank)

    def _rank(self, entry: Parked) -> tuple[int, bool]:
        case = case_of(self._parked[entry.key].event)
        return entry.until_us, case is not None and not case.goes_first

    def _waits(self, besides: Container[str] = ()) -> dict[str, int]:
        """The cases of parked receipts and notes, ``besides`` those of some keys, each with the instant of the first."""
        waits: dict[str, int] = {}
        for key, (event, until_us) in self._parked.items():
            case = case_of(event)
            if case is not None and case.goes_first and key not in besides:
                waits[case.key] = min(waits.get(case.key, until_us), until_us)
        return waits

    def _hasten(self, events: Iterable[Submission | Refusal]) -> None:
        """Try what waits for some receipts and notes without a pause, since these are settled."""
        cases = cases_of(events)
        for key, (event, _) in self._parked.items() if cases else ():
            case = case_of(event)
            if case is not None and case.key in cases:
                self._attempts.pop(key, None)
                self._look_s = 0.0

    def _submitted_by(self, records: Sequence[RawRecord], events: Sequence[Submission | Refusal]) -> Submit:
        """A function that submits some of these events, each by the grant of its record's topic. Raises: ``Interrupted``."""
        topics = {id(event): record.topic for record, event in zip(records, events, strict=True)}

        def submit(part: Sequence[Submission | Refusal]) -> list[Outcome]:
            outcomes: dict[int, Outcome] = {}
            for topic in dict.fromkeys(topics[id(event)] for event in part):
                places = [place for place, event in enumerate(part) if topics[id(event)] == topic]
                outcomes |= zip(places, self._of_topic(topic, [part[place] for place in places]), strict=True)
            return [outcomes[place] for place in range(len(part))]

        return submit

    def _of_topic(self, topic: str, events: Sequence[Submission | Refusal]) -> list[Outcome]:
        """Outcomes in order; the same events again while nothing can be recorded. Raises: ``Interrupted``."""
        return self._submitting.call(lambda: self._by_grant(topic, events))

    def _by_grant(self, topic: str, events: Sequence[Submission | Refusal]) -> list[Outcome]:
        """The outcomes under the grant of a topic; without one every event is refused."""
        grant = self._grants[topic]() if topic in self._grants else None
        if grant is None:
            detail = f"the topic {topic} has no grant that stands"
            return [event if isinstance(event, Refusal) else Refusal("forbidden", detail) for event in events]
        return self._intake.submit(events, grant)

    def _retry_parked(self, sender: Sender) -> None:
        """Try parked events again: what they waited for may have come, and some have waited long enough."""
        now_s = time.monotonic()
        if now_s < self._look_s:
            return
        entries = {entry.key: entry for entry in self._read_parked()}
        self._attempts = {key: self._attempts.get(key) or _Attempts(now_s) for key in entries}
        waiting = [
            entry
            for key, entry in entries.items()
            if self._attempts[key].due_s <= now_s or self._now_us() > entry.until_us
        ][:PARKED_MOST]
        due_s = min((attempts.due_s for attempts in self._attempts.values()), default=now_s + LOOK_MOST_S)
        self._look_s = max(now_s + LOOK_S, min(due_s, now_s + LOOK_MOST_S))
        if not waiting:
            return
        records = [_RAW_RECORD.decode(entry.record) for entry in waiting]
        ids, refusals = list[str](), list[Outgoing]()
        events = [self._parked[entry.key] for entry in waiting]
        submit = self._submitted_by(records, [event for event, _ in events])
        order = CaseOrder(submit, self._waits({entry.key for entry in waiting}), self._now_us())
        outcomes = order.decide(events)
        for entry, record, outcome in zip(waiting, records, outcomes, strict=True):
            if isinstance(outcome, Accepted):
                ids.append(entry.key)
            elif not outcome.for_now or self._now_us() > entry.until_us:
                ids.append(entry.key)
                refusals.append(self._refusal(outcome, record))
            else:
                self._attempts[entry.key].failed(now_s)
        send_refused(sender, refusals)
        if ids:
            self._parking.remove(ids)
            self._hasten(self._parked.pop(key).event for key in ids)

    def _refusal(self, refusal: Refusal, record: RawRecord) -> Outgoing:
        return refused_record(record.key, record.value, record.headers, self._problem(refusal))


_RAW_RECORD: Final = msgspec.msgpack.Decoder(RawRecord)


def _key(event: Submission) -> str:
    """The key of a parked event. Two events may share a source and an id, and only one of them can be accepted."""
    return canonical((event.source, event.id, event.content_hash)).decode()
