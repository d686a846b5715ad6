"""The guards of the worker's consumer, over the framework's own and a thread that stands in for the broker's.

Each works, and a copy without it fails.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from faust.transport.drivers import aiokafka as driver

from projections.segment import NotWritten
from streams.worker.shell import SeekingConsumer
from streams.worker.supervisor import Exit
from tests.kafka.guard_shell import COMMITTED, STORED, Stand, StoredOffsets, consumer_of

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.speed("test")


def seek_check(consumer_type: type[SeekingConsumer]) -> None:
    """Guard 1: it seeks to the stored offsets, the flow stopped, after the fetch in flight; what was ahead is forgotten."""

    async def check() -> None:
        stand = Stand()
        consumer, thread = consumer_of(stand, consumer_type)
        consumer.resume_flow()
        fetch = asyncio.create_task(consumer._getmany(None, 1.0))
        await thread.fetching.wait()
        seek = asyncio.create_task(consumer.seek_to_committed())
        await asyncio.wait({seek}, timeout=1.0)
        thread.let_go.set()
        assert await seek == STORED
        await fetch
        assert thread.log == ["fetching", "fetched", "sought"]
        assert not consumer.flow_active
        assert (stand.folding.forgotten, sorted(stand.parts.metrics.mine), stand.ended) == (1, [0, 1], [])

    asyncio.run(check())


class Committed(SeekingConsumer):
    """Planted: the group's committed offsets are believed."""

    async def seek_to_committed(self) -> Mapping[Any, int]:
        offsets: Mapping[Any, int] = await driver.Consumer.seek_to_committed(self)
        return offsets


class Hasty(SeekingConsumer):
    """Planted: a fetch in flight is not waited for; its records are thrown away when the flow resumes."""

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 - the framework's
        return await driver.Consumer._getmany(self, active_partitions, timeout)


class Flowing(SeekingConsumer):
    """Planted: the flow goes on while it seeks."""

    def stop_flow(self) -> None:
        pass


def test_it_seeks_to_the_stored_offsets_when_nothing_is_fetched() -> None:
    seek_check(SeekingConsumer)


@pytest.mark.planted
@pytest.mark.speed("soak")
@pytest.mark.parametrize("consumer_type", [Committed, Hasty, Flowing])
def test_without_its_guard_a_seek_is_wrong(consumer_type: type[SeekingConsumer]) -> None:
    with pytest.raises(AssertionError):
        seek_check(consumer_type)
    assert STORED != COMMITTED


def fetching_task_check(consumer_type: type[SeekingConsumer]) -> None:
    """Guard 1: from the fetching task itself nothing is sought; a resumption with a seek of its own follows."""

    async def check() -> None:
        consumer, thread = consumer_of(Stand(), consumer_type)
        thread.let_go.set()
        await consumer._getmany(None, 1.0)
        assert await consumer.seek_to_committed() == {}
        assert thread.log == ["fetching", "fetched"]

    asyncio.run(check())


class SelfSeeking(SeekingConsumer):
    """Planted: it does not distinguish its callers."""

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:  # noqa: ANN401, ASYNC109 - the framework's
        try:
            return await super()._getmany(active_partitions, timeout)
        finally:
            self._fetching = None


def test_the_fetching_task_seeks_nothing() -> None:
    fetching_task_check(SeekingConsumer)


@pytest.mark.planted
def test_without_its_guard_the_fetching_task_seeks() -> None:
    with pytest.raises(AssertionError):
        fetching_task_check(SelfSeeking)


def seek_time_check(store: StoredOffsets, consumer_type: type[SeekingConsumer] = SeekingConsumer) -> None:
    """Guard 1: a seek that is not done within its time ends the process, which reads again."""

    async def check() -> None:
        stand = Stand(store, seek_s=0.3)
        consumer, thread = consumer_of(stand, consumer_type)
        seek = asyncio.create_task(consumer.seek_to_committed())
        await asyncio.wait({seek}, timeout=3)
        store.answers.set()
        await asyncio.gather(seek, return_exceptions=True)
        assert [ending.code for ending in stand.ended] == [Exit.READ_AGAIN]
        assert "the stored offsets could not be sought" in stand.ended[0].why
        assert thread.log == []

    asyncio.run(check())


class Patient(SeekingConsumer):
    """Planted: it takes the time it needs."""

    async def seek_to_committed(self) -> Mapping[Any, int]:
        app: Any = self.app
        return await self._seek_stored(app.neraca)


def test_a_seek_that_takes_too_long_ends_the_process() -> None:
    seek_time_check(StoredOffsets(slow=True))


def test_a_seek_while_the_database_is_away_ends_the_process() -> None:
    seek_time_check(StoredOffsets(NotWritten("away")))


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_limit_a_seek_takes_any_time() -> None:
    with pytest.raises(AssertionError):
        seek_time_check(StoredOffsets(slow=True), Patient)


def assignment_check(consumer_type: type[SeekingConsumer]) -> None:
    """Guard 6: a partition that went to another worker is no longer watched here, though there is no seek."""

    async def check() -> None:
        stand = Stand()
        consumer, _ = consumer_of(stand, consumer_type)
        await consumer.seek_to_committed()
        assert sorted(stand.parts.metrics.mine) == [0, 1]
        await consumer.on_partitions_assigned(set(STORED), 1)
        assert sorted(stand.parts.metrics.mine) == [0, 1]
        await consumer.on_partitions_assigned(set(), 2)
        assert sorted(stand.parts.metrics.mine) == []

    asyncio.run(check())


class Unaware(SeekingConsumer):
    """Planted: the assignment is only known from seeks."""

    async def on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:  # noqa: ANN401 - the framework's
        await driver.Consumer.on_partitions_assigned(self, assigned, generation_id)


def test_what_is_assigned_to_another_is_not_watched() -> None:
    assignment_check(SeekingConsumer)


@pytest.mark.planted
def test_without_its_guard_what_is_anothers_is_watched() -> None:
    with pytest.raises(AssertionError):
        assignment_check(Unaware)
