"""Stopped partitions, and how they go on: the relay sends each of them once more what follows its position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from projections.store.sources import ServedSources
from streams.relay.cursors import order_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from streams.places.database import Database


class StoppedPartition(Protocol):
    """One partition within a transaction that lets it go on."""

    def lock(self) -> int | None:
        """The partition's position, which stays as it is until the transaction ends; ``None`` when it has not stopped."""
        ...

    def forget_gaps(self) -> None:
        """The next gap is the first again."""
        ...

    def order_again(self, position: int) -> None:
        """Have the relay send once more what follows a position."""
        ...

    def clear_stop(self) -> None:
        """Fold on."""
        ...


def resume(partition: StoppedPartition) -> bool:
    """Let a partition go on; false when it has not stopped."""
    position = partition.lock()
    if position is None:
        return False
    partition.forget_gaps()
    partition.order_again(position)
    partition.clear_stop()
    return True


class _StoredPartition:
    """A partition in the database, by its source: ``layout/number``."""

    def __init__(self, db: psycopg.Connection[tuple[Any, ...]], source: str) -> None:
        self._db = db
        self._sources = ServedSources(db)
        self._source = source

    def lock(self) -> int | None:
        return self._sources.lock_stopped(self._source)

    def forget_gaps(self) -> None:
        self._sources.forget_gaps(self._source)

    def order_again(self, position: int) -> None:
        layout, _, partition = self._source.partition("/")
        order_again(self._db, int(layout), int(partition), position)

    def clear_stop(self) -> None:
        self._sources.clear_stop(self._source)


def stop_reasons(database: Database) -> dict[str, str]:
    """Every stopped partition, as ``layout/number``, and why it stopped."""
    with database.connected("stopped") as db, db.transaction():
        return ServedSources(db).stop_reasons()


def resume_all(database: Database, sources: Sequence[str]) -> list[str]:
    """Let these partitions go on, each in a transaction of its own; those that had stopped."""
    names = []
    for source in sources:
        with database.connected("resume") as db, db.transaction():
            if resume(_StoredPartition(db, source)):
                names.append(source)
    return names
