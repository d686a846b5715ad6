"""Layouts: the number of partitions into which a journal is cut from a position on. Each has a topic of its own.

A change begins a new layout at the journal's head; workers drain the old one first. Each layout has a key of its own, by
which the relay signs segments and workers know them; in the database only the roles of these two can read it.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from projections.segment import JOURNAL, WrongJournal
from projections.store.sources import FoldedTo, ServedSources, layout_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from streams.journal.journal import Journal
    from streams.places.database import Database

    Db = psycopg.Connection[tuple[Any, ...]]

TOPIC: Final = "neraca.segments"
KEY_BYTES: Final = 32


class Layout(NamedTuple):
    """One layout: its number, its number of partitions, and the journal's position after which it begins."""

    number: int
    partitions: int
    from_position: int
    until: int | None = None
    """The position at which the next layout begins, if there is one: nothing beyond it belongs here."""

    @property
    def topic(self) -> str:
        """The topic of its segments."""
        return f"{TOPIC}.{self.number}"


class Layouts:
    """The layouts of one database.

    They change in one transaction with rows of the store, on a connection of the database. A relay reads them on the
    connection that holds its lock.
    """

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def every(self, db: Db) -> list[Layout]:
        """Every layout so far, in order."""
        rows = db.execute("SELECT layout, partitions, from_position FROM neraca.layouts ORDER BY layout").fetchall()
        ends: list[int | None] = [row[2] for row in rows[1:]]
        return [Layout(row[0], row[1], row[2], end) for row, end in zip(rows, [*ends, None], strict=False)]

    def key_of(self, number: int) -> bytes | None:
        """The key that signs a layout's segments; ``None`` of a layout that a former version made."""
        with self._database.connected("segment key") as db:
            row = db.execute("SELECT key FROM neraca.segment_keys WHERE layout = %s", (number,)).fetchone()
        return None if row is None else bytes(row[0])

    def key_names(self, db: Db) -> dict[int, str]:
        """The name of each layout's key, by the layout's number; the name tells nothing of the key."""
        return dict(db.execute("SELECT layout, name FROM neraca.segment_keys").fetchall())

    def change(self, partitions: int | None = None) -> Layout:
        """A new layout from the journal's head on, of as many partitions as the last unless others are given.

        Raises: ``ValueError`` while an earlier change is under way, or if there is no layout to take the number from.
        """
        with self._database.connected("layout") as db, db.transaction():
            db.execute("LOCK TABLE neraca.layouts IN EXCLUSIVE MODE")
            layouts = self.every(db)
            if layouts and layouts[-1].number != ServedSources(db).layout():
                message = f"layout {layouts[-1].number} is not reached yet: workers still drain the one before"
                raise ValueError(message)
            if partitions is None and not layouts:
                message = "there is no layout yet: the first one is made, and signed, when a worker starts"
                raise ValueError(message)
            return self._insert(db, layouts, partitions or layouts[-1].partitions, self._journal.head())

    def current(self, partitions: int) -> Layout:
        """The layout to fold now: the next one if this one is drained, and a first one of ``partitions`` if there is none.

        Raises: ``WrongJournal`` when balances were folded from another journal.
        """
        with self._database.connected("layouts") as db, self._database.making(), db.transaction():
            sources = ServedSources(db)
            positions = sources.locked()
            self._verify(positions)
            number, layouts = layout_of(positions), self.every(db)
            if number is None:
                position = positions[JOURNAL].position if JOURNAL in positions else 0
                return self._begin(sources, self._insert(db, layouts, partitions, position))
            by_number = {layout.number: layout for layout in layouts}
            now, next_layout = by_number[number], by_number.get(number + 1)
            position = min(at.position for source, at in positions.items() if source.startswith(f"{number}/"))
            if next_layout is None or position < next_layout.from_position:
                return now
            # A rebuild may have brought the balances beyond the beginning of the layout: it goes on from where they are.
            sources.begin_layout(next_layout.number, next_layout.partitions, self._folded_to(position))
            return next_layout

    def is_over(self, number: int) -> bool:
        """True if another layout is folded by now, or could be. It is called often, so it waits for no fold."""
        with self._database.connected("layouts") as db, db.transaction():
            layout = ServedSources(db).layout()
        return layout not in (None, number) or self.is_drained(number)

    def is_drained(self, number: int) -> bool:
        """True if a layout is folded to its end, so that the next one can begin. It is called often, so it waits for no fold."""
        with self._database.connected("layouts") as db, db.transaction():
            until = next((layout.until for layout in self.every(db) if layout.number == number), None)
            return until is not None and ServedSources(db).is_folded_to(number, until)

    def _insert(self, db: Db, layouts: list[Layout], partitions: int, position: int) -> Layout:
        layout = Layout((layouts[-1].number if layouts else 0) + 1, partitions, position)
        db.execute("INSERT INTO neraca.layouts VALUES (%s, %s, %s)", layout[:3])
        key = secrets.token_bytes(KEY_BYTES)
        name = hashlib.sha256(key).hexdigest()[:16]
        db.execute("INSERT INTO neraca.segment_keys VALUES (%s, %s, %s)", (layout.number, name, key))
        return layout

    def _begin(self, sources: ServedSources, layout: Layout) -> Layout:
        """Fold in partitions from the position up to which one process has folded everything."""
        start = self._folded_to(layout.from_position)
        sources.begin_layout(layout.number, layout.partitions, start)
        sources.begin_rulebook(start)
        return layout

    def _folded_to(self, position: int) -> FoldedTo:
        return FoldedTo(self._journal.id, position, (self._journal.hash_at(position) or "") if position else "")

    def _verify(self, positions: Mapping[str, FoldedTo]) -> None:
        for source, (journal, position, last_hash) in positions.items():
            hash_now = self._journal.hash_at(position) if position else ""
            if journal != self._journal.id or hash_now != last_hash:
                message = (
                    f"{source} was folded up to position {position} of journal {journal}, which journal "
                    f"{self._journal.id} does not hold. Was an older journal restored? Then run: neraca rebuild --restored"
                )
                raise WrongJournal(message)
