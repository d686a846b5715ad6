"""Kafka through `kafka-python`: producers that wait for acknowledgement, topics, offsets. The only room for that client."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, KafkaTimeoutError, SaslAuthenticationFailedError, TopicAlreadyExistsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from streams.kafka.settings import KafkaSettings

ACK_S: Final = 30.0
"""How long a send may take until it counts as failed."""
GIVEN_UP_S: Final = 5.0
"""How much longer it is waited for: the client gives up first, and nothing of it is left to be sent when it is closed."""
LOOK_S: Final = 0.5
"""How soon a send that waits sees that its process is told to end."""
CLOSING_S: Final = 2.0
RECORD_MOST: Final = 32 * 2**20
"""How large a record of ours may be: a segment, or an event, of the largest request an intake takes."""
HOUR_MS: Final = 3_600_000
KEPT_MS: Final = 7 * 24 * HOUR_MS
Headers = list[tuple[str, bytes | None]]
_LOG: Final = logging.getLogger("kafka")
"""The client's own."""


class NoBroker(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """The broker did not answer, or did not acknowledge; the same may be tried again."""


def quiet() -> None:
    """The client's log of each lost connection says nothing to an operator that our own does not."""
    _LOG.setLevel(logging.WARNING)
    _LOG.propagate = False
    _LOG.addHandler(logging.NullHandler())


class _Heard(logging.Handler):
    """Why no connection can be made: the client says so only to its log, and then tells of a timeout."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.why: KafkaError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what was said first; that a user is refused tells more than that a connection was lost."""
        for said in record.args if isinstance(record.args, tuple) else ():
            if isinstance(said, SaslAuthenticationFailedError) or (isinstance(said, KafkaError) and self.why is None):
                self.why = said


@contextmanager
def _connecting(settings: KafkaSettings) -> Iterator[None]:
    """A client is made. Raises: ``NoBroker`` that says why not: nobody is there, or not whom we trust, or it refuses us."""
    heard = _Heard()
    _LOG.addHandler(heard)
    try:
        yield
    except (KafkaError, OSError, ValueError) as error:
        why = heard.why or error
        if isinstance(why, SaslAuthenticationFailedError):
            message = f"the broker at {settings.shown} refuses user {settings.user} with this password: {why}"
        else:
            refused = f", or it refuses user {settings.user}" if settings.user else ""
            message = f"no broker answers at {settings.shown}{refused}: {why!r}"
        raise NoBroker(message) from error
    finally:
        _LOG.removeHandler(heard)


class Sender:
    """A producer whose sends are acknowledged before they count."""

    def __init__(
        self, settings: KafkaSettings, *, ack_s: float = ACK_S, ending: Callable[[], bool] = lambda: False
    ) -> None:
        self._ack_s = ack_s
        self._ending = ending
        with _connecting(settings):
            self._producer: Any = KafkaProducer(
                **settings.client(), acks="all", enable_idempotence=True, linger_ms=2, batch_size=1 << 20,
                max_request_size=RECORD_MOST, delivery_timeout_ms=int(ack_s * 1000),
                request_timeout_ms=min(10_000, int(ack_s * 500)), max_block_ms=10_000, bootstrap_timeout_ms=5_000,
                reconnect_backoff_max_ms=1_000,
            )  # fmt: skip

    def send(self, records: Iterable[tuple[str, int | None, bytes | None, bytes | None, Headers]]) -> None:
        """Send topic, partition, key, value and headers of each, and wait until all are acknowledged.

        Raises: ``NoBroker`` when one is not, or when its process is told to end before; the others may be there.
        """
        try:
            futures = [
                self._producer.send(topic, partition=partition, key=key, value=value, headers=headers)
                for topic, partition, key, value, headers in records
            ]
            if futures:
                self._flush()
            for future in futures:
                future.get(GIVEN_UP_S)
        except (KafkaError, AssertionError, OSError) as error:
            message = f"not acknowledged: {error!r}"
            raise NoBroker(message) from error

    def _flush(self) -> None:
        """Wait for all acknowledgements, but no longer than until the process is told to end. Raises: ``KafkaError``."""
        until = time.monotonic() + self._ack_s + GIVEN_UP_S
        while True:
            try:
                self._producer.flush(LOOK_S)
            except KafkaTimeoutError:
                if self._ending() or time.monotonic() > until:
                    raise
            else:
                return

    def close(self) -> None:
        """Give the connections back; what is unsent stays unsent."""
        try:
            self._producer.close(timeout=CLOSING_S)
        except KafkaError:
            self._producer._sender.force_close()  # noqa: SLF001 - it offers no other way to drop what it still holds
            with suppress(KafkaError):
                self._producer.close(timeout=CLOSING_S)


def ensure_topic(settings: KafkaSettings, topic: str, partitions: int, *, least: int | None = None) -> None:
    """A topic exists; it is made with ``partitions``, and has these at least, or ``least`` where that is named.

    Raises: ``NoBroker``; ``ValueError`` when it has fewer.
    """
    with _connecting(settings):
        admin: Any = KafkaAdminClient(**settings.client(), request_timeout_ms=10_000, bootstrap_timeout_ms=5_000)
    try:
        configured = {"max.message.bytes": str(RECORD_MOST), "retention.ms": str(KEPT_MS)}
        new = NewTopic(topic, num_partitions=partitions, replication_factor=-1, topic_configs=configured)
        try:
            admin.create_topics([new])
        except TopicAlreadyExistsError:
            _check(admin, topic, partitions if least is None else least)
    except KafkaError as error:
        message = f"topic {topic}: {error!r}"
        raise NoBroker(message) from error
    finally:
        admin.close()


def _check(admin: Any, topic: str, partitions: int) -> None:  # noqa: ANN401 - an untyped client
    (described,) = admin.describe_topics([topic])
    held = len(described["partitions"])
    if held < partitions:
        message = f"topic {topic} has {held} partitions, and needs {partitions}"
        raise ValueError(message)


class Offsets:
    """Asks for the ends of a topic's partitions, with a client of its own."""

    def __init__(self, settings: KafkaSettings, topic: str, partitions: int) -> None:
        self._settings = settings
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._consumer: Any = None

    def ends(self) -> dict[int, int]:
        """The offset after each partition's last record. Raises: ``NoBroker``."""
        try:
            if self._consumer is None:
                with _connecting(self._settings):
                    self._consumer = KafkaConsumer(
                        **self._settings.client(), request_timeout_ms=5_000, bootstrap_timeout_ms=5_000
                    )
            return {one.partition: end for one, end in self._consumer.end_offsets(self._partitions).items()}
        except (KafkaError, OSError, ValueError, AssertionError) as error:
            self.close()
            message = f"offsets: {error!r}"
            raise NoBroker(message) from error

    def close(self) -> None:
        """Give the connection back."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            with suppress(KafkaError):
                consumer.close()


class Reading:
    """Reads a topic in a consumer group; what was read is committed by the caller, after it is durable elsewhere."""

    def __init__(self, settings: KafkaSettings, topic: str, group: str) -> None:
        with _connecting(settings):
            self._consumer: Any = KafkaConsumer(
                topic, **settings.client(), group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
                max_poll_records=500, session_timeout_ms=10_000, heartbeat_interval_ms=2_000, request_timeout_ms=15_000,
                bootstrap_timeout_ms=5_000, fetch_max_wait_ms=100, max_partition_fetch_bytes=RECORD_MOST,
            )  # fmt: skip

    def poll(self, timeout_s: float) -> Sequence[Any]:
        """Records as they come, each with topic, partition, offset, key, value and headers. Raises: ``NoBroker``."""
        try:
            found = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        except (KafkaError, OSError) as error:
            message = f"not read: {error!r}"
            raise NoBroker(message) from error
        return [record for records in found.values() for record in records]

    def commit(self) -> None:
        """What was polled is done with. Raises: ``NoBroker``: it will be read again."""
        try:
            self._consumer.commit()
        except (KafkaError, OSError, AssertionError) as error:
            message = f"not committed: {error!r}"
            raise NoBroker(message) from error

    def close(self) -> None:
        """Leave the group; where that cannot be said, it finds out."""
        with suppress(KafkaError):
            self._consumer.close()
