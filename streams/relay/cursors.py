"""Cursors: how far a layout has been relayed, kept in the database and moved by compare-and-set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    import psycopg

    from streams.layouts import Layout

    Db = psycopg.Connection[tuple[Any, ...]]

SETTLED: Final = -1
"""Nothing of a partition is to be sent once more."""


class Cursors(NamedTuple):
    """The progress of the relay in one layout."""

    scanned: int
    """Every entry up to here has been sent to its partition."""
    sent: tuple[int, ...]
    """The position up to which each partition was sent segments; it has no entry between that and ``scanned``."""
    again: tuple[int, ...]
    """The position after which a partition is to be sent once more, or ``SETTLED``."""

    def has_reached(self, until: int) -> bool:
        """True if each partition was sent everything up to a position, and nothing is to be sent once more."""
        return self.scanned >= until and min(self.sent) >= until and set(self.again) == {SETTLED}

    def with_again(self, partition: int, position: int) -> Cursors:
        """The cursors with an order to send a partition once more after a position, or with that order ``SETTLED``."""
        return self._replace(again=(*self.again[:partition], position, *self.again[partition + 1 :]))


class StoredCursors(Protocol):
    """The place where the cursors of a layout are stored."""

    def load(self) -> Cursors:
        """The stored cursors; those of the layout's beginning when none are stored."""
        ...

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Compare and set: false when the stored ones are not ``before``, or were written again since they were loaded."""
        ...


class DatabaseCursors:
    """The cursors of a layout in the database."""

    def __init__(self, db: Db, layout: Layout) -> None:
        self._db = db
        self._layout = layout
        self._version: str | None = None
        """The version of the row as it was loaded or written here."""

    def load(self) -> Cursors:
        """The stored cursors. The first load of a layout stores those of its beginning; later ones only read."""
        row = self._read()
        if row is None:
            number, start, partitions = self._layout.number, self._layout.from_position, self._layout.partitions
            self._db.execute(
                "INSERT INTO neraca.relays VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (number, start, [start] * partitions, [SETTLED] * partitions),
            )
            row = self._read()
        assert row is not None, "just written"  # noqa: S101 - for the type checker
        self._version = row[3]
        return Cursors(row[0], tuple(row[1]), tuple(row[2]))

    def _read(self) -> tuple[Any, ...] | None:
        query = "SELECT scanned, sent, again, xmin::text FROM neraca.relays WHERE layout = %s"
        return self._db.execute(query, (self._layout.number,)).fetchone()

    def move(self, before: Cursors, after: Cursors) -> bool:
        """Compare and set, in one statement; the row's version is compared too, since an order may be given twice."""
        query = (
            "UPDATE neraca.relays SET scanned = %s, sent = %s::bigint[], again = %s::bigint[] "
            "WHERE layout = %s AND scanned = %s AND sent = %s::bigint[] AND again = %s::bigint[] "
            "AND xmin::text = coalesce(%s, xmin::text) RETURNING xmin::text"
        )
        values = (after.scanned, list(after.sent), list(after.again))
        expected_row = (before.scanned, list(before.sent), list(before.again))
        row = self._db.execute(query, (*values, self._layout.number, *expected_row, self._version)).fetchone()
        if row is not None:
            self._version = row[0]
        return row is not None


def order_again(db: Db, layout: int, partition: int, position: int) -> None:
    """Have the relay send a partition once more after a position.

    The order holds even when nothing seems to have been sent since: a relay that just sent something has not moved its
    cursors yet.
    """
    query = "UPDATE neraca.relays SET again[%s] = %s WHERE layout = %s"
    db.execute(query, (partition + 1, position, layout))
