"""The security log in its own store: a file beside the journal, or two tables of the database. Notes are never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, insert, select, text
from sqlalchemy.exc import DBAPIError

from projections.ports import Unavailable
from projections.security import Look, Note, NotedAt, NotedLook
from projections.store.schema import ID
from streams.journal.sqlite_schema import refuse_changes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

METADATA: Final = MetaData()
_NOTES: Final = Table(
    "security_log",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False, index=True),
    *(Column(name, Text, nullable=False) for name in ("what", "who", "whose", "detail", "address")),
    Column("count", BigInteger, nullable=False),
)
_LOOKS: Final = Table(
    "looks",
    METADATA,
    *(Column(name, Text, primary_key=True) for name in ("day", "who", "page", "person")),
    Column("address", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_us", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
)
_COUNT_LOOK: Final = text(
    "INSERT INTO looks (day, who, page, person, address, count, first_us, last_us) "
    "VALUES (:day, :who, :page, :person, :address, 1, :at_us, :at_us) "
    "ON CONFLICT (day, who, page, person) "
    "DO UPDATE SET count = looks.count + 1, last_us = excluded.last_us, address = excluded.address"
)
_UNCHANGED: Final = "the security log is never changed"
TEXT_MOST: Final = 500
"""A longer text of a caller's is cut."""


class SecurityStore:
    """The log of one city."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        METADATA.create_all(engine)
        if engine.dialect.name == "sqlite":
            with engine.begin() as db:
                for statement in refuse_changes("security_log", "id", _UNCHANGED):  # in a database the roles' rights do
                    db.execute(text(statement))

    def note(self, at_us: int, note: Note) -> None:
        """Keep a note. Raises: ``Unavailable``."""
        words = {name: _kept(getattr(note, name)) for name in ("what", "who", "whose", "detail", "address")}
        self._write(insert(_NOTES), {"at_us": at_us, "count": note.count, **words})

    def look(self, at_us: int, look: Look) -> None:
        """Count a look. Raises: ``Unavailable``."""
        words = {name: _kept(getattr(look, name)) for name in Look.__struct_fields__}
        self._write(_COUNT_LOOK, {"at_us": at_us, **words})

    def notes(self, since_us: int) -> Iterator[NotedAt]:
        """The notes since an instant, in order."""
        query = select(_NOTES).where(_NOTES.c.at_us >= since_us).order_by(_NOTES.c.id)
        for row in self._rows(query):
            yield NotedAt(row.at_us, Note(row.what, row.who, row.whose, row.detail, row.address, row.count))

    def looks(self, since_us: int) -> Iterator[NotedLook]:
        """The looks since an instant, in order of their last."""
        query = select(_LOOKS).where(_LOOKS.c.last_us >= since_us).order_by(_LOOKS.c.last_us)
        for row in self._rows(query):
            look = Look(row.day, row.who, row.page, row.person, row.address)
            yield NotedLook(look, row.count, row.first_us, row.last_us)

    def close(self) -> None:
        """Release the connections."""
        self._engine.dispose()

    def _rows(self, query: Any) -> list[Any]:  # noqa: ANN401 - a query
        with self._engine.begin() as db:
            return list(db.execute(query))

    def _write(self, statement: Any, values: dict[str, Any]) -> None:  # noqa: ANN401 - a statement
        try:
            with self._engine.begin() as db:
                db.execute(statement, values)
        except DBAPIError as error:
            message = "the security log cannot be written now; nothing is shown without it"
            raise Unavailable(message) from error


def _kept(text: str) -> str:
    """A word as it is kept: its beginning, and in the place of a zero, which PostgreSQL takes in no text, a mark."""
    return text[:TEXT_MOST].replace("\0", "\ufffd")
