"""The board as it moves: a change is drawn once for all who watch one period in one language, and sent row by row.

A reader who comes, comes back, or could not keep pace gets the whole table: nothing has to be remembered for them.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Annotated, ClassVar, Final

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from msgspec import Struct
from prometheus_client import Gauge

from api.pages.board.board import Board, board
from api.pages.board.feed import Item, feed
from api.pages.catalog import Code
from api.pages.links import code_of
from api.pages.page import Fragment
from api.pages.site import Site
from api.pages.words import Words
from api.v1.reads import Reads
from api.v1.stream import Ending
from domain.periods import Period
from projections.movement import Movement
from projections.reading.version import Version
from projections.segment import Moved

LOG: Final = logging.getLogger("neraca.live")
ALIVE_S: Final = 2.5
"""A page hears this often that nothing has moved, and counts as fresh as long as it does."""
BETWEEN_S: Final = 0.5
"""The shortest time between two changes: nobody reads a board that moves more often."""

Messages = AsyncGenerator[ServerSentEvent]


class BoardMoved(Fragment, frozen=True):
    """The part of a board that has moved, by anchors of rows; or the ``whole`` of it."""

    template: ClassVar[str] = "moved.html"

    board: Board
    feed: tuple[Item, ...]
    period: Period
    position: int
    read_us: int
    moved: dict[str, str]
    whole: bool


class Drawn(Struct, frozen=True):
    """A board as drawn: the contents of its rows by anchor, without the marks of a move, and the version of the reading."""

    board: Board
    rows: dict[str, object]
    order: tuple[str, ...]
    feed: tuple[Item, ...]
    version: Version
    read_us: int


class Channel:
    """The readers of one period in one language."""

    def __init__(
        self,
        draw: Callable[[], Drawn],
        tell: Callable[[Drawn, dict[str, str], bool], str],
        words: Words,
        movement: Movement,
        ending: Ending,
        now_us: Callable[[], int],
        follows: Callable[[], bool],
    ) -> None:
        self._now_us = now_us
        self._follows = follows
        self._draw = draw
        self._tell = tell
        self._words = words
        self._movement = movement
        self._ending = ending
        self._drawn: Drawn | None = None
        self._table: str | None = None
        self._message = ""
        self._number = 0
        self._failing = False
        self._began_s: float | None = None
        self._next = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listeners = 0

    async def follow(self) -> AsyncGenerator[str | None]:
        """The whole table, then changes; ``None`` now and then if nothing changes, but not while that cannot be known."""
        self.listeners += 1
        try:
            if self._task is None:
                self._drawn, self._failing, self._task = None, False, asyncio.create_task(self._run())
            while (self._drawn is None or self._failing) and not self._ending.begun:
                await self._next.wait()
            last_number = self._number
            if not self._ending.begun:
                yield self._whole()
            while not self._ending.begun:
                if last_number == self._number:
                    try:
                        async with asyncio.timeout(ALIVE_S):
                            await self._next.wait()
                    except TimeoutError:
                        if self._knows() and last_number == self._number:
                            yield None
                if last_number != self._number and not self._ending.begun:
                    behind, last_number = self._number - last_number, self._number
                    yield self._message if behind == 1 else self._whole()
        finally:
            self.listeners -= 1
            if not self.listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    def _knows(self) -> bool:
        """True if the board is up to date: it can be drawn in time, and the served balances follow the journal."""
        late = self._began_s is not None and time.monotonic() - self._began_s > ALIVE_S
        return not self._failing and not late and self._follows()

    def _wake(self) -> None:
        """Readers that wait look again."""
        former, self._next = self._next, asyncio.Event()
        former.set()

    def _whole(self) -> str:
        """The whole table, rendered once for all readers that come."""
        assert self._drawn is not None, "drawn before anybody is told"  # noqa: S101 - for the type checker
        if self._table is None:
            self._table = self._tell(self._drawn, {}, True)  # noqa: FBT003 - whole
        return self._table

    async def _run(self) -> None:
        """Draw, and draw again whenever a balance moved or the last drawing failed."""
        loop, movement = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Moved) -> None:
            loop.call_soon_threadsafe(movement.set)

        end = self._movement.listen(wake)
        self._ending.wakers.add(movement)
        movement.set()
        try:
            while not self._ending.begun:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._standing_s()):  # wait_for, before Python 3.12, may swallow its end
                        await movement.wait()
                movement.clear()
                try:
                    self._began_s = time.monotonic()
                    await self._look()
                    if self._failing:
                        self._failing = False
                        self._wake()
                except Exception as error:  # noqa: BLE001 - the database is away: no reader is told that all is well
                    LOG.warning("the board is not drawn: %s", error)
                    self._failing = True
                    movement.set()
                self._began_s = None
                await asyncio.sleep(BETWEEN_S)
        finally:
            end()
            self._ending.wakers.discard(movement)
            self._wake()

    def _standing_s(self) -> float | None:
        """The time until the next open file is overdue: until then nothing changes while nothing is recorded."""
        until_us = None if self._drawn is None else self._drawn.version.until_us
        return None if until_us is None else max(0, until_us - self._now_us()) / 1e6

    async def _look(self) -> None:
        before, now = self._drawn, await asyncio.to_thread(self._draw)
        if before is not None and now.version == before.version:
            return
        if before is not None:
            marks = changes(before, now, self._words)
            self._message = await asyncio.to_thread(self._tell, now, marks, now.order != before.order)
            self._number += 1
        self._drawn, self._table = now, None
        self._wake()


def changes(before: Drawn, now: Drawn, words: Words) -> dict[str, str]:
    """The movement of each changed row: the rise or fall of its score, or a mark that something else changed."""
    scores = {row.anchor: row.card.iku.value for group in before.board.groups for row in group.rows}
    marks = {}
    for group in now.board.groups:
        for row in group.rows:
            if before.rows.get(row.anchor) == now.rows[row.anchor]:
                continue
            value, was = row.card.iku.value, scores.get(row.anchor)
            gap = None if value is None or was is None else value - was
            marks[row.anchor] = f"{'▲' if gap > 0 else '▼'} {words.percent(abs(gap))}" if gap else words("live.same")
    return marks


def draw(reads: Reads, period: Period, words: Words) -> Drawn:
    """The board now."""
    now_us = reads.reader.now_us()
    with reads.reader.snapshot() as snapshot:
        drawing = board(snapshot, period, words, reads.period(None).name)
        rows: dict[str, object] = {
            row.anchor: (row.name, row.rank, row.card.iku, row.card.indicators, row.card.counts)
            for group in drawing.groups
            for row in group.rows
        }
        return Drawn(drawing, rows, tuple(rows), feed(snapshot, reads.lines, words), snapshot.version, now_us)


class LiveBoards:
    """The channels that have listeners, each drawn once."""

    def __init__(self, reads: Reads, site: Site, ending: Ending) -> None:
        self._reads = reads
        self._site = site
        self._ending = ending
        self._channels: dict[tuple[str, Code], Channel] = {}

    async def stream(self, period: Period, code: Code) -> Messages:
        """The messages of one channel; each is HTML that names its place on the page."""
        channel = self._channels.get((period.name, code)) or self._channel(period, code)
        self._channels[period.name, code] = channel
        following = channel.follow()
        try:
            async for text in following:
                yield ServerSentEvent(event="alive", data={}) if text is None else ServerSentEvent(raw_data=text)
        finally:
            await following.aclose()
            if not channel.listeners:
                self._channels.pop((period.name, code), None)

    def _channel(self, period: Period, code: Code) -> Channel:
        words, live, reader = self._site.words[code], self._reads.reader.live, self._reads.reader

        def tell(now: Drawn, marks: dict[str, str], whole: bool) -> str:  # noqa: FBT001 - as the template names it
            position, read_us = now.version.position, now.read_us
            return self._site.fragment(BoardMoved(now.board, now.feed, period, position, read_us, marks, whole), code)

        return Channel(
            lambda: draw(self._reads, period, words),
            tell,
            words,
            live.movement,
            self._ending,
            reader.now_us,
            lambda: live.follows,
        )


def live_router(boards: LiveBoards, reads: Reads, listeners: Gauge) -> APIRouter:
    """The route of the moving board."""
    router = APIRouter(include_in_schema=False)

    def period_of(request: Request) -> Period:
        return reads.period(request.query_params.get("period"))

    async def following(request: Request, period: Annotated[Period, Depends(period_of)]) -> AsyncIterator[Messages]:
        """The messages for one reader, closed when the request ends: also of a reader that took nothing more."""
        listeners.inc()
        try:
            async with aclosing(boards.stream(period, code_of(request))) as messages:
                yield messages
        finally:
            listeners.dec()

    @router.get("/live/board", response_class=EventSourceResponse)
    async def live_board(messages: Annotated[Messages, Depends(following)]) -> Messages:
        async for message in messages:
            yield message

    return router
