"""The emitter's client over Kafka: it produces events to the intake's topic, and counts them once the broker holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from streams.emitting.client import Answer, NotNow, RequestRefused
from streams.intake.topics import INTAKE_TOPIC
from streams.kafka.broker import Headers, NoBroker, RecordTooLarge, Sender
from streams.kafka.cloudevents import STRUCTURED

if TYPE_CHECKING:
    from streams.kafka.settings import KafkaSettings


class KafkaClient:
    """One producer to the intake's topic, made again whenever the broker fails it."""

    def __init__(self, kafka: KafkaSettings, topic: str = INTAKE_TOPIC) -> None:
        self._kafka = kafka
        self._topic = topic
        self._sender: Sender | None = None

    def send(self, lines: list[bytes]) -> Answer:
        """Send events, one a line; an accepted event is one that the broker keeps.

        Raises: ``NotNow``; ``RequestRefused`` when a record is larger than the topic takes.
        """
        try:
            self._sender = self._sender or Sender(self._kafka)
            headers: Headers = [("content-type", STRUCTURED.encode())]
            self._sender.send([(self._topic, None, _dinas(line), line, headers) for line in lines])
        except RecordTooLarge as error:
            problem = {"type": "about:blank", "title": "Too large", "status": 413, "detail": str(error)}
            raise RequestRefused(problem, ours=False) from error
        except NoBroker as error:
            self.close()
            raise NotNow(str(error)) from error
        return Answer(len(lines), 0, [])

    def probe(self, within_s: float) -> None:
        """Nothing: a producer looks for its broker by itself, and within its own time."""

    def close(self) -> None:
        """Drop the connection."""
        if self._sender is not None:
            self._sender.close()
            self._sender = None


def _dinas(line: bytes) -> bytes | None:
    """The dinas of an event, as its record's key: the events of one dinas keep their order."""
    try:
        data = msgspec.json.decode(line)["data"]
        return str(data["dinas"]).encode()
    except (msgspec.DecodeError, KeyError, TypeError):
        return None
