"""The shell of a worker without a broker: parts that are stand-ins, a consumer's thread, a stream that acknowledges."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from faust.types import TP

from projections.store.partitions import StoredPartition
from streams.kafka.settings import KafkaSettings
from streams.layouts import Layout
from streams.worker.fold import Counts, Record
from streams.worker.metrics import WorkerMetrics
from streams.worker.shell import SeekingConsumer, Shell, WorkerParts, app_of
from tests.kafka.guard_fold import JOURNAL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

LAYOUT: Final = Layout(1, 2, 0)
PARTITIONS: Final = frozenset({TP(LAYOUT.topic, 0), TP(LAYOUT.topic, 1)})
STORED: Final = {TP(LAYOUT.topic, 0): 7, TP(LAYOUT.topic, 1): 9}
COMMITTED: Final = dict.fromkeys(STORED, 999)


class StoredOffsets:
    """A store of the partitions' states, which may be slow or away."""

    def __init__(self, failure: Exception | None = None, *, slow: bool = False) -> None:
        self.answers = threading.Event()
        if not slow:
            self.answers.set()
        self._failure = failure

    def standing(self) -> dict[int, StoredPartition]:
        """The stored state of each partition."""
        self.answers.wait()
        if self._failure is not None:
            raise self._failure
        return {partition.partition: StoredPartition(JOURNAL, 0, offset, None) for partition, offset in STORED.items()}


class Folding:
    """A fold that records its calls, and may fail."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.asked: list[list[Record]] = []
        self.forgotten = 0
        self.stopped: dict[int, str] = {}
        self._failure = failure

    def forget(self) -> None:
        """Count it."""
        self.forgotten += 1

    def fold(self, records: Iterable[Record]) -> Counts:
        """Nothing is folded."""
        self.asked.append(list(records))
        if self._failure is not None:
            raise self._failure
        return Counts(0, 0, {})


class Ended(NamedTuple):
    """The process would have ended, and what was acknowledged by then."""

    code: int
    why: str
    acknowledged: list[int]


class Stand:
    """The parts that a worker's shell is built on."""

    def __init__(self, store: StoredOffsets | None = None, fold: Folding | None = None, seek_s: float = 5.0) -> None:
        self.store = store or StoredOffsets()
        self.folding = fold or Folding()
        self.ended: list[Ended] = []
        self.stream = Stream()
        offsets: Any = self.store
        folding: Any = self.folding
        kafka, metrics = KafkaSettings(("127.0.0.1:9",)), WorkerMetrics(1)
        self.parts = WorkerParts(
            "w-1", kafka, LAYOUT, offsets, folding, metrics, "/nowhere", end=self._end, seek_s=seek_s
        )

    def _end(self, code: int, why: str) -> None:
        self.ended.append(Ended(code, why, list(self.stream.acknowledged)))

    def app(self, consumer: type[SeekingConsumer] = SeekingConsumer) -> Any:  # noqa: ANN401 - an untyped framework
        """The app of these parts."""
        return app_of(self.parts, Shell(consumer=consumer))


class Message(NamedTuple):
    """A record, as the framework hands it over."""

    partition: int
    offset: int


class Event(NamedTuple):
    """An event of the framework: a value, and its record."""

    value: bytes
    message: Message


class Stream:
    """A stream of two batches that acknowledges one when the next is asked for, or when it is closed."""

    def __init__(self) -> None:
        self.acknowledged: list[int] = []

    async def take_events(self, most: int, within: float) -> AsyncIterator[Sequence[Event]]:
        """Batches."""
        assert most > 1
        assert within < 1
        for offset in (0, 1):
            try:
                yield [Event(b"", Message(0, offset))]
            finally:
                self.acknowledged.append(offset)


class FetchingThread:
    """The thread of a framework's consumer, as far as it is asked: a fetch takes until it is let go."""

    beacon = None

    def __init__(self) -> None:
        self.log: list[str] = []
        self.fetching, self.let_go = asyncio.Event(), asyncio.Event()

    def assignment(self) -> frozenset[TP]:
        """The partitions assigned."""
        return PARTITIONS

    async def getmany(self, partitions: object, timeout: float) -> dict[TP, list[object]]:  # noqa: ARG002, ASYNC109 - the framework's
        """Fetch."""
        self.log.append("fetching")
        self.fetching.set()
        await self.let_go.wait()
        self.log.append("fetched")
        return {}

    async def seek_wait(self, offsets: Mapping[TP, int]) -> None:
        """Seek."""
        assert offsets == STORED
        self.log.append("sought")

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """The group's committed offsets."""
        return COMMITTED


def consumer_of(stand: Stand, consumer_type: type[SeekingConsumer] = SeekingConsumer) -> tuple[Any, FetchingThread]:
    """A consumer over a thread that stands in for the broker's."""
    thread = FetchingThread()

    class Consumer(consumer_type):  # type: ignore[misc,valid-type] # a subclass of what is tested
        def _new_consumer_thread(self) -> Any:  # noqa: ANN401 - what it asks of it
            return thread

    async def callback(*_: object) -> None:
        pass

    callbacks = dict.fromkeys(("callback", "on_partitions_revoked", "on_partitions_assigned"), callback)
    return stand.app(Consumer).transport.create_consumer(**callbacks), thread
