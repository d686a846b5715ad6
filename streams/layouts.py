"""Layouts: into how many partitions a journal is cut from a position on. A change is a new topic; the old one is drained first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from projections.segment import JOURNAL, RULEBOOK, WrongJournal
from projections.store.generations_postgres import schema_of
from projections.store.partitions import source_of

if TYPE_CHECKING:
    import psycopg

    from streams.journal.journal import Journal
    from streams.places.database import Database

TOPIC: Final = "neraca.segments"
Db = "psycopg.Connection[tuple[Any, ...]]"


class Layout(NamedTuple):
    """One layout: its number, how many partitions it has, and the journal's position after which it begins."""

    number: int
    partitions: int
    from_position: int
    until: int | None = None
    """Where the next layout begins, if there is one: nothing beyond it belongs here."""

    @property
    def topic(self) -> str:
        """The topic of its segments."""
        return f"{TOPIC}.{self.number}"


class Layouts:
    """The layouts of one database."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def known(self, db: psycopg.Connection[tuple[Any, ...]]) -> list[Layout]:
        """Every layout there was, in order."""
        rows = db.execute("SELECT layout, partitions, from_position FROM neraca.layouts ORDER BY layout").fetchall()
        ends: list[int | None] = [row[2] for row in rows[1:]]
        return [Layout(row[0], row[1], row[2], end) for row, end in zip(rows, [*ends, None], strict=False)]

    def change(self, partitions: int) -> Layout:
        """A new layout from the journal's head on. Raises: ``ValueError`` while an earlier change is under way."""
        with self._database.connected("layout") as db, db.transaction():
            db.execute("LOCK TABLE neraca.layouts IN EXCLUSIVE MODE")
            known = self.known(db)
            if known and known[-1].number != self._folded(db):
                message = f"layout {known[-1].number} is not reached yet: workers still drain the one before"
                raise ValueError(message)
            number = (known[-1].number if known else 0) + 1
            head = self._journal.head()
            db.execute("INSERT INTO neraca.layouts VALUES (%s, %s, %s)", (number, partitions, head))
        return Layout(number, partitions, head)

    def reached(self, partitions: int) -> Layout:
        """The layout to fold now; begun with ``partitions`` where there is none, the next one where this one is drained.

        Raises: ``WrongJournal`` when balances were folded from another journal.
        """
        with self._database.connected("layouts") as db, self._database.making(), db.transaction():
            schema = self._served(db)
            found = db.execute(f"SELECT source, journal, position, hash FROM {schema}.sources FOR UPDATE".encode())
            held = {row[0]: row[1:] for row in found.fetchall()}
            self._verify(held)
            folded = max((int(source.partition("/")[0]) for source in held if "/" in source), default=None)
            if folded is None:
                return self._begin(db, schema, held.get(JOURNAL, (None, 0, ""))[1], partitions)
            known = {layout.number: layout for layout in self.known(db)}
            now, following = known[folded], known.get(folded + 1)
            stands = min(at[1] for source, at in held.items() if source.startswith(f"{folded}/"))
            if following is None or stands < following.from_position:
                return now
            db.execute(f"DELETE FROM {schema}.sources WHERE source LIKE %s".encode(), (f"{folded}/%",))
            self._start(db, schema, following, stands)  # beyond its beginning, where a rebuild came between
            return following

    def is_over(self, number: int) -> bool:
        """Whether a layout is not the one that is folded any more, or could be left; asked often, so no fold is waited for."""
        with self._database.connected("layouts") as db:
            folded = self._folded(db)
        return folded not in (None, number) or self.is_drained(number)

    def is_drained(self, number: int) -> bool:
        """Whether a layout is folded to its end, and the next one can begin; asked often, so nothing is held for it."""
        with self._database.connected("layouts") as db:
            until = next((layout.until for layout in self.known(db) if layout.number == number), None)
            if until is None:
                return False
            schema = self._served(db)
            rows = db.execute(f"SELECT position FROM {schema}.sources WHERE source LIKE %s".encode(), (f"{number}/%",))
            return all(row[0] >= until for row in rows.fetchall())

    def _folded(self, db: psycopg.Connection[tuple[Any, ...]]) -> int | None:
        schema = self._served(db)
        rows = db.execute(f"SELECT source FROM {schema}.sources WHERE source LIKE '%%/%%'".encode()).fetchall()
        return max((int(row[0].partition("/")[0]) for row in rows), default=None)

    def _served(self, db: psycopg.Connection[tuple[Any, ...]]) -> str:
        """The schema served, held so that no rebuild puts another in its place meanwhile."""
        row = db.execute("SELECT generation FROM neraca.generations WHERE served FOR SHARE").fetchone()
        if row is None:
            message = "no generation is served"
            raise RuntimeError(message)
        return schema_of(row[0])

    def _verify(self, held: dict[str, Any]) -> None:
        for source, (journal, position, last_hash) in held.items():
            now = self._journal.hash_at(position) if position else ""
            if journal != self._journal.id or now != last_hash:
                message = (
                    f"{source} was folded up to position {position} of journal {journal}, which journal "
                    f"{self._journal.id} does not hold. Was an older journal restored? Then run: neraca rebuild --restored"
                )
                raise WrongJournal(message)

    def _begin(self, db: psycopg.Connection[tuple[Any, ...]], schema: str, position: int, partitions: int) -> Layout:
        """What one process folded so far goes on in partitions, from where it stands."""
        known = self.known(db)
        layout = Layout((known[-1].number if known else 0) + 1, partitions, position)
        db.execute("INSERT INTO neraca.layouts VALUES (%s, %s, %s)", layout[:3])
        db.execute(f"DELETE FROM {schema}.sources".encode())
        self._start(db, schema, layout, position)
        self._insert(db, schema, RULEBOOK, position)
        return layout

    def _start(self, db: psycopg.Connection[tuple[Any, ...]], schema: str, layout: Layout, position: int) -> None:
        for partition in range(layout.partitions):
            self._insert(db, schema, source_of(layout.number, partition), position)

    def _insert(self, db: psycopg.Connection[tuple[Any, ...]], schema: str, source: str, position: int) -> None:
        last_hash = (self._journal.hash_at(position) or "") if position else ""
        db.execute(
            f"INSERT INTO {schema}.sources (source, journal, position, hash) VALUES (%s, %s, %s, %s)".encode(),
            (source, self._journal.id, position, last_hash),
        )
