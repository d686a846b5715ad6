"""The rows of `sources` in the served generation, for layouts that begin or end and stopped partitions to resume.

The transaction is the caller's, on the caller's own connection, because a layout's row, a relay's order and these rows
move together. Within it the served generation stays the one served: a rebuild that would replace it waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from projections.segment import JOURNAL, RULEBOOK
from projections.store.generations_postgres import SCHEMA, schema_of
from projections.store.partitions import source_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg

    Db = psycopg.Connection[tuple[Any, ...]]


class FoldedTo(NamedTuple):
    """The progress of a source: the journal's id, the folded position, and the hash of the entry there."""

    journal: str
    position: int
    hash: str


def layout_of(sources: Iterable[str]) -> int | None:
    """The number of the layout whose partitions are among some sources."""
    return max((int(source.partition("/")[0]) for source in sources if "/" in source), default=None)


class ServedSources:
    """The sources of the generation served, for the length of a transaction."""

    def __init__(self, db: Db) -> None:
        """Lock the served generation. ``db`` is in a transaction. Raises: ``LookupError`` when no generation is served."""
        row = db.execute("SELECT generation FROM neraca.generations WHERE served FOR SHARE").fetchone()
        if row is None:
            message = "no generation is served"
            raise LookupError(message)
        db.execute("SELECT set_config('search_path', %s, true)", (f"{schema_of(row[0])},{SCHEMA}",))
        self._db = db

    def locked(self) -> dict[str, FoldedTo]:
        """The progress of each source; the rows stay locked."""
        rows = self._db.execute("SELECT source, journal, position, hash FROM sources FOR UPDATE")
        return {source: FoldedTo(journal, position, last_hash) for source, journal, position, last_hash in rows}

    def layout(self) -> int | None:
        """The number of the layout that is folded; ``None`` while one process folds everything."""
        return layout_of(source for (source,) in self._db.execute("SELECT source FROM sources"))

    def is_folded_to(self, layout: int, position: int) -> bool:
        """True if each partition of a layout is folded to a position, or the layout has no partition here."""
        query = "SELECT 1 FROM sources WHERE source LIKE %s AND position < %s LIMIT 1"
        return self._db.execute(query, (f"{layout}/%", position)).fetchone() is None

    def begin_layout(self, layout: int, partitions: int, start: FoldedTo) -> None:
        """Replace another layout's partitions by those of a layout, all folded to the same position."""
        self._db.execute("DELETE FROM sources WHERE source LIKE '%/%'")
        for partition in range(partitions):
            self._insert(source_of(layout, partition), start)

    def begin_rulebook(self, start: FoldedTo) -> None:
        """Fold the rulebook apart after a position; the journal is no longer folded as one source."""
        self._db.execute("DELETE FROM sources WHERE source IN (%s, %s)", (JOURNAL, RULEBOOK))
        self._insert(RULEBOOK, start)

    def _insert(self, source: str, start: FoldedTo) -> None:
        query = "INSERT INTO sources (source, journal, position, hash) VALUES (%s, %s, %s, %s)"
        self._db.execute(query, (source, *start))

    def stop_reasons(self) -> dict[str, str]:
        """Each stopped partition, as ``layout/number``, and why it stopped."""
        query = "SELECT source, stopped FROM sources WHERE stopped IS NOT NULL ORDER BY source"
        return dict(self._db.execute(query).fetchall())

    def lock_stopped(self, source: str) -> int | None:
        """The position of a stopped partition, whose row stays locked; ``None`` when it has not stopped."""
        query = "SELECT position FROM sources WHERE source = %s AND stopped IS NOT NULL FOR UPDATE"
        row = self._db.execute(query, (source,)).fetchone()
        return None if row is None else int(row[0])

    def forget_gaps(self, source: str) -> None:
        """Reset the count of a partition's gaps."""
        self._db.execute("DELETE FROM gaps WHERE source = %s", (source,))

    def clear_stop(self, source: str) -> None:
        """Let a partition continue from its position."""
        self._db.execute("UPDATE sources SET stopped = NULL WHERE source = %s", (source,))
