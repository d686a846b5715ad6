"""The guards of the worker's shell around the fold, without a broker: each works, and a copy without it fails."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

import faust
import pytest

from projections.segment import NotWritten
from projections.store.generations_postgres import IDLE_MS
from projections.store.partitions import Overtaken
from streams.worker import shell as worker
from streams.worker.fold import Record
from streams.worker.shell import SEEK_S, SeekingConsumer, coordinator_fault, fold_stream, look_on
from streams.worker.supervisor import Exit
from streams.worker.turn import ReadAgain, until_written
from tests.kafka.guard_shell import Folding, Stand

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    Body = Callable[[worker.WorkerParts, Executor, Any], Awaitable[None]]

pytestmark = pytest.mark.speed("test")


def agent_check(failure: BaseException, code: Exit, body: Body = fold_stream) -> None:
    """Guard 8: no exception leaves the agent's body; the process ends before the failed records are acknowledged."""

    async def check() -> None:
        stand = Stand(fold=Folding(failure))
        with ThreadPoolExecutor(1) as thread:
            await body(stand.parts, thread, stand.stream)
        assert stand.folding.asked == [[Record(0, 0, b"")]]
        assert [(ending.code, ending.acknowledged) for ending in stand.ended] == [(code, [])]

    asyncio.run(check())


FAILURES: Final = [
    (ReadAgain("a gap"), Exit.READ_AGAIN),
    (Overtaken("a newer process"), Exit.OVERTAKEN),
    (ValueError("a fault of the program"), Exit.FAILED),
    (MemoryError(), Exit.FAILED),
]


@pytest.mark.parametrize(("failure", "code"), FAILURES)
def test_no_exception_leaves_the_agent(failure: BaseException, code: Exit) -> None:
    agent_check(failure, code)


async def unguarded(parts: worker.WorkerParts, thread: Executor, stream: Any) -> None:  # noqa: ANN401 - the framework's
    """Planted: any exception of the fold leaves the body."""
    async for events in stream.take_events(16, within=0.05):
        records = [Record(event.message.partition, event.message.offset, event.value) for event in events]
        await asyncio.get_running_loop().run_in_executor(thread, worker.fold_turn, parts, records)


async def logging_only(parts: worker.WorkerParts, thread: Executor, stream: Any) -> None:  # noqa: ANN401 - the framework's
    """Planted: a batch that fails is passed over, and the next is taken."""
    async for events in stream.take_events(16, within=0.05):
        records = [Record(event.message.partition, event.message.offset, event.value) for event in events]
        await asyncio.gather(
            asyncio.get_running_loop().run_in_executor(thread, worker.fold_turn, parts, records), return_exceptions=True
        )


@pytest.mark.planted
@pytest.mark.parametrize("body", [unguarded, logging_only])
def test_without_its_guard_an_exception_acknowledges_and_skips(body: Body) -> None:
    with pytest.raises((AssertionError, ValueError)):
        agent_check(ValueError("a fault of the program"), Exit.FAILED, body)


def test_batches_are_folded_one_after_another() -> None:
    """And acknowledged only afterwards."""

    async def check() -> None:
        stand = Stand()
        with ThreadPoolExecutor(1) as thread:
            await fold_stream(stand.parts, thread, stand.stream)
        assert stand.folding.asked == [[Record(0, 0, b"")], [Record(0, 1, b"")]]
        assert (stand.stream.acknowledged, stand.ended) == ([0, 1], [])

    asyncio.run(check())


def test_what_a_quiet_partition_misses_is_looked_for() -> None:
    """Guard 2: the fold is asked to look even without a record, and its exception ends the process."""

    async def check() -> None:
        stand = Stand(fold=Folding(ReadAgain("a gap")))
        with ThreadPoolExecutor(1) as thread:
            await asyncio.wait_for(look_on(stand.parts, thread), 10)
        assert [(ending.code, ending.why) for ending in stand.ended] == [(Exit.READ_AGAIN, "a gap")]
        assert stand.folding.asked == [[]]

    asyncio.run(check())


def test_what_is_not_written_is_tried_again_for_a_while() -> None:
    """Then the process ends, to begin anew."""
    times = iter(range(3))

    def written() -> str:
        if next(times) < 2:
            raise NotWritten
        return "written"

    def away() -> None:
        raise NotWritten

    assert until_written(written, 5.0) == "written"
    with pytest.raises(ReadAgain, match="the database is away"):
        until_written(away, 0.2)


def coordinator(pending: BaseException | None, *, is_over: bool, stopping: bool = False) -> Any:  # noqa: ANN401 - a stand-in
    """An app as the watcher sees it."""
    task = SimpleNamespace(done=lambda: is_over)
    thread = SimpleNamespace(_coordinator=SimpleNamespace(_pending_exception=pending, _coordination_task=task))
    return SimpleNamespace(_consumer=SimpleNamespace(_thread=SimpleNamespace(_consumer=thread)), should_stop=stopping)


@pytest.mark.parametrize(
    ("app", "fault"),
    [
        (coordinator(None, is_over=False), None),
        (coordinator(ValueError("fenced"), is_over=False), "the coordinator failed: ValueError('fenced')"),
        (
            coordinator(ValueError("fenced"), is_over=False, stopping=True),
            "the coordinator failed: ValueError('fenced')",
        ),
        (coordinator(None, is_over=True), "the coordination has ended"),
        (coordinator(None, is_over=True, stopping=True), None),
        (SimpleNamespace(_consumer=None), None),
        (SimpleNamespace(_consumer=SimpleNamespace(_thread=SimpleNamespace(_consumer=None))), None),
    ],
    ids=["well", "an error", "an error while it ends", "its task is over", "it ends", "not begun", "no client yet"],
)
def test_an_error_of_the_coordinator_that_nobody_reads_is_a_fault(app: Any, fault: str | None) -> None:  # noqa: ANN401 - a stand-in
    """Guard 5. A test on the broker shows that the real client has these attributes."""
    assert coordinator_fault(app) == fault


def configuration_check(app: Any) -> None:  # noqa: ANN401 - an untyped framework
    """Guard 8: static membership, short beats, and nothing of the framework's that the worker does itself."""
    conf = app.conf
    assert conf.consumer_group_instance_id == "w-1"
    assert (conf.broker_session_timeout, conf.broker_heartbeat_interval) == (10.0, 2.0)
    assert (conf.broker_rebalance_timeout, conf.broker_request_timeout) == (20.0, 40.0)
    assert (conf.topic_disable_leader, conf.topic_allow_declare, conf.web_enabled) == (True, False, False)
    assert (conf.stream_wait_empty, conf.table_standby_replicas) == (False, 0)
    assert conf.processing_guarantee.value == "at_least_once"
    assert conf.consumer_auto_offset_reset == "earliest"
    assert app.transport.Consumer is SeekingConsumer


def test_the_app_is_configured_as_the_guards_demand() -> None:
    """And the limits stand to one another as they must: a seek well within a request, locks within a session."""
    app = Stand().app()
    configuration_check(app)
    assert app.conf.broker_request_timeout > SEEK_S * 1.5
    assert app.conf.broker_session_timeout * 1000 > IDLE_MS


def test_the_frameworks_own_configuration_is_another() -> None:
    with pytest.raises(AssertionError):
        configuration_check(faust.App("plain"))
