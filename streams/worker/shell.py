"""The worker's shell: a thin Faust app around the fold of segments. The only module that knows Faust.

It seeks to the offsets stored beside the balances, and lets no exception leave the agent: a failure that may pass is
retried, a bad segment stops its partition, any other error ends the process, and a supervisor starts it again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import faust
from faust.transport.drivers import aiokafka as driver
from msgspec import Struct

from streams.worker import turn
from streams.worker.fold import Record
from streams.worker.supervisor import Exit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from concurrent.futures import Executor

    from projections.store.partitions import PartitionStore
    from streams.kafka.settings import KafkaSettings
    from streams.layouts import Layout
    from streams.worker.fold import PartitionFold
    from streams.worker.metrics import WorkerMetrics

GROUP: Final = "neraca-workers"
SEEK_S: Final = 20.0
"""The time for seeking the stored offsets; then the process ends: past Faust's request timeout it would hang for good."""
CHATTY: Final = ("faust", "aiokafka", "mode", "streams.worker.shell")
"""Loggers of the framework. It names its services after the module of their app, which is this one."""
LOG: Final = logging.getLogger("neraca.worker")


def group_of(journal: str, layout: Layout) -> str:
    """The consumer group of a layout's workers.

    Layouts, and a journal before and after its restoration, do not share a group: the broker remembers what a worker of
    this name was assigned, and would assign it partitions of a topic that it does not read any more.
    """
    return f"{GROUP}.{journal}.{layout.number}"


def end(code: int, why: str) -> None:
    """End the process at once: work that is not committed is done again by the next one."""
    LOG.warning("ending: %s", why)
    logging.shutdown()
    os._exit(code)


class WorkerParts(Struct, frozen=True):
    """The parts of a worker."""

    name: str
    kafka: KafkaSettings
    layout: Layout
    store: PartitionStore
    fold: PartitionFold
    metrics: WorkerMetrics
    directory: str
    group: str = GROUP
    end: Callable[[int, str], None] = end
    seek_s: float = SEEK_S


class SeekingConsumer(driver.Consumer):
    """Guard 1: seeks the offsets stored with the balances, not those of the group; nothing is fetched until it has."""

    _inflight = 0
    _fetching: Any = None

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 - the framework's
        self._fetching = asyncio.current_task()
        self._inflight += 1
        try:
            return await super()._getmany(active_partitions, timeout)
        finally:
            self._inflight -= 1

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:  # noqa: ANN401 - the framework's
        """With no partitions left, forget those that were assigned: they belong to another worker, and nothing is sought."""
        app: Any = self.app
        if not assigned:
            app.neraca.metrics.note_assignment(())
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> Mapping[Any, int]:
        """Stop the flow, wait for the fetch in flight, then seek; if that takes too long, the process ends."""
        if asyncio.current_task() is self._fetching:
            return {}
        app: Any = self.app
        parts: WorkerParts = app.neraca
        try:
            return await asyncio.wait_for(self._seek_stored(parts), parts.seek_s)
        except Exception as error:
            parts.end(Exit.READ_AGAIN, f"the stored offsets could not be sought: {error!r}")
            raise

    async def _seek_stored(self, parts: WorkerParts) -> Mapping[Any, int]:
        self.stop_flow()
        while self._inflight:  # noqa: ASYNC110 - the framework has no event for it
            await asyncio.sleep(0.01)
        rows = await asyncio.get_running_loop().run_in_executor(
            None, lambda: turn.until_written(parts.store.standing, parts.seek_s)
        )
        parts.fold.forget()
        mine = [partition for partition in self.assignment() if partition.topic == parts.layout.topic]
        offsets = {partition: rows[partition.partition].read_next for partition in mine}
        LOG.info("reading partitions %s", sorted(partition.partition for partition in mine))
        parts.metrics.note_assignment(partition.partition for partition in mine)
        if offsets:
            await self.seek_wait(offsets)
        return offsets


async def fold_stream(parts: WorkerParts, thread: Executor, stream: Any) -> None:  # noqa: ANN401 - an untyped framework
    """The agent's body. No exception leaves it: the framework would acknowledge the records under way, and skip them."""
    loop = asyncio.get_running_loop()
    try:
        async for events in stream.take_events(turn.TAKE, within=turn.WITHIN_S):
            records = [Record(event.message.partition, event.message.offset, event.value) for event in events]
            await loop.run_in_executor(thread, fold_turn, parts, records)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends by it
        _end_on(parts, error)


async def look_on(parts: WorkerParts, thread: Executor) -> None:
    """Take a turn without records again and again: a partition may miss something when no record arrives any more."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            await asyncio.sleep(turn.LOOK_S)
            await loop.run_in_executor(thread, fold_turn, parts, [])
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - as in the agent's body
        _end_on(parts, error)


class Shell(NamedTuple):
    """The parts of the framework that a worker replaces by its own."""

    consumer: type[driver.Consumer] = SeekingConsumer
    body: Callable[[WorkerParts, Executor, Any], Awaitable[None]] = fold_stream


class _App(faust.App):
    neraca: WorkerParts
    shell: Shell

    def _new_transport(self) -> driver.Transport:
        transport: Any = driver.Transport(self.conf.broker_consumer, self)
        transport.Consumer = self.shell.consumer
        return transport  # type: ignore[no-any-return] # as the framework makes it, but for its consumer


def app_of(parts: WorkerParts, shell: Shell = Shell()) -> Any:  # noqa: ANN401, B008 - an untyped framework; never changed
    """The Faust app of a worker."""
    app = _App(
        parts.group,
        broker=[f"kafka://{server}" for server in parts.kafka.servers],
        broker_credentials=_credentials(parts),
        store="memory://",
        topic_partitions=parts.layout.partitions,
        web_enabled=False,
        stream_wait_empty=False,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_rebalance_timeout=20.0,
        broker_request_timeout=40.0,
        consumer_auto_offset_reset="earliest",
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_group_instance_id=parts.name,
        value_serializer="raw",
        datadir=parts.directory,
        consumer_max_fetch_size=32 * 2**20,
    )
    app.neraca, app.shell = parts, shell
    topic = app.topic(parts.layout.topic, value_type=bytes, value_serializer="raw", key_serializer="raw")
    thread = ThreadPoolExecutor(1, thread_name_prefix="neraca-fold")

    async def fold(stream: Any) -> None:  # noqa: ANN401 - an untyped framework
        looking = asyncio.create_task(look_on(parts, thread))
        try:
            await shell.body(parts, thread, stream)
        finally:
            looking.cancel()

    app.agent(topic)(fold)
    return app


def fold_turn(parts: WorkerParts, records: list[Record]) -> None:
    """Fold one turn's records, in the fold's own thread: the loop has heartbeats to send."""
    counts = turn.until_written(lambda: parts.fold.fold(records))
    parts.metrics.note_fold(counts, parts.fold.stopped)


def _end_on(parts: WorkerParts, error: BaseException) -> None:
    ending = turn.ending_of(error)
    if ending.code is Exit.FAILED:
        LOG.critical("the fold failed", exc_info=error)
    parts.end(*ending)


def _credentials(parts: WorkerParts) -> Any:  # noqa: ANN401 - an untyped framework
    kafka = parts.kafka
    if kafka.protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.user, password=kafka.password, mechanism=kafka.mechanism, ssl_context=kafka.tls()
        )
    return faust.SSLCredentials(context=kafka.tls()) if kafka.protocol == "SSL" else None


def run(parts: WorkerParts, shell: Shell = Shell(), fault: Callable[[Any], str | None] | None = None) -> None:  # noqa: B008 - the same
    """Fold until SIGTERM, or until the process ends itself to begin again."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    app = app_of(parts, shell)
    arguments = (app, parts, fault or coordinator_fault)
    threading.Thread(target=_watch_coordinator, args=arguments, name="neraca-coordinator", daemon=True).start()
    worker = faust.Worker(app, loglevel="warning", quiet=True, override_logging=False)
    worker.spinner = None  # it moves the cursor, also of a log
    worker.execute_from_commandline()


def coordinator_fault(app: Any) -> str | None:  # noqa: ANN401 - an untyped framework
    """Guard 5: an error of the coordinator that nobody reads, or the end of its task; ``None`` while it is well."""
    try:
        coordinator = app._consumer._thread._consumer._coordinator  # noqa: SLF001 - it offers no other way
        pending, is_over = coordinator._pending_exception, coordinator._coordination_task.done()  # noqa: SLF001 - the same
    except AttributeError:  # not there yet
        return None
    if pending is not None:
        return f"the coordinator failed: {pending!r}"
    return "the coordination has ended" if is_over and not app.should_stop else None


def _watch_coordinator(app: Any, parts: WorkerParts, fault: Callable[[Any], str | None]) -> None:  # noqa: ANN401 - an untyped framework
    """End the worker on a fault of the coordinator, which would leave it deaf, or when its supervisor is gone."""
    parent = os.getppid()
    while True:
        time.sleep(1.0)
        if os.getppid() != parent:
            parts.end(Exit.ENDED, "the supervisor is gone")
        why = fault(app)
        if why is not None:
            parts.end(Exit.READ_AGAIN, why)
