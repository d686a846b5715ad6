"""A board without rows for a channel to draw: it fails, or takes its time, as a test has it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final

from api.pages.board.drawn import Drawn
from api.pages.board.live import Channel, Freshness
from api.pages.periods import Chosen
from domain.periods import parse_period
from projections.reading.version import Version
from projections.segment import At
from tests.serving import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.pages.board.drawn import BoardMoved
    from api.v1.stream import Ending
    from projections.movement import Movement
    from projections.reading.backlog import Backlog

NOVEMBER: Final = parse_period("2026-11")


class Board:
    """Draws a board without rows as of some reading, or fails."""

    def __init__(self) -> None:
        self.version = Version("j", 1, At(1), 0, None)
        self.chosen = Chosen(NOVEMBER, NOVEMBER)
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
        empty: Any = type("Empty", (), {"groups": (), "bare": None})
        return Drawn(empty, {}, (), (), self.version, 0, self.version.until_us, self.chosen)

    def tell(self, message: BoardMoved) -> str:
        """The position of the drawing, the overdue files in it, and whether the whole table is told."""
        self.rendered += message.whole
        return f"{message.position} {self.version.overdue} {message.whole}"


async def come(condition: Callable[[], object], what: str) -> None:
    """Wait until a condition holds, while the loop goes on. Raises: ``TimeoutError``."""
    await asyncio.to_thread(until, condition, what)


def channel_of(
    board: Board,
    movement: Movement,
    ending: Ending,
    now_us: Callable[[], int] = lambda: 0,
    backlog: Callable[[], Backlog | None] = lambda: None,
) -> Channel:
    """All readers of a board, by a stopped clock."""
    words: Any = None
    return Channel(board.draw, board.tell, words, movement, ending, now_us, Freshness(backlog))
