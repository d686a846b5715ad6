"""Watches balances that other processes fold: the served figures follow them, also into a new generation."""

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
    """Brings the served figures to where the database is; ``look`` may be called from any thread."""

    def __init__(self, generations: PostgresGenerations, live: Live) -> None:
        self._generations = generations
        self._live = live
        self._lock = threading.Lock()

    def waits(self, why: str | None) -> None:
        """Note why the database cannot be read at the moment; ``None`` once it was read."""
        self._live.waiting = why

    def look(self) -> None:
        """Read how far the balances are folded, and announce what moved."""
        with self._lock:
            live = self._live
            generation = self._generations.serving()
            if generation is not None and generation != live.generation:
                live.served = (generation, self._generations.store(generation))
            before = live.at
            with live.store.snapshot() as queries:
                at = queries.at()
                live.standing = queries.stop_reasons()
                dinas, facts = _dinas_moved(queries, before) if at != before else (frozenset[str](), frozenset[str]())
            if at != before:
                live.at = at
                live.movement.tell(before.position, Moved(at.position, dinas, at.rulebook != before.rulebook, facts))


def _dinas_moved(queries: Queries, before: At) -> tuple[frozenset[str], frozenset[str]]:
    """The dinas that moved beyond the position at which their partition was before, and those that facts moved."""
    rows, count = queries.moved_since(before.position), len(before.partitions)

    def reached(dinas: str) -> int:
        return before.partitions[partition_of(dinas, count)] if count else before.position

    return (
        frozenset(dinas for dinas, position, _ in rows if position > reached(dinas)),
        frozenset(dinas for dinas, _, facts in rows if facts > reached(dinas)),
    )


class WatchedMovement(Movement):
    """Movement read from the database, so that a reader may have been served by another process before."""

    def __init__(self, watcher: Watcher, live: Live) -> None:
        super().__init__()
        self._watcher = watcher
        self._live = live

    def since(self, position: int, head: int) -> list[Moved] | None:
        """The movement after a position, rather too much than too little; ``None`` for a position that was never served."""
        self._watcher.look()
        now = self._live.at
        if position > max(now.position, head):
            return None
        with self._live.store.snapshot() as queries:
            rows = queries.moved_since(position)
            rules = queries.last_rule() > position
        dinas, facts = frozenset(row[0] for row in rows), frozenset(row[0] for row in rows if row[2] > position)
        return [Moved(now.position, dinas, rules, facts)] if dinas or rules else []
