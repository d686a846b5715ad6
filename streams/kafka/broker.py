"""Kafka through `kafka-python`: producers that wait for acknowledgement, topics, offsets. The client is known here alone."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    SaslAuthenticationFailedError,
    TopicAlreadyExistsError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from streams.kafka.settings import KafkaSettings

ACK_S: Final = 30.0
"""The longest time a send may take before it counts as failed."""
GIVEN_UP_S: Final = 5.0
"""The extra time a send is awaited: the client gives up first, so that nothing is left to send when it is closed."""
LOOK_S: Final = 0.5
"""The time within which a waiting send notices that its process has to end."""
CLOSING_S: Final = 2.0
RECORD_MOST: Final = 32 * 2**20
"""The size that a record may have: a segment, or an event, of the largest request an intake takes."""
HOUR_MS: Final = 3_600_000
KEPT_MS: Final = 7 * 24 * HOUR_MS
Headers = list[tuple[str, bytes | None]]
_LOG: Final = logging.getLogger("kafka")
"""The client's own logger."""


class NoBroker(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """The broker did not answer, or did not acknowledge; the same may be tried again."""


class RecordTooLarge(Exception):  # noqa: N818 - an answer of the broker
    """A record is larger than the client or the topic takes; sending it again changes nothing."""


def quiet() -> None:
    """Silence the client's log of each lost connection: our own log tells an operator the same."""
    _LOG.setLevel(logging.WARNING)
    _LOG.propagate = False
    _LOG.addHandler(logging.NullHandler())


class _LogErrors(logging.Handler):
    """Listens to the client's log for the reason why no connection can be made: its error reports only a timeout."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.why: KafkaError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first error; a refused user matters more than a lost connection."""
        for value in record.args if isinstance(record.args, tuple) else ():
            if isinstance(value, SaslAuthenticationFailedError) or (isinstance(value, KafkaError) and self.why is None):
                self.why = value


@contextmanager
def _connecting(settings: KafkaSettings) -> Iterator[None]:
    """Make a client. Raises: ``NoBroker`` with the reason: nobody answers, the broker is not trusted, or it refuses the user."""
    errors = _LogErrors()
    _LOG.addHandler(errors)
    try:
        yield
    except (KafkaError, OSError, ValueError) as error:
        why = errors.why or error
        if isinstance(why, SaslAuthenticationFailedError):
            message = f"the broker at {settings.label} refuses user {settings.user} with this password: {why}"
        else:
            hint = f", or it refuses user {settings.user}" if settings.user else ""
            message = f"no broker answers at {settings.label}{hint}: {why!r}"
        raise NoBroker(message) from error
    finally:
        _LOG.removeHandler(errors)


class Sender:
    """A producer that waits until its records are acknowledged."""

    def __init__(
        self, settings: KafkaSettings, *, ack_s: float = ACK_S, ending: Callable[[], bool] = lambda: False
    ) -> None:
        self._ack_s = ack_s
        self._ending = ending
        with _connecting(settings):
            self._producer: Any = KafkaProducer(
                **settings.client(),
                acks="all",
                enable_idempotence=True,
                linger_ms=2,
                batch_size=1 << 20,
                max_request_size=RECORD_MOST,
                delivery_timeout_ms=int(ack_s * 1000),
                request_timeout_ms=min(10_000, int(ack_s * 500)),
                max_block_ms=10_000,
                bootstrap_timeout_ms=5_000,
                reconnect_backoff_max_ms=1_000,
            )

    def send(self, records: Iterable[tuple[str, int | None, bytes | None, bytes | None, Headers]]) -> None:
        """Send records of topic, partition, key, value and headers, and wait until all are acknowledged.

        Raises: ``NoBroker`` when one is not, or when the process has to end before; the others may have arrived.
        ``RecordTooLarge`` when one cannot be taken.
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
        except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
            message = f"a record is too large: {error}"
            raise RecordTooLarge(message) from error
        except (KafkaError, AssertionError, OSError) as error:
            message = f"not acknowledged: {error!r}"
            raise NoBroker(message) from error

    def _flush(self) -> None:
        """Wait for all acknowledgements, or until the process has to end. Raises: ``KafkaError``."""
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
        """Give the connections back; unsent records stay unsent."""
        try:
            self._producer.close(timeout=CLOSING_S)
        except KafkaError:
            self._producer._sender.force_close()  # noqa: SLF001 - it offers no other way to drop unsent records
            with suppress(KafkaError):
                self._producer.close(timeout=CLOSING_S)


def ensure_topic(settings: KafkaSettings, topic: str, partitions: int, *, least: int | None = None) -> None:
    """Make a topic of so many partitions, unless it exists; then it must have as many, or ``least`` if that is given.

    Raises: ``NoBroker``, also while the broker that answers does not know the topic yet; ``ValueError`` when it has fewer.
    """
    with _connecting(settings):
        admin: Any = KafkaAdminClient(**settings.client(), request_timeout_ms=10_000, bootstrap_timeout_ms=5_000)
    try:
        configs = {"max.message.bytes": str(RECORD_MOST), "retention.ms": str(KEPT_MS)}
        new = NewTopic(topic, num_partitions=partitions, replication_factor=-1, topic_configs=configs)
        try:
            admin.create_topics([new])
        except TopicAlreadyExistsError:
            check_topic(admin, topic, partitions if least is None else least)
    except KafkaError as error:
        message = f"topic {topic}: {error!r}"
        raise NoBroker(message) from error
    finally:
        admin.close()


def check_topic(admin: Any, topic: str, partitions: int) -> None:  # noqa: ANN401 - an untyped client
    """See that a topic has at least so many partitions. Raises: ``NoBroker`` for one not known yet; ``ValueError``."""
    (description,) = admin.describe_topics([topic])
    count = len(description["partitions"])
    if not count:  # no topic has none: another process has made this one a moment ago
        message = f"topic {topic} is not known to the broker yet"
        raise NoBroker(message)
    if count < partitions:
        message = f"topic {topic} has {count} partitions, and needs {partitions}"
        raise ValueError(message)


class Offsets:
    """Reads the ends of a topic's partitions, with a client of its own."""

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
            return {partition.partition: end for partition, end in self._consumer.end_offsets(self._partitions).items()}
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
    """Reads topics in a consumer group. The caller commits, once the records are durable elsewhere."""

    def __init__(self, settings: KafkaSettings, topics: Sequence[str], group: str) -> None:
        with _connecting(settings):
            self._consumer: Any = KafkaConsumer(
                *topics,
                **settings.client(),
                group_id=group,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                max_poll_records=500,
                session_timeout_ms=10_000,
                heartbeat_interval_ms=2_000,
                request_timeout_ms=15_000,
                bootstrap_timeout_ms=5_000,
                fetch_max_wait_ms=100,
                max_partition_fetch_bytes=RECORD_MOST,
            )

    def poll(self, timeout_s: float) -> Sequence[Any]:
        """The next records, each with topic, partition, offset, key, value and headers. Raises: ``NoBroker``."""
        try:
            batches = self._consumer.poll(timeout_ms=int(timeout_s * 1000))
        except (KafkaError, OSError) as error:
            message = f"not read: {error!r}"
            raise NoBroker(message) from error
        return [record for batch in batches.values() for record in batch]

    def commit(self) -> None:
        """Commit the polled records. Raises: ``NoBroker``, and then they are read again."""
        try:
            self._consumer.commit()
        except (KafkaError, OSError, AssertionError) as error:
            message = f"not committed: {error!r}"
            raise NoBroker(message) from error

    def close(self) -> None:
        """Leave the group; a broker that cannot be reached notices by the session's timeout."""
        with suppress(KafkaError):
            self._consumer.close()
