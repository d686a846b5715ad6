"""A worker's process over real servers, whole or with one guard removed; it prints the offsets it reads from.

Run as ``python -m tests.kafka.guard_worker NAME VARIANT``; database and broker are named by the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from faust.transport.drivers import aiokafka as driver

from streams.journal.journal import Journal
from streams.kafka.broker import quiet
from streams.kafka.settings import KafkaSettings
from streams.layouts import Layouts
from streams.places.database import Database
from streams.worker.fold import Counts, PartitionFold, Record, Trust
from streams.worker.lease import acquire
from streams.worker.parts import parts_of
from streams.worker.shell import SeekingConsumer, Shell, WorkerParts, coordinator_fault, fold_stream, run
from tests.serving import ZONE, Clock, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor

PARTITIONS: Final = 4


def say(what: str, **more: object) -> None:
    """A line of what happened."""
    print(msgspec.json.encode({"what": what, **more}).decode(), flush=True)  # noqa: T201 - read by the test that started it


class Stored(SeekingConsumer):
    """As it is."""

    async def seek_to_committed(self) -> Mapping[Any, int]:
        offsets: Mapping[Any, int] = await super().seek_to_committed()
        if offsets:
            say("sought", offsets={partition.partition: offset for partition, offset in offsets.items()})
        return offsets


class Committed(Stored):
    """Planted: the group's committed offsets are believed."""

    async def seek_to_committed(self) -> Mapping[Any, int]:
        offsets: Mapping[Any, int] = await driver.Consumer.seek_to_committed(self)
        if offsets:
            app: Any = self.app
            app.neraca.metrics.note_assignment(partition.partition for partition in offsets)
            say("sought", offsets={partition.partition: offset for partition, offset in offsets.items()})
        return offsets


class Failing(PartitionFold):
    """It fails on any input, by a fault of the program."""

    def fold(self, records: Iterable[Record]) -> Counts:
        """Fail."""
        if list(records):
            say("failing")
            message = "a fault of the program"
            raise ValueError(message)
        return Counts(0, 0, {})


async def unguarded(parts: WorkerParts, thread: Executor, stream: Any) -> None:  # noqa: ANN401 - the framework's
    """Planted: any exception of the fold leaves the agent's body."""
    async for events in stream.take_events(16, within=0.05):
        records = [Record(event.message.partition, event.message.offset, event.value) for event in events]
        await asyncio.get_running_loop().run_in_executor(thread, parts.fold.fold, records)


def harmed(harm: Callable[[Any, Any], None], app: Any) -> None:  # noqa: ANN401 - an untyped framework
    """Do something to the real client's coordinator, by the names under which the worker looks at it, once it has joined."""

    def coordinator() -> Any:  # noqa: ANN401 - the same
        try:
            thread = app._consumer._thread
            coordinator = thread._consumer._coordinator
        except AttributeError:
            return None
        assignment = thread._consumer.assignment()
        return (
            (thread, coordinator)
            if coordinator._pending_exception is None and not coordinator._coordination_task.done() and assignment
            else None
        )

    harm(*until(coordinator, "the coordinator has joined"))
    say("harmed")


def fenced(_: Any, coordinator: Any) -> None:  # noqa: ANN401 - an untyped framework
    """An error of the coordinator's that nobody reads."""
    coordinator._pending_exception = ConnectionError("fenced")


def over(thread: Any, coordinator: Any) -> None:  # noqa: ANN401 - an untyped framework
    """The coordination has ended."""
    thread.thread_loop.call_soon_threadsafe(coordinator._coordination_task.cancel)


class Variant(msgspec.Struct):
    """A worker's process, and what is different about it."""

    shell: Shell = msgspec.field(default_factory=lambda: Shell(Stored))
    fold: type[PartitionFold] | None = None
    harm: Any = None
    watched: bool = True


VARIANTS: Final = {
    "whole": Variant(),
    "committed": Variant(Shell(Committed)),
    "failing": Variant(Shell(Stored, fold_stream), Failing),
    "failing unguarded": Variant(Shell(Stored, unguarded), Failing),
    "fenced": Variant(harm=fenced),
    "fenced unwatched": Variant(harm=fenced, watched=False),
    "over": Variant(harm=over),
}


def main(name: str, variant: Variant) -> None:
    """Fold until the end is signalled."""
    quiet()
    database = Database(os.environ["NERACA_DATABASE_URL"])
    journal = Journal.open(database.journal, ZONE, Clock()())
    options = argparse.Namespace(name=name, partitions=PARTITIONS, metrics_port=0)
    with tempfile.TemporaryDirectory(prefix="neraca-worker-") as directory, database.connected("worker") as standing:
        options.alone = directory
        epoch = acquire(standing, name, Path(directory))
        parts = parts_of(database, journal, KafkaSettings.of(os.environ), options, epoch)
        if variant.fold is not None:
            trust = Trust(Layouts(database, journal).key_of(parts.layout.number), ZoneInfo(journal.zone))
            failing = variant.fold(parts.store, journal.id, parts.layout.number, lambda _: None, trust)
            parts = msgspec.structs.replace(parts, fold=failing)
        harming = threading.Event()

        def fault(app: Any) -> str | None:  # noqa: ANN401 - an untyped framework
            if variant.harm is not None and not harming.is_set():
                harming.set()
                threading.Thread(target=harmed, args=(variant.harm, app), daemon=True).start()
            return coordinator_fault(app) if variant.watched else None

        run(parts, variant.shell, fault)


if __name__ == "__main__":
    main(sys.argv[1], VARIANTS[sys.argv[2]])
