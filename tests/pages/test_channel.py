"""What a channel does when the board cannot be drawn: no reader is told that all is well, and it goes on by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from api import page_live
from api.page_live import Channel, Drawn
from api.stream import Ending
from projections.movement import Movement
from projections.segment import Moved
from tests.serving import until


class Board:
    """Draws a board without rows at a position, or fails."""

    def __init__(self) -> None:
        self.position = 1
        self.failing = False
        self.rendered = 0

    def draw(self) -> Drawn:
        """The board now."""
        if self.failing:
            message = "away"
            raise ConnectionError(message)
        empty: Any = type("Empty", (), {"groups": ()})
        return Drawn(empty, {}, (), (), self.position, 0)

    def tell(self, now: Drawn, _: dict[str, str], whole: bool) -> str:  # noqa: FBT001 - as the channel calls it
        """Its position, and whether it is the whole table."""
        self.rendered += whole
        return f"{now.position} {whole}"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_live, "ALIVE_S", 0.05)
    monkeypatch.setattr(page_live, "BETWEEN_S", 0.01)


@pytest.mark.usefixtures("quick")
def test_while_it_cannot_be_drawn_nobody_is_told_that_it_is_alive() -> None:
    async def run() -> None:
        board, movement, ending = Board(), Movement(), Ending()
        words: Any = None
        channel = Channel(board.draw, board.tell, words, movement, ending)
        following = channel.follow()
        assert [await anext(following), await anext(following)] == ["1 True", None]
        board.failing, board.position = True, 2
        movement.tell(1, Moved(2))
        await asyncio.to_thread(until, lambda: channel._failing, "it cannot be drawn")
        heard = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.5)
        assert not heard.done()
        board.failing = False
        assert await heard == "2 False"
        await following.aclose()
        await asyncio.sleep(0.01)
        assert ending.wakers == set()

    asyncio.run(run())


@pytest.mark.usefixtures("quick")
def test_a_table_is_rendered_once_however_many_come_and_the_end_is_told_to_all() -> None:
    async def run() -> None:
        board, ending = Board(), Ending()
        words: Any = None
        channel = Channel(board.draw, board.tell, words, Movement(), ending)
        readers = [channel.follow() for _ in range(5)]
        assert [await anext(reader) for reader in readers] == ["1 True"] * 5
        assert board.rendered == 1
        ending.tell()
        for reader in readers:
            assert [one async for one in reader if one is not None] == []
        assert channel.listeners == 0

    asyncio.run(run())
