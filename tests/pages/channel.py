"""A board without rows for a channel to draw: it fails, or takes its time, as a test has it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from api.pages.board.live import Channel, Drawn
from projections.reading.version import Version
from projections.segment import At
from tests.serving import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.v1.stream import Ending
    from projections.movement import Movement


class Board:
    """Draws a board without rows as of some reading, or fails."""

    def __init__(self) -> None:
        self.version = Version("j", 1, At(1), 0, None)
        self.failing = False
        self.asked = 0
        """How often it was to be drawn."""
        self.rendered = 0
        self.answers = threading.Event()
        self.answers.set()

    def draw(self) -> Drawn:
        """The board now, once its database answers."""
        self.asked += 1
        self.answers.wait(10)
        if self.failing:
            message = "away"
            raise ConnectionError(message)
        empty: Any = type("Empty", (), {"groups": ()})
        return Drawn(empty, {}, (), (), self.version, 0)

    def tell(self, now: Drawn, _: dict[str, str], whole: bool) -> str:  # noqa: FBT001 - as the channel calls it
        """The position of the drawing, and whether the whole table is told."""
        self.rendered += whole
        return f"{now.version.position} {now.version.overdue} {whole}"


async def come(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds, while the loop goes on. Raises: ``TimeoutError``."""
    await asyncio.to_thread(until, condition, what)


def channel_of(
    board: Board, movement: Movement, ending: Ending, now_us: int = 0, follows: Callable[[], bool] = lambda: True
) -> Channel:
    """All readers of a board, by a stopped clock."""
    words: Any = None
    return Channel(board.draw, board.tell, words, movement, ending, lambda: now_us, follows)
