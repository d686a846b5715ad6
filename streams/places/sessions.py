"""Sessions of browsers, and the links that begin one: random ids, kept as hashes beside the tokens they are bound to."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, delete, func, insert, select, update

from projections.ports import Session
from streams.places.hashed import hash_of, transaction

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Engine
    from sqlalchemy.sql.dml import UpdateBase

METADATA: Final = MetaData()
_SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("hash", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("begun_us", BigInteger, nullable=False),
    Column("seen_us", BigInteger, nullable=False),
    Column("idle_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
)
NAME_CHARS: Final = 12
"""The beginning of a session's hash names it to an administrator; nobody comes in by it."""
NOTED_EVERY_US: Final = 60_000_000
"""A call is noted in its session so often at most, and four times within the time of idleness at least."""
_NOBODY: Final = ""
"""The holder of a link, until it is spent."""


def _new_row(token_id: str, now_us: int, lasts_us: int, idle_us: int) -> tuple[str, dict[str, Any]]:
    """A new secret, and the row that knows it."""
    secret = secrets.token_urlsafe(32)
    row = {
        "hash": hash_of(secret),
        "token": token_id,
        "begun_us": now_us,
        "seen_us": now_us,
        "idle_us": idle_us,
        "until_us": now_us + lasts_us,
    }
    return secret, row


class SessionStore:
    """The sessions of one city. An id has 256 random bits, so a plain SHA-256 keeps it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        METADATA.create_all(engine)

    def begin(self, token_id: str, now_us: int, *, lasts_us: int, idle_us: int) -> str:
        """A new session's secret. It ends ``lasts_us`` after ``now_us``, and ``idle_us`` after its last call."""
        secret, row = _new_row(token_id, now_us, lasts_us, idle_us)
        self._change(delete(_SESSIONS).where(_SESSIONS.c.until_us <= now_us))
        self._change(insert(_SESSIONS).values(row))
        return secret

    def holder(self, secret: str, now_us: int) -> str | None:
        """The id of the token that a session is bound to; ``None`` when there is no such session, or it has ended.

        Raises: ``Unavailable`` while sessions cannot be read.
        """
        key = hash_of(secret)
        rows = self._rows(_SESSIONS.c.hash == key, _standing(now_us), _SESSIONS.c.token != _NOBODY)
        if not rows:
            return None
        row = rows[0]
        if now_us - row.seen_us >= min(NOTED_EVERY_US, row.idle_us // 4):
            self._change(update(_SESSIONS).where(_SESSIONS.c.hash == key).values(seen_us=now_us))
        return str(row.token)

    def end(self, secret: str) -> None:
        """End a session."""
        self._change(delete(_SESSIONS).where(_SESSIONS.c.hash == hash_of(secret)))

    def link(self, now_us: int, *, lasts_us: int) -> str:
        """A new link's secret, good for one sign-in; an earlier link that nobody has spent ends."""
        secret, row = _new_row(_NOBODY, now_us, lasts_us, lasts_us)
        self._change(delete(_SESSIONS).where(_SESSIONS.c.token == _NOBODY))
        self._change(insert(_SESSIONS).values(row))
        return secret

    def spend(self, secret: str, now_us: int) -> bool:
        """Spend a link; false when it is not known, was spent, or is too old. Of two who spend it at once one succeeds."""
        is_link = (_SESSIONS.c.hash == hash_of(secret), _SESSIONS.c.token == _NOBODY)
        return self._change(delete(_SESSIONS).where(*is_link, _SESSIONS.c.until_us > now_us)) == 1

    def standing(self, now_us: int) -> list[Session]:
        """Every session that has not ended, the last begun first."""
        rows = self._rows(_standing(now_us), _SESSIONS.c.token != _NOBODY)
        sessions = [Session(row.hash[:NAME_CHARS], row.token, row.begun_us, row.seen_us, _end_us(row)) for row in rows]
        return sorted(sessions, key=lambda session: -session.begun_us)

    def end_named(self, name: str) -> int:
        """End the session of a name, or all sessions of a token's id; the number of those ended."""
        is_named = (_SESSIONS.c.token == name) | (func.substr(_SESSIONS.c.hash, 1, NAME_CHARS) == name)
        return self._change(delete(_SESSIONS).where(is_named, _SESSIONS.c.token != _NOBODY))

    def _rows(self, *which: ColumnElement[bool]) -> list[Any]:
        with transaction(self._engine, "sessions") as db:
            return list(db.execute(select(_SESSIONS).where(*which)))

    def _change(self, statement: UpdateBase) -> int:
        with transaction(self._engine, "sessions") as db:
            return db.execute(statement).rowcount


def _standing(now_us: int) -> ColumnElement[bool]:
    return (_SESSIONS.c.until_us > now_us) & (_SESSIONS.c.seen_us + _SESSIONS.c.idle_us > now_us)


def _end_us(row: Any) -> int:  # noqa: ANN401 - a row
    return int(min(row.until_us, row.seen_us + row.idle_us))
