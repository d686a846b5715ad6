"""Watches balances that other processes fold: what is served moves when they do, also to a new generation."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from domain.fold.partition import partition_of
from projections.movement import Movement
from projections.segment import Moved

if TYPE_CHECKING:
    from projections.live import Live
    from projections.segment import At
    from projections.store.generations_postgres import PostgresGenerations
    from projections.store.queries import Queries


class Watcher:
    """Brings what is served here to where the database is; ``look`` may be called from any thread."""

    def __init__(self, generations: PostgresGenerations, live: Live) -> None:
        self._generations = generations
        self._live = live
        self._lock = threading.Lock()

    def waits(self, why: str | None) -> None:
        """Nobody can look at the moment, and why; ``None`` once somebody has."""
        self._live.waiting = why

    def look(self) -> None:
        """See what has moved, and tell it."""
        with self._lock:
            live = self._live
            serving = self._generations.serving()
            if serving is not None and serving != live.generation:
                live.served = (serving, self._generations.store(serving))
            before = live.at
            with live.store.snapshot() as queries:
                at = queries.reached()
                live.standing = queries.stopped()
                dinas = frozenset(_moved(queries, before)) if at != before else frozenset()
            if at != before:
                live.at = at
                live.movement.tell(before.position, Moved(at.position, dinas, at.rulebook != before.rulebook))


def _moved(queries: Queries, before: At) -> list[str]:
    """The dinas whose partition went on and which moved with it."""
    if not before.partitions:
        return [dinas for dinas, _ in queries.moved_since(before.position)]
    number = len(before.partitions)
    return [
        dinas for dinas, position in queries.moved_since(before.position)
        if position > before.partitions[partition_of(dinas, number)]
    ]  # fmt: skip


class WatchedMovement(Movement):
    """Movement whose past is the database's: what a reader missed is asked there, also what another process served."""

    def __init__(self, watcher: Watcher, live: Live) -> None:
        super().__init__()
        self._watcher = watcher
        self._live = live

    def since(self, position: int, head: int) -> list[Moved] | None:
        """What moved after a position; rather more than less. ``None`` for a position that was never served."""
        self._watcher.look()
        now = self._live.at
        if position > max(now.position, head):
            return None
        with self._live.store.snapshot() as queries:
            dinas = frozenset(dinas for dinas, _ in queries.moved_since(position))
            rules = queries.last_rule() > position
        return [Moved(now.position, dinas, rules)] if dinas or rules else []
