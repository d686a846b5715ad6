"""What a channel tells: whatever changed, for whatever reason; and while it cannot know, no reader is told that all is well."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest
from fastapi import Request
from prometheus_client import CollectorRegistry, Gauge

from api import page_live
from api.page_live import Channel, Drawn
from api.stream import Ending, stream_router
from projections.live import At, Live
from projections.movement import KEPT, Movement
from projections.reader import Version
from projections.segment import Moved
from tests.serving import until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from fastapi.routing import APIRoute


class Board:
    """Draws a board without rows as of some reading, or fails."""

    def __init__(self) -> None:
        self.version = Version("j", 1, At(1), 0, None)
        self.failing = False
        self.rendered = 0

    def draw(self) -> Drawn:
        """The board now."""
        if self.failing:
            message = "away"
            raise ConnectionError(message)
        empty: Any = type("Empty", (), {"groups": ()})
        return Drawn(empty, {}, (), (), self.version, 0)

    def tell(self, now: Drawn, _: dict[str, str], whole: bool) -> str:  # noqa: FBT001 - as the channel calls it
        """Where it stands, and whether it is the whole table."""
        self.rendered += whole
        return f"{now.version.position} {now.version.overdue} {whole}"


def channel_of(board: Board, movement: Movement, ending: Ending, now_us: int = 0) -> Channel:
    """All who watch a board, by a clock that stands."""
    words: Any = None
    return Channel(board.draw, board.tell, words, movement, ending, lambda: now_us)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_live, "ALIVE_S", 0.05)
    monkeypatch.setattr(page_live, "BETWEEN_S", 0.01)


@pytest.mark.usefixtures("quick")
def test_while_it_cannot_be_drawn_nobody_is_told_that_it_is_alive() -> None:
    async def run() -> None:
        board, movement, ending = Board(), Movement(), Ending()
        channel = channel_of(board, movement, ending)
        following = channel.follow()
        assert [await anext(following), await anext(following)] == ["1 0 True", None]
        board.failing, board.version = True, Version("j", 1, At(2), 0, None)
        movement.tell(1, Moved(2))
        await asyncio.to_thread(until, lambda: channel._failing, "it cannot be drawn")
        heard = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.5)
        assert not heard.done()
        board.failing = False
        assert await heard == "2 0 False"
        await following.aclose()
        await asyncio.sleep(0.01)
        assert ending.wakers == set()

    asyncio.run(run())


@pytest.mark.usefixtures("quick")
def test_a_table_is_rendered_once_however_many_come_and_the_end_is_told_to_all() -> None:
    async def run() -> None:
        board, ending = Board(), Ending()
        channel = channel_of(board, Movement(), ending)
        readers = [channel.follow() for _ in range(5)]
        assert [await anext(reader) for reader in readers] == ["1 0 True"] * 5
        assert board.rendered == 1
        ending.tell()
        for reader in readers:
            assert [one async for one in reader if one is not None] == []
        assert channel.listeners == 0

    asyncio.run(run())


async def news(following: AsyncGenerator[str | None]) -> str:
    """The next that is told of a change."""
    while (told := await anext(following)) is None:
        pass
    return told


@pytest.mark.usefixtures("quick")
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


@pytest.mark.usefixtures("quick")
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
        (route,) = stream_router(live, Ending(), Gauge("clients", "", registry=CollectorRegistry())).routes
        request = Request({"type": "http", "headers": []})
        stream = cast("APIRoute", route).endpoint(request)
        assert (await anext(stream)).event == "position"
        for position in range(2, 4 * KEPT):
            live.at = At(position)
            live.movement.tell(position - 1, Moved(position))
        told = await anext(stream)
        assert (told.event, told.data) == ("reset", {"position": 4 * KEPT - 1})
        live.at = At(4 * KEPT)
        live.movement.tell(4 * KEPT - 1, Moved(4 * KEPT, frozenset({"d"})))
        told = await anext(stream)
        assert (told.event, told.data["dinas"]) == ("moved", ["d"])
        held = stream.ag_frame.f_locals["waiting"]
        assert held.maxlen == KEPT + 1
        await stream.aclose()

    asyncio.run(run())
