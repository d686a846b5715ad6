"""While a board may be out of date, no reader gets the sign that all is well."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from api.pages.board import live as page_live
from api.v1.stream import Ending
from projections.live import Live
from projections.movement import Movement
from projections.reading.version import Version
from projections.segment import At, Moved
from tests.pages.channel import Board, channel_of, come

pytestmark = pytest.mark.speed("test")


@pytest.mark.usefixtures("hasty")
def test_while_it_cannot_be_drawn_nobody_is_told_that_it_is_alive() -> None:
    async def run() -> None:
        board, movement, ending = Board(), Movement(), Ending()
        channel = channel_of(board, movement, ending)
        following = channel.follow()
        assert [await anext(following), await anext(following)] == ["1 0 True", None]
        board.failing, board.version = True, Version("j", 1, At(2), 0, None)
        movement.tell(1, Moved(2))
        await come(lambda: channel._failing, "it cannot be drawn")
        message = asyncio.ensure_future(anext(following))
        late = channel.follow()
        waits = asyncio.ensure_future(anext(late))
        tries = board.asked
        await come(lambda: board.asked > tries + 20, "it is tried for many times as long as nothing is said")
        assert not message.done()
        assert not waits.done(), "nor is who comes shown what may be long past"
        board.failing = False
        assert (await message, await waits) == ("2 0 False", "2 0 True")
        await following.aclose()
        await late.aclose()
        await come(lambda: ending.wakers == set(), "nothing listens")

    asyncio.run(run())


@pytest.mark.usefixtures("hasty")
def test_while_the_fold_does_not_follow_nobody_is_told_that_it_is_alive() -> None:
    """Nothing moves, nothing fails to be drawn; and yet what is drawn may be long past."""

    async def run() -> None:
        follows, questions = True, list[bool]()

        def fold_follows() -> bool:
            questions.append(follows)
            return follows

        following = channel_of(Board(), Movement(), Ending(), follows=fold_follows).follow()
        assert [await anext(following), await anext(following)] == ["1 0 True", None]
        follows = False
        message = asyncio.ensure_future(anext(following))
        await come(lambda: questions.count(False) > 3, "it could have been said three times")
        assert not message.done()
        follows = True
        assert await message is None
        await following.aclose()

    asyncio.run(run())


@pytest.mark.usefixtures("hasty")
def test_while_a_drawing_hangs_nobody_is_told_that_it_is_alive() -> None:
    async def run() -> None:
        board, movement = Board(), Movement()
        channel = channel_of(board, movement, Ending())
        following = channel.follow()
        assert [await anext(following), await anext(following)] == ["1 0 True", None]
        board.answers.clear()
        board.version = Version("j", 1, At(2), 0, None)
        movement.tell(1, Moved(2))
        await come(lambda: not channel._knows(), "it takes long")
        message = asyncio.ensure_future(anext(following))
        late_by = 5 * page_live.ALIVE_S
        await come(lambda: time.monotonic() - (channel._began_s or 0) > late_by, "it could have been said often")
        assert not message.done()
        board.answers.set()
        assert await message == "2 0 False"
        await following.aclose()

    asyncio.run(run())


@pytest.mark.parametrize("states", [{"stopped": "poison"}, {"waiting": "full"}, {"standing": {1: "gap"}}])
def test_what_is_served_follows_unless_something_stopped_waits_or_stands(states: dict[str, Any]) -> None:
    store: Any = None
    live = Live("j", 1, store, At(1))
    assert live.follows
    for name, value in states.items():
        setattr(live, name, value)
    assert not live.follows
