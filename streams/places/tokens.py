"""Tokens: shown once, kept as hashes. The holder of a token has the rights it grants, until it is revoked."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, Engine, MetaData, Table, Text, insert, select, true, update
from sqlalchemy.exc import DBAPIError

from domain.events import own
from projections.ports import SCOPES, Grant, Unavailable
from projections.store.statements import is_transient
from streams.places.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

_METADATA: Final = MetaData()
_TOKENS: Final = Table(
    "tokens",
    _METADATA,
    Column("hash", Text, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("scopes", Text, nullable=False),
    Column("dinas", Text),
    Column("sources", Text),
    Column("made", Text, nullable=False),
    Column("revoked", Text),
)


_RECORDERS: Final = frozenset({"local", "import", "demo", "kafka", own.RECORDER})
"""The recorders (``recordedby``) that are no token's id."""


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _joined(names: Sequence[str] | None) -> str | None:
    return None if names is None else "\n".join(names)


def _split(names: str | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names.split("\n"))


def _grant(row: Any) -> Grant:  # noqa: ANN401 - a row
    return Grant(row.id, frozenset(row.scopes.split()), _split(row.dinas), _split(row.sources))


class TokenStore:
    """The tokens of one city. A secret has 256 random bits, so a plain SHA-256 keeps it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sessions = SessionStore(engine)
        _METADATA.create_all(engine)

    def make(
        self,
        token_id: str,
        scopes: Sequence[str],
        made_at: str,
        *,
        dinas: Sequence[str] | None = None,
        sources: Sequence[str] | None = None,
    ) -> str:
        """A new token's secret, shown this once. Raises: ``ValueError`` for an unknown scope or a taken id."""
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            message = f"scopes are {', '.join(SCOPES)}; not {', '.join(unknown) or 'none'}"
            raise ValueError(message)
        if token_id in _RECORDERS or any(row[0] == token_id for row in self.rows()):
            message = f"the id {token_id!r} is taken"
            raise ValueError(message)
        secret = "neraca_" + secrets.token_urlsafe(32)
        row = {
            "hash": _hash(secret),
            "id": token_id,
            "scopes": " ".join(scopes),
            "dinas": _joined(dinas),
            "sources": _joined(sources),
            "made": made_at,
        }
        with self._engine.begin() as db:
            db.execute(insert(_TOKENS), row)
        return secret

    def grant(self, secret: str) -> Grant | None:
        """The grant of a token; ``None`` when it is unknown or revoked. Raises: ``Unavailable`` while it cannot be read."""
        row = self._row_in_force(_TOKENS.c.hash == _hash(secret))
        return None if row is None else _grant(row)

    def by_id(self, token_id: str) -> tuple[Grant, bytes] | None:
        """The grant of a token by its id, and its hash as a key. Raises: ``Unavailable`` while it cannot be read."""
        row = self._row_in_force(_TOKENS.c.id == token_id)
        return None if row is None else (_grant(row), bytes.fromhex(row.hash))

    def _row_in_force(self, which: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a row
        try:
            with self._engine.begin() as db:
                return db.execute(select(_TOKENS).where(which, _TOKENS.c.revoked.is_(None))).first()
        except DBAPIError as error:
            if is_transient(error):
                message = "tokens cannot be read now"
                raise Unavailable(message) from error
            raise

    def revoke(self, token_id: str, at: str) -> bool:
        """Revoke a token; false when there is no such token, or it is revoked already."""
        with self._engine.begin() as db:
            result = db.execute(
                update(_TOKENS).where(_TOKENS.c.id == token_id, _TOKENS.c.revoked.is_(None)).values(revoked=at)
            )
        return result.rowcount > 0

    def has_standing(self) -> bool:
        """True if there is a token that was not revoked."""
        return self._row_in_force(true()) is not None

    def rows(self) -> list[tuple[str, str, str | None, str | None, str, str | None]]:
        """Every token: id, scopes, dinas, sources, when it was made and revoked; no secret, no hash."""
        with self._engine.begin() as db:
            rows = db.execute(select(_TOKENS).order_by(_TOKENS.c.id))
            return [(row.id, row.scopes, row.dinas, row.sources, row.made, row.revoked) for row in rows]
