"""Tokens: shown once, kept as hashes. The holder of a token has the rights it grants, until it ends or is revoked."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from domain.access.grant import OLD_SCOPES, ROLES, Grant, roles_of
from domain.access.limits import Limits
from domain.clock import parse_instant
from domain.events import own
from projections.ports import Unavailable
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
_LIMITS: Final = Table(
    "token_limits",  # beside the table of former versions, which stays as it was
    _METADATA,
    Column("id", Text, primary_key=True),
    Column("asn", Text, nullable=False),
    Column("until_us", BigInteger),
    Column("events_hour", Integer),
)
_ROWS: Final = select(_TOKENS, _LIMITS.c.asn, _LIMITS.c.until_us, _LIMITS.c.events_hour).select_from(
    _TOKENS.outerjoin(_LIMITS, _LIMITS.c.id == _TOKENS.c.id)
)
_RECORDERS: Final = frozenset({"local", "import", "demo", "kafka", own.RECORDER})
"""The recorders (``recordedby``) that are no token's id."""
_OWN_SOURCES: Final = frozenset({"counter", "rate"})
"""The roles whose sources are theirs alone."""


NO_LIMITS: Final = Limits()


class TokenRow(Struct, frozen=True):
    """A token without its secret: its grant, the names of its rights as it was made, and when it was made and revoked."""

    grant: Grant
    names: tuple[str, ...]
    made: str
    revoked: str | None

    def stands(self, now_us: int) -> bool:
        """True if it was not revoked and has not ended."""
        return self.revoked is None and (self.grant.until_us is None or now_us < self.grant.until_us)

    @property
    def is_old_counter(self) -> bool:
        """True of a token for facts that was made before a counter needed a source of its own."""
        return "counter" in self.grant.roles and (self.grant.sources is None or self.grant.dinas is None)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _joined(names: frozenset[str] | None) -> str | None:
    return None if names is None else "\n".join(sorted(names))


def _split(names: str | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names.split("\n"))


def _grant(row: Any) -> Grant:  # noqa: ANN401 - a row
    dinas = _split(row.dinas)
    roles = roles_of(frozenset(row.scopes.split()), has_limit=dinas is not None)
    return Grant(
        row.id,
        roles,
        dinas,
        _split(row.sources),
        row.asn or "",
        until_us=row.until_us,
        events_hour=row.events_hour,
    )


class TokenStore:
    """The tokens of one city. A secret has 256 random bits, so a plain SHA-256 keeps it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sessions = SessionStore(engine)
        _METADATA.create_all(engine)

    def make(
        self,
        token_id: str,
        roles: Sequence[str],
        made_at: str,
        limits: Limits = NO_LIMITS,
        *,
        until_us: int | None = None,
        replaces: str | None = None,
    ) -> str:
        """A new token's secret, shown this once; the token that it ``replaces`` is revoked in the same step.

        Raises: ``ValueError`` for an unknown role, a taken id, a source of another counter, or nothing to replace.
        """
        unknown = [role for role in roles if role not in ROLES and role not in OLD_SCOPES]
        if unknown or not roles:
            message = f"roles are {', '.join(ROLES)}; not {', '.join(unknown) or 'none'}"
            raise ValueError(message)
        secret = "neraca_" + secrets.token_urlsafe(32)
        row: dict[str, str | None] = {"hash": _hash(secret), "id": token_id, "scopes": " ".join(roles), "made": made_at}
        row |= {"dinas": _joined(limits.dinas), "sources": _joined(limits.sources)}
        beside = {"id": token_id, "asn": limits.asn, "until_us": until_us, "events_hour": limits.events_hour}
        with self._engine.begin() as db:
            others = _rows(db)
            if token_id in _RECORDERS or any(other.grant.id == token_id for other in others):
                message = f"the id {token_id!r} is taken"
                raise ValueError(message)
            if replaces is not None and not _revoke(db, replaces, made_at):
                message = f"there is no token {replaces} to replace, or it is revoked already"
                raise ValueError(message)
            if _OWN_SOURCES.intersection(roles_of(frozenset(roles), has_limit=limits.dinas is not None)):
                _check_sources(limits, others, replaces, parse_instant(made_at))
            db.execute(insert(_TOKENS), row)
            db.execute(insert(_LIMITS), beside)
        return secret

    def grant(self, secret: str) -> Grant | None:
        """The grant of a token; ``None`` when it is unknown or revoked. Raises: ``Unavailable`` while it cannot be read."""
        row = self._row_in_force(_TOKENS.c.hash == _hash(secret))
        return None if row is None else _grant(row)

    def by_id(self, token_id: str) -> Grant | None:
        """The grant of a token by its id; ``None`` when it is unknown or revoked.

        Raises: ``Unavailable`` while it cannot be read.
        """
        row = self._row_in_force(_TOKENS.c.id == token_id)
        return None if row is None else _grant(row)

    def close(self) -> None:
        """Release the connections."""
        self._engine.dispose()

    def _row_in_force(self, which: ColumnElement[bool]) -> Any:  # noqa: ANN401 - a row
        try:
            with self._engine.begin() as db:
                return db.execute(_ROWS.where(which, _TOKENS.c.revoked.is_(None))).first()
        except DBAPIError as error:
            if is_transient(error):
                message = "tokens cannot be read now"
                raise Unavailable(message) from error
            raise

    def revoke(self, token_id: str, at: str) -> bool:
        """Revoke a token; false when there is no such token, or it is revoked already."""
        with self._engine.begin() as db:
            return _revoke(db, token_id, at)

    def rows(self) -> list[TokenRow]:
        """Every token by its id; no secret, no hash."""
        with self._engine.begin() as db:
            return _rows(db)


def _rows(db: Connection) -> list[TokenRow]:
    rows = db.execute(_ROWS.order_by(_TOKENS.c.id))
    return [TokenRow(_grant(row), tuple(row.scopes.split()), row.made, row.revoked) for row in rows]


def _revoke(db: Connection, token_id: str, at: str) -> bool:
    which = (_TOKENS.c.id == token_id, _TOKENS.c.revoked.is_(None))
    return db.execute(update(_TOKENS).where(*which).values(revoked=at)).rowcount > 0


def _check_sources(limits: Limits, others: Sequence[TokenRow], replaces: str | None, now_us: int) -> None:
    """A source is one counter's; once that has ended, it is free for the same dinas. Raises: ``ValueError``."""
    for other in others:
        grant = other.grant
        for source in sorted((limits.sources or frozenset()) & (grant.sources or frozenset())):
            if not _OWN_SOURCES & grant.roles:
                continue
            if other.stands(now_us) and grant.id != replaces:
                message = f"the source {source} is that of the token {grant.id}: name another, or end it by --replaces"
                raise ValueError(message)
            if grant.dinas is not None and not (limits.dinas is not None and limits.dinas <= grant.dinas):
                message = f"the source {source} was that of the token {grant.id}, of another dinas: name another"
                raise ValueError(message)
