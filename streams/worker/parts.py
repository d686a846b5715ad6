"""Puts a worker's process together: its epoch, its store, the fold, the threads that watch it, and the shell around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from projections.store.partitions import PartitionStore
from streams.journal.stuck_sessions import StuckSessions
from streams.kafka.broker import Headers, NoBroker, Offsets, Sender, ensure_topic
from streams.layouts import Layouts
from streams.worker.fold import Letter, PartitionFold, Trust
from streams.worker.metrics import WorkerMetrics
from streams.worker.rules import Rules
from streams.worker.shell import WorkerParts, end, group_of, run
from streams.worker.supervisor import Exit
from streams.worker.turn import ReadAgain
from streams.worker.watchdog import Watch

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from projections.store.store import Store
    from streams.journal.journal import Journal
    from streams.kafka.settings import KafkaSettings
    from streams.places.database import Database

DEAD_TOPIC: Final = "neraca.segments.dead"


class DeadLetters:
    """Keeps records that cannot be applied on a topic of their own, with the reason and the place they came from."""

    def __init__(self, kafka: KafkaSettings, topic: str) -> None:
        self._kafka = kafka
        self._topic = topic

    def __call__(self, letter: Letter) -> None:
        """Keep one. Raises: ``ReadAgain`` when that cannot be done now: the record is read again."""
        record = letter.record
        origin: dict[str, Any] = {
            "why": letter.why,
            "topic": self._topic,
            "partition": record.partition,
            "offset": record.offset,
        }
        headers: Headers = [(name, str(value).encode()) for name, value in origin.items()]
        try:
            ensure_topic(self._kafka, DEAD_TOPIC, 1)
            sender = Sender(self._kafka)
            try:
                sender.send([(DEAD_TOPIC, None, None, record.value or b"", headers)])
            finally:
                sender.close()
        except NoBroker as error:
            message = f"a dead letter could not be kept: {error}"
            raise ReadAgain(message) from error


def reopener(database: Database) -> Callable[[], Store | None]:
    """A function that opens the store of the generation served at the time of the call."""
    generations = database.generations()

    def reopen() -> Store | None:
        current = generations.current()
        return None if current is None else current[1]

    return reopen


def fold_partitions(
    database: Database, journal: Journal, kafka: KafkaSettings, options: argparse.Namespace, epoch: int
) -> None:
    """Fold until the process has to end. Raises: ``WrongJournal`` when the balances are of another journal."""
    run(parts_of(database, journal, kafka, options, epoch))


def parts_of(
    database: Database, journal: Journal, kafka: KafkaSettings, options: argparse.Namespace, epoch: int
) -> WorkerParts:
    """The parts of a worker; the threads that watch it have started. Raises: ``WrongJournal``."""
    layouts = Layouts(database, journal)
    layout = layouts.current(options.partitions)
    ensure_topic(kafka, layout.topic, layout.partitions)
    zone = ZoneInfo(journal.zone)
    store = PartitionStore(reopener(database), layout.number, layout.partitions, options.name, epoch, zone)
    fold = PartitionFold(
        store,
        journal.id,
        layout.number,
        DeadLetters(kafka, layout.topic),
        Trust(layouts.key_of(layout.number), zone),
    )
    metrics = WorkerMetrics(epoch)
    if options.metrics_port:
        metrics.serve(*options.metrics_port)
    offsets, sessions = Offsets(kafka, layout.topic, layout.partitions), StuckSessions()

    def free() -> None:
        with database.connected("free") as db:
            sessions.end(db)

    Watch(
        store,
        layout,
        layouts,
        offsets.ends,
        lambda: metrics.mine,
        lambda: fold.stopped,
        metrics.lag,
        free,
        lambda why: end(Exit.WATCHDOG, why),
    ).start()
    Rules(store, journal).start()
    return WorkerParts(options.name, kafka, layout, store, fold, metrics, options.alone, group_of(journal.id, layout))
