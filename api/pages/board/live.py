"""The board as it moves: a change is drawn once for all who watch one board in one language, and sent row by row.

A reader who comes, comes back, or could not keep pace gets the whole table: nothing has to be remembered for them.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from prometheus_client import Gauge

from api.http.disclosure import is_published, view_of
from api.http.guards import mark_for_one
from api.pages.board.drawn import BoardMoved, Drawn, ReadAt, Watched, draw
from api.pages.catalog import Code
from api.pages.links import code_of
from api.pages.site import Site
from api.pages.words import Words
from api.v1.reads import Reads
from api.v1.stream import Ending
from domain.access.grant import Grant
from domain.access.subjects import Unit
from projections.movement import Movement
from projections.reading.backlog import Backlog, backlog_of
from projections.segment import Moved

LOG: Final = logging.getLogger("neraca.live")
ALIVE_S: Final = 2.5
"""A page hears this often that nothing has moved, and counts as fresh as long as it does."""
BETWEEN_S: Final = 0.5
"""The shortest time between two changes: nobody reads a board that moves more often."""

Messages = AsyncGenerator[ServerSentEvent]


class Freshness(NamedTuple):
    """Two looks at the served figures: how far they are behind, and, at no cost, whether the fold goes on."""

    backlog: Callable[[], Backlog | None]
    follows: Callable[[], bool] = lambda: True


class Channel:
    """The readers of one board in one language."""

    def __init__(
        self,
        draw: Callable[[], Drawn],
        tell: Callable[[BoardMoved], str],
        words: Words,
        movement: Movement,
        ending: Ending,
        now_us: Callable[[], int],
        freshness: Freshness,
    ) -> None:
        self._follows = freshness.follows
        self._now_us = now_us
        self._backlog = freshness.backlog
        self._draw = draw
        self._tell = tell
        self._words = words
        self._movement = movement
        self._ending = ending
        self._drawn: Drawn | None = None
        self._behind: Backlog | None = None
        self._table: str | None = None
        self._message = ""
        self._number = 0
        self._failing = False
        self._began_s: float | None = None
        self._due_s = 0.0
        self._next = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.listeners = 0

    async def follow(self) -> AsyncGenerator[str | Backlog | None]:
        """The whole table, then changes; if nothing changes, now and then the backlog, ``None`` while there is none.

        While it cannot be known whether the board is up to date, nothing is told.
        """
        self.listeners += 1
        try:
            await self._begin()
            number, behind = self._number, self._drawn and self._drawn.behind
            if self._goes_on():
                yield self._whole()
            while self._goes_on():
                is_silent = (number, behind) == (self._number, self._behind) and not await self._woken()
                if not self._goes_on():
                    break
                if number != self._number:
                    count, number, behind = self._number - number, self._number, self._drawn and self._drawn.behind
                    yield self._message if count == 1 else self._whole()
                elif is_silent or behind != self._behind:
                    behind = self._behind
                    if self._knows():
                        yield behind
        finally:
            self.listeners -= 1
            if not self.listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def _begin(self) -> None:
        """Wait for a first drawing, which the first reader sets going."""
        if self._task is None:
            self._drawn, self._failing, self._task = None, False, asyncio.create_task(self._run())
        while (self._drawn is None or self._failing) and not self._ending.begun:
            await self._next.wait()

    def _goes_on(self) -> bool:
        return not self._ending.begun

    async def _woken(self) -> bool:
        """Wait for news; false if there was none for a while."""
        try:
            async with asyncio.timeout(ALIVE_S):
                await self._next.wait()
        except TimeoutError:
            return False
        return True

    def reading(self, behind: Backlog | None) -> ReadAt:
        """The time of the figures that all readers have."""
        assert self._drawn is not None, "drawn before anybody is told"  # noqa: S101 - for the type checker
        return ReadAt(self._drawn.chosen.period, self._now_us(), behind)

    def _knows(self) -> bool:
        """True if it is known whether the board is up to date: it can be drawn in time, and a fold that stopped was looked at."""
        late = self._began_s is not None and time.monotonic() - self._began_s > ALIVE_S
        return not self._failing and not late and (self._behind is not None or self._follows())

    def _wake(self) -> None:
        """Readers that wait look again."""
        waiters, self._next = self._next, asyncio.Event()
        waiters.set()

    def _whole(self) -> str:
        """The whole table, rendered once for all readers that come."""
        assert self._drawn is not None, "drawn before anybody is told"  # noqa: S101 - for the type checker
        if self._table is None:
            self._table = self._tell(self._drawn.whole())
        return self._table

    async def _run(self) -> None:
        """Draw, and draw again whenever a balance moved, time changed a figure, or the last drawing failed."""
        loop, movement = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Moved) -> None:
            loop.call_soon_threadsafe(movement.set)

        end = self._movement.listen(wake)
        self._ending.wakers.add(movement)
        movement.set()
        try:
            while not self._ending.begun:
                with suppress(TimeoutError):  # wait_for, before Python 3.12, may swallow its end
                    async with asyncio.timeout(min(ALIVE_S, max(0.0, self._due_s - time.monotonic()))):
                        await movement.wait()
                draws = movement.is_set() or self._is_due()
                movement.clear()
                try:
                    self._began_s = time.monotonic()
                    if draws:
                        await self._look()
                    await self._check()
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

    def _is_due(self) -> bool:
        """True if figures may have changed by time alone.

        The clock is asked too: a timer does not run while the machine sleeps, and knows nothing of a clock that was set.
        """
        until_us = None if self._drawn is None else self._drawn.until_us
        return until_us is not None and (time.monotonic() >= self._due_s or self._now_us() > until_us)

    async def _look(self) -> None:
        before, now = self._drawn, await asyncio.to_thread(self._draw)
        left_us = None if now.until_us is None else now.until_us - self._now_us()
        self._due_s = float("inf") if left_us is None else time.monotonic() + max(0, left_us) / 1e6
        if before is not None and (now.version, now.chosen) == (before.version, before.chosen):
            return
        if before is not None:
            self._message = await asyncio.to_thread(lambda: self._tell(now.moved_since(before, self._words)))
            self._number += 1
        self._drawn, self._table, self._behind = now, None, now.behind
        self._wake()

    async def _check(self) -> None:
        """See whether the board is up to date; once for all readers."""
        behind = await asyncio.to_thread(self._backlog)
        if behind != self._behind:
            self._behind = behind
            self._wake()


class LiveBoards:
    """The channels that have listeners, each drawn once."""

    def __init__(self, reads: Reads, site: Site, ending: Ending) -> None:
        self._reads = reads
        self._site = site
        self._ending = ending
        self._channels: dict[tuple[Watched, Code, Grant | None], Channel] = {}

    def offered(self, request: Request) -> Grant | None:
        """The part of a caller's grant that changes what the board offers: readers who differ in it have channels of their own."""
        access, grant = self._reads.access, self._site.grant(request)
        if grant is None or not access.allows(grant, "read-reasons"):
            return None
        is_of_all = access.allows(grant, "read-reasons", Unit(""))
        mark_for_one(request.scope)
        roles = {"leader"} if is_published(grant) else {"leader", "auditor"}
        return Grant("", frozenset(roles), None if is_of_all else grant.dinas)

    async def stream(self, choice: Watched, code: Code, grant: Grant | None) -> Messages:
        """The messages of one channel; each is HTML that names its place on the page."""
        key = (choice, code, grant)
        channel = self._channels.get(key) or self._channel(choice, code, grant)
        self._channels[key] = channel
        following = channel.follow()
        try:
            async for message in following:
                if isinstance(message, str):
                    yield ServerSentEvent(raw_data=message)
                else:
                    text = self._site.fragment(channel.reading(message), code)
                    yield ServerSentEvent(event="alive" if message is None else "behind", raw_data=text)
        finally:
            await following.aclose()
            if not channel.listeners:
                self._channels.pop(key, None)

    def _channel(self, choice: Watched, code: Code, grant: Grant | None) -> Channel:
        words, reads, live = self._site.words[code], self._reads, self._reads.reader.live
        return Channel(
            lambda: draw(reads, choice, words, view_of(grant)),
            lambda message: self._site.fragment(message, code, grant),
            words,
            live.movement,
            self._ending,
            reads.reader.now_us,
            Freshness(
                lambda: backlog_of(live, reads.lines, live.position, reads.reader.now_us()), lambda: live.follows
            ),
        )


def live_router(boards: LiveBoards, reads: Reads, listeners: Gauge) -> APIRouter:
    """The route of the moving board."""
    router = APIRouter(include_in_schema=False)

    def board_of(request: Request) -> Watched:
        text = request.query_params.get("period")
        return Watched() if text is None else Watched(reads.period(text), "follow" in request.query_params)

    def offered(request: Request) -> Grant | None:
        return boards.offered(request)

    async def following(
        request: Request,
        choice: Annotated[Watched, Depends(board_of)],
        grant: Annotated[Grant | None, Depends(offered)],
    ) -> AsyncIterator[Messages]:
        """The messages for one reader, closed when the request ends: also of a reader that took nothing more."""
        listeners.inc()
        try:
            async with aclosing(boards.stream(choice, code_of(request), grant)) as messages:
                yield messages
        finally:
            listeners.dec()

    @router.get("/live/board", response_class=EventSourceResponse)
    async def live_board(messages: Annotated[Messages, Depends(following)]) -> Messages:
        async for message in messages:
            yield message

    return router
