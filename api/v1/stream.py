"""The stream: server-sent events. First the position; then positions and the dinas that moved."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from prometheus_client import Gauge

from api.http.access import Access
from api.http.disclosure import published_to
from api.http.guards import mark_for_one
from api.v1.schemas import STREAM_DOC
from projections.live import Live
from projections.movement import KEPT
from projections.segment import Moved

ALIVE_S: Final = 15.0


class Ending:
    """The end of the process, which every open stream learns from here."""

    def __init__(self) -> None:
        self.begun = False
        self.wakers: set[asyncio.Event] = set()

    def tell(self) -> None:
        """End every stream; called on the event loop."""
        self.begun = True
        for waker in self.wakers:
            waker.set()


def _marking(access: Access) -> Callable[[Request], Coroutine[None, None, None]]:
    """The dependency that marks the stream of a caller who learns more than what is published, before it begins."""

    async def mark(request: Request) -> None:
        if not await asyncio.to_thread(published_to, access, request):
            mark_for_one(request.scope)

    return mark


def stream_router(live: Live, ending: Ending, listeners: Gauge, access: Access) -> APIRouter:
    """The one route of the stream."""
    router = APIRouter(dependencies=[Depends(_marking(access))])

    @router.get("/v1/stream", response_class=EventSourceResponse, **STREAM_DOC)
    async def stream(request: Request) -> AsyncIterator[ServerSentEvent]:
        """Follow what moves; send the last id you saw as `Last-Event-ID` to miss nothing, or be told to `reset`."""
        published = await asyncio.to_thread(published_to, access, request)  # to whom no rating moves anything
        loop, waker = asyncio.get_running_loop(), asyncio.Event()
        waiting: deque[Moved] = deque(maxlen=KEPT + 1)

        def moved(movement: Moved) -> None:
            waiting.append(movement)
            loop.call_soon_threadsafe(waker.set)

        end = live.movement.listen(moved)
        listeners.inc()
        ending.wakers.add(waker)
        try:
            position = live.position
            for first in await _opening(live, request.headers.get("last-event-id"), position, published=published):
                yield first
            while not ending.begun:
                try:
                    async with asyncio.timeout(ALIVE_S):  # wait_for may swallow the end of its task before Python 3.12
                        await waker.wait()
                except TimeoutError:
                    yield ServerSentEvent(comment="alive")
                    continue
                waker.clear()
                moves = [waiting.popleft() for _ in range(len(waiting))]
                message, position = _unseen(live, moves, position, published=published)
                if message is not None:
                    yield message
        finally:
            end()
            listeners.dec()
            ending.wakers.discard(waker)

    return router


def _unseen(
    live: Live, movements: list[Moved], position: int, *, published: bool
) -> tuple[ServerSentEvent | None, int]:
    """The message of all that a reader at a position has not seen, and the reader's new position.

    Of partitions folded apart one may move while the position, the least of them, stays. A reader that did not keep pace
    is told to reset, since the movements it missed are kept no longer.
    """
    if len(movements) > KEPT:
        return _reset(live, live.position), live.position
    batch = [movement for movement in movements if movement.position > position or live.at.partitions]
    return (_movement(live, batch, published=published), batch[-1].position) if batch else (None, position)


async def _opening(live: Live, last_id: str | None, position: int, *, published: bool) -> list[ServerSentEvent]:
    """The position; for a reader that comes back, first the movements it missed, or the order to start over."""
    if last_id is None:
        return [_at(live, position)]
    return await asyncio.to_thread(_resumption, live, last_id, position, published=published)


def _id(live: Live, position: int) -> str:
    return f"{live.journal}:{position}"


def _resumption(live: Live, last_id: str, position: int, *, published: bool) -> list[ServerSentEvent]:
    journal, _, digits = last_id.rpartition(":")
    is_ours = journal == live.journal and digits.isascii() and digits.isdigit() and len(digits) < 19  # noqa: PLR2004 - digits of 63 bits
    movements = live.movement.since(int(digits), position) if is_ours else None
    if movements is None:
        return [_reset(live, position)]
    if movements:  # keeps the id it came with: cut off right here, the reader has missed nothing
        return [_at(live, int(digits)), _movement(live, movements, published=published)]
    return [_at(live, position)]


def _reset(live: Live, position: int) -> ServerSentEvent:
    return ServerSentEvent(event="reset", id=_id(live, position), data={"position": position})


def _at(live: Live, position: int) -> ServerSentEvent:
    return ServerSentEvent(event="position", id=_id(live, position), data={"position": position} | _vector(live))


def _vector(live: Live) -> dict[str, object]:
    """The position of each partition, if partitions are folded apart."""
    vector = live.at.vector
    return {} if vector is None else {"vector": vector}


def _movement(live: Live, batch: list[Moved], *, published: bool) -> ServerSentEvent:
    """The message of a movement; where ratings alone moved, a reader of what is published gets the position and no more."""
    position = batch[-1].position
    dinas = sorted(frozenset().union(*(movement.facts if published else movement.dinas for movement in batch)))
    rules = any(movement.rules for movement in batch)
    if published and not dinas and not rules and any(movement.dinas for movement in batch):
        return _at(live, position)
    return ServerSentEvent(
        event="moved",
        id=_id(live, position),
        data={"position": position, "dinas": dinas, "rulebook": rules} | _vector(live),
    )
