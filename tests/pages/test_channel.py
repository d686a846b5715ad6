"""A channel sends every reader each change, from any cause, until nobody listens."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

import pytest
from fastapi import FastAPI, Request
from fastapi.sse import ServerSentEvent
from prometheus_client import CollectorRegistry, Gauge

from api.http.access import Access
from api.pages.board.live import live_router
from api.v1.stream import Ending, stream_router
from projections.live import Live
from projections.movement import KEPT, Movement
from projections.reading.version import Version
from projections.segment import At, Moved
from tests.pages.channel import Board, channel_of, come

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, MutableMapping

    from fastapi.routing import APIRoute

    from projections.ports import Tokens
    from projections.reading.backlog import Backlog

pytestmark = pytest.mark.speed("test")


@pytest.mark.usefixtures("hasty")
def test_a_table_is_rendered_once_however_many_come_and_the_end_is_told_to_all() -> None:
    async def run() -> None:
        board, ending = Board(), Ending()
        channel = channel_of(board, Movement(), ending)
        readers = [channel.follow() for _ in range(5)]
        assert [await anext(reader) for reader in readers] == ["1 0 True"] * 5
        assert board.rendered == 1
        ending.tell()
        for reader in readers:
            assert [message async for message in reader if message is not None] == []
        assert channel.listeners == 0

    asyncio.run(run())


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("turns", range(8))
def test_nothing_is_drawn_for_nobody_though_the_last_reader_goes_as_something_moves(turns: int) -> None:
    """At whichever turn of the loop it goes, nothing listens afterwards."""

    async def run() -> None:
        board, movement, ending = Board(), Movement(), Ending()
        board.version = Version("j", 1, At(1), 0, until_us=60_000_000)
        following = channel_of(board, movement, ending).follow()
        assert [await anext(following), await anext(following)] == ["1 0 True", None]
        movement.tell(1, Moved(2))
        for _ in range(turns):
            await asyncio.sleep(0)
        await following.aclose()
        await come(lambda: (ending.wakers, movement._listeners) == (set(), []), "nothing listens")

    asyncio.run(run())


@pytest.mark.usefixtures("hasty")
def test_who_comes_while_nothing_can_be_drawn_is_told_nothing_until_it_can() -> None:
    """Neither that all is well nor that it failed; who goes meanwhile leaves nothing behind."""

    async def run() -> None:
        board, ending = Board(), Ending()
        channel = channel_of(board, Movement(), ending)
        board.failing = True
        readers = [channel.follow() for _ in range(3)]
        messages = [asyncio.ensure_future(anext(reader)) for reader in readers]
        await come(lambda: board.asked > 3, "it is tried again and again")
        assert not any(message.done() for message in messages)
        messages[0].cancel()
        board.failing = False
        assert await asyncio.gather(*messages[1:]) == ["1 0 True"] * 2
        assert await anext(readers[1]) is None, "alive"
        for reader in readers:
            await reader.aclose()
        await come(lambda: (channel.listeners, ending.wakers) == (0, set()), "nothing is left behind")

    asyncio.run(run())


@pytest.mark.usefixtures("hasty")
def test_the_end_is_told_to_who_waits_for_a_first_drawing() -> None:
    async def run() -> None:
        board, ending = Board(), Ending()
        board.failing = True
        reader = channel_of(board, Movement(), ending).follow()
        message = asyncio.ensure_future(anext(reader, "ended"))
        await come(lambda: board.asked > 1, "it cannot be drawn")
        ending.tell()
        assert await message == "ended"

    asyncio.run(run())


class Flood:
    """Messages without end; it records when nobody listens any more."""

    def __init__(self) -> None:
        self.ended = False

    def offered(self, _: object) -> None:
        """The grant of a guest."""

    async def stream(self, _: object, __: str, ___: None) -> AsyncGenerator[ServerSentEvent]:
        """More than anybody takes."""
        try:
            while True:
                yield ServerSentEvent(raw_data="-")
        finally:
            self.ended = True


def test_a_reader_that_takes_nothing_and_goes_is_told_nothing_more() -> None:
    """Its request has ended then, and with it what was drawn for it: nobody waits for a collector of garbage."""

    async def run() -> None:
        flood, disconnection = Flood(), asyncio.Event()
        boards: Any = flood
        reads: Any = type("Reads", (), {"period": lambda _, text: text})()
        listeners = Gauge("readers", "", registry=CollectorRegistry())
        app = FastAPI()
        app.include_router(live_router(boards, reads, listeners))

        async def receive() -> dict[str, Any]:
            await disconnection.wait()
            return {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.body":
                disconnection.set()
                await asyncio.Event().wait()

        scope = {"type": "http", "method": "GET", "path": "/live/board", "query_string": b"", "headers": []}
        with suppress(Exception):  # what the framework says of a reader that went
            await app(scope, receive, send)
        assert (flood.ended, listeners._value.get()) == (True, 0)

    gc.disable()
    try:
        asyncio.run(run())
    finally:
        gc.enable()


async def news(following: AsyncGenerator[str | Backlog | None]) -> str:
    """The next that is told of a change."""
    while not isinstance(message := await anext(following), str):
        pass
    return message


@pytest.mark.usefixtures("hasty")
def test_a_file_that_turns_overdue_is_told_though_nothing_was_recorded() -> None:
    async def run() -> None:
        board, ending = Board(), Ending()
        board.version = Version("j", 1, At(1), 1, until_us=50_000)
        following = channel_of(board, Movement(), ending).follow()
        assert await anext(following) == "1 1 True"
        board.version = Version("j", 1, At(1), 2, until_us=None)
        assert await asyncio.wait_for(news(following), 5) == "1 2 False"
        await following.aclose()

    asyncio.run(run())


@pytest.mark.usefixtures("hasty")
def test_one_partition_that_moves_is_told_while_another_stands() -> None:
    """The position is the least of them, and stays the same."""

    async def run() -> None:
        board, movement, ending = Board(), Movement(), Ending()
        board.version = Version("j", 1, At(3, (3, 5), 4), 0, None)
        following = channel_of(board, movement, ending).follow()
        assert await anext(following) == "3 0 True"
        board.version = Version("j", 1, At(3, (3, 9), 4), 0, None)
        movement.tell(3, Moved(9))
        assert await asyncio.wait_for(news(following), 5) == "3 0 False"
        await following.aclose()

    asyncio.run(run())


def test_a_reader_of_the_stream_that_does_not_keep_pace_costs_no_memory_and_is_told_to_reset() -> None:
    async def run() -> None:
        store: Any = None
        live = Live("j", 1, store, At(1))
        access = Access(cast("Tokens", None), lambda: 0)
        (route,) = stream_router(live, Ending(), Gauge("clients", "", registry=CollectorRegistry()), access).routes
        request = Request(
            {
                "type": "http",
                "path": "/v1/stream",
                "headers": [(b"host", b"h")],
                "client": ("127.0.0.1", 1),
                "server": ("h", 80),
            }
        )
        stream = cast("APIRoute", route).endpoint(request)
        assert (await anext(stream)).event == "position"
        for position in range(2, 4 * KEPT):
            live.at = At(position)
            live.movement.tell(position - 1, Moved(position))
        message = await anext(stream)
        assert (message.event, message.data) == ("reset", {"position": 4 * KEPT - 1})
        live.at = At(4 * KEPT)
        live.movement.tell(4 * KEPT - 1, Moved(4 * KEPT, frozenset({"d"}), facts=frozenset({"d"})))
        message = await anext(stream)
        assert (message.event, message.data["dinas"]) == ("moved", ["d"])
        queue = stream.ag_frame.f_locals["waiting"]
        assert queue.maxlen == KEPT + 1
        await stream.aclose()

    asyncio.run(run())
