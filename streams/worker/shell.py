"""The worker: a Faust app that is a thin shell around the fold of segments. The only room for that framework.

It seeks to the offsets stored beside the balances, and lets no exception leave the agent: what may pass is retried, poison
stops its partition, everything else ends the process, and a supervisor starts it anew.
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

from projections.segment import NotWritten
from projections.store.partitions import Overtaken
from streams.worker.fold import ReadAgain, Record
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


def group_of(journal: str, layout: Layout) -> str:
    """The consumer group of a layout's workers.

    In the group of another layout, or of a journal before its restoration, the broker remembers what a worker of this
    name was assigned, and assigns it again: partitions of a topic that it does not read, or that has others now.
    """
    return f"{GROUP}.{journal}.{layout.number}"


TAKE: Final = 32
"""How many segments one transaction takes."""
WITHIN_S: Final = 0.05
LOOK_S: Final = 1.0
SEEK_S: Final = 20.0
"""Within this the stored offsets are found, or the process ends: beyond the request timeout Faust would stand for good."""
RETRY_S: Final = 90.0
"""How long a fold waits for a database that is away, until the process ends and begins anew."""
LOG: Final = logging.getLogger("neraca.worker")


def end(code: int, why: str) -> None:
    """End the process at once: whatever it was doing is not committed, and is done again by the next."""
    LOG.warning("ending: %s", why)
    logging.shutdown()
    os._exit(code)


class Parts(Struct, frozen=True):
    """What a worker is made of."""

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


def retried(what: Callable[[], Any], limit_s: float) -> Any:  # noqa: ANN401 - whatever it gives
    """Do something until it is written, or until the time is over. Raises: ``ReadAgain``."""
    began, pause_s = time.monotonic(), 0.1
    while True:
        try:
            return what()
        except NotWritten as error:
            if time.monotonic() - began > limit_s:
                message = f"the database is away: {error}"
                raise ReadAgain(message) from error
            LOG.warning("trying again: %s", error)
            time.sleep(pause_s)
            pause_s = min(1.0, pause_s * 1.7)


class SeekingConsumer(driver.Consumer):
    """Guard 1: seeks where the balances say, not where the group does; nothing is fetched between seek and resumption."""

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
        """Where nothing is assigned any more, nothing is sought either: what was assigned is another's now."""
        app: Any = self.app
        if not assigned:
            app.neraca.metrics.assigned(())
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> Mapping[Any, int]:
        """Stop the flow, wait for the fetch in flight, then seek; within its time, or the process ends."""
        if asyncio.current_task() is self._fetching:
            return {}
        app: Any = self.app
        parts: Parts = app.neraca
        try:
            return await asyncio.wait_for(self._sought(parts), parts.seek_s)
        except Exception as error:
            parts.end(Exit.READ_AGAIN, f"the stored offsets could not be sought: {error!r}")
            raise

    async def _sought(self, parts: Parts) -> Mapping[Any, int]:
        self.stop_flow()
        while self._inflight:  # noqa: ASYNC110 - the framework has no event for it
            await asyncio.sleep(0.01)
        standing = await asyncio.get_running_loop().run_in_executor(
            None, lambda: retried(parts.store.standing, parts.seek_s)
        )
        parts.fold.forget()
        mine = [one for one in self.assignment() if one.topic == parts.layout.topic]
        offsets = {one: standing[one.partition].read_next for one in mine}
        LOG.info("reading partitions %s", sorted(one.partition for one in mine))
        parts.metrics.assigned(one.partition for one in mine)
        if offsets:
            await self.seek_wait(offsets)
        return offsets


async def fold_stream(parts: Parts, thread: Executor, stream: Any) -> None:  # noqa: ANN401 - an untyped framework
    """The agent's body, which no exception leaves: the framework would acknowledge what was under way, and skip it."""
    loop = asyncio.get_running_loop()
    try:
        async for events in stream.take_events(TAKE, within=WITHIN_S):
            records = [Record(one.message.partition, one.message.offset, one.value) for one in events]
            await loop.run_in_executor(thread, _folded, parts, records)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process ends by it
        _end_on(parts, error)


async def look_on(parts: Parts, thread: Executor) -> None:
    """A partition may miss something when no record comes any more: the fold looks for it again and again."""
    loop = asyncio.get_running_loop()
    try:
        while True:
            await asyncio.sleep(LOOK_S)
            await loop.run_in_executor(thread, _folded, parts, [])
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - as in the agent's body
        _end_on(parts, error)


class Shell(NamedTuple):
    """What of the framework a worker puts its own in the place of."""

    consumer: type[driver.Consumer] = SeekingConsumer
    body: Callable[[Parts, Executor, Any], Awaitable[None]] = fold_stream


class _App(faust.App):
    neraca: Parts
    shell: Shell

    def _new_transport(self) -> driver.Transport:
        transport: Any = driver.Transport(self.conf.broker_consumer, self)
        transport.Consumer = self.shell.consumer
        return transport  # type: ignore[no-any-return] # as the framework makes it, but for its consumer


def app_of(parts: Parts, shell: Shell = Shell()) -> Any:  # noqa: ANN401, B008 - an untyped framework; never changed
    """The Faust app of a worker."""
    app = _App(
        parts.group, broker=[f"kafka://{server}" for server in parts.kafka.servers],
        broker_credentials=_credentials(parts), store="memory://", topic_partitions=parts.layout.partitions,
        web_enabled=False, stream_wait_empty=False,
        broker_session_timeout=10.0, broker_heartbeat_interval=2.0, broker_rebalance_timeout=20.0,
        broker_request_timeout=40.0, consumer_auto_offset_reset="earliest", table_standby_replicas=0,
        topic_allow_declare=False, topic_disable_leader=True, consumer_group_instance_id=parts.name,
        value_serializer="raw", datadir=parts.directory, consumer_max_fetch_size=32 * 2**20,
    )  # fmt: skip
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


def _folded(parts: Parts, records: list[Record]) -> None:
    """One transaction's worth of records, in the fold's own thread: the loop has heartbeats to send."""
    counts = retried(lambda: parts.fold.fold(records), RETRY_S)
    parts.metrics.folded(counts, parts.fold.stopped)


def _end_on(parts: Parts, error: BaseException) -> None:
    if isinstance(error, Overtaken):
        parts.end(Exit.OVERTAKEN, str(error))
    elif isinstance(error, ReadAgain):
        parts.end(Exit.READ_AGAIN, str(error))
    else:
        LOG.critical("the fold failed", exc_info=error)
        parts.end(Exit.FAILED, repr(error))


def _credentials(parts: Parts) -> Any:  # noqa: ANN401 - an untyped framework
    kafka = parts.kafka
    if kafka.protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.user, password=kafka.password, mechanism=kafka.mechanism, ssl_context=kafka.tls()
        )
    return faust.SSLCredentials(context=kafka.tls()) if kafka.protocol == "SSL" else None


def run(parts: Parts, shell: Shell = Shell(), fault: Callable[[Any], str | None] | None = None) -> None:  # noqa: B008 - the same
    """Fold until SIGTERM, or until the process ends itself to begin anew."""
    for chatty in (
        "faust",
        "aiokafka",
        "mode",
        "streams.worker.shell",
    ):  # the framework names its services after our module
        logging.getLogger(chatty).setLevel(logging.WARNING)
    app = app_of(parts, shell)
    watched = (app, parts, fault or coordinator_fault)
    threading.Thread(target=_watch_coordinator, args=watched, name="neraca-coordinator", daemon=True).start()
    worker = faust.Worker(app, loglevel="warning", quiet=True, override_logging=False)
    worker.spinner = None  # it moves the cursor, also of a log
    worker.execute_from_commandline()


def coordinator_fault(app: Any) -> str | None:  # noqa: ANN401 - an untyped framework
    """Guard 5: an error of the coordinator that nobody reads, or the end of its task; ``None`` while it is well."""
    try:
        coordinator = app._consumer._thread._consumer._coordinator  # noqa: SLF001 - it offers no other way
        pending, ended = coordinator._pending_exception, coordinator._coordination_task.done()  # noqa: SLF001 - the same
    except AttributeError:  # not there yet
        return None
    if pending is not None:
        return f"the coordinator failed: {pending!r}"
    return "the coordination has ended" if ended and not app.should_stop else None


def _watch_coordinator(app: Any, parts: Parts, fault: Callable[[Any], str | None]) -> None:  # noqa: ANN401 - an untyped framework
    """What the coordinator does not tell would leave the worker deaf; and a worker whose supervisor is gone ends too."""
    parent = os.getppid()
    while True:
        time.sleep(1.0)
        if os.getppid() != parent:
            parts.end(Exit.ENDED, "the supervisor is gone")
        why = fault(app)
        if why is not None:
            parts.end(Exit.READ_AGAIN, why)
