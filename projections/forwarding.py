"""Forwarding: the intake's port from a reader to an intake. Outcomes as bytes, and the proof of whose events they are.

The proof is an HMAC by the secret that all processes of an installation share, over the method, the path, the hash of the body,
the session behind it, and an instant. It holds for one body, half a minute to either side of its instant; sent again within that
time, the events of the body count once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from domain.canonical import canonical
from domain.clock import SECOND_US
from domain.refusal import Fault, Refusal
from projections.ports import Accepted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.access.grant import Grant
    from projections.ports import Outcome

METHOD: Final = "POST"
PATH: Final = "/internal/forms"
"""The path at which an intake takes the events of forms, as the intake itself sees it."""
SCHEME: Final = "neraca-proof"
"""The scheme of the header ``Authorization`` that a proof comes in."""
LASTS_US: Final = 30 * SECOND_US
"""A proof holds for so long after its instant, and before it, as far as clocks differ."""


class Claims(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The claims of a proof: its instant, the SHA-256 of the body, the id of the token, and of a ticket its case and event."""

    at_us: int
    body: str
    token: str
    case: tuple[str, str, str] | None = None
    event_id: str = ""

    def covers(self, body: bytes) -> bool:
        """True of the body that the proof was made for."""
        return hmac.compare_digest(self.body, _hash(body))


_CLAIMS: Final = msgspec.json.Decoder(Claims)


def proof_of(secret: bytes, body: bytes, grant: Grant, at_us: int) -> str:
    """The proof that a process sends with a body, on behalf of the session with a grant, at an instant."""
    claims = Claims(at_us, _hash(body), grant.id, grant.case, grant.event_id)
    text = base64.urlsafe_b64encode(msgspec.json.encode(claims)).decode()
    return f"{text}.{_mac(secret, METHOD, PATH, text)}"


def claims_of(secret: bytes, proof: str, method: str, path: str, now_us: int) -> Claims:
    """The claims of a proof that this secret made, for this method and path, and not long ago.

    Raises: ``Refusal`` (``unauthorized``).
    """
    text, _, mac = proof.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(secret, method, path, text).encode()):
        raise Refusal("unauthorized", "the proof is not one of this installation's secret, for this request")
    claims = _CLAIMS.decode(base64.urlsafe_b64decode(text))
    if abs(now_us - claims.at_us) >= LASTS_US:
        raise Refusal(
            "unauthorized", "the proof is of another time: it was sent late, or the clocks of the two processes differ"
        )
    return claims


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _mac(secret: bytes, method: str, path: str, text: str) -> str:
    key = hmac.digest(secret, canonical([SCHEME]), hashlib.sha256)
    return hmac.digest(key, canonical([method, path, text]), hashlib.sha256).hex()


class _Refused(Struct, frozen=True):
    """A refusal, whole."""

    slug: str
    detail: str
    faults: tuple[Fault, ...] = ()
    holder: dict[str, Any] | None = None


class _Row(Struct, frozen=True, omit_defaults=True):
    """The outcome of one event: one of the two."""

    accepted: Accepted | None = None
    refused: _Refused | None = None


_ROWS: Final = msgspec.json.Decoder(tuple[_Row, ...])


def text_of(outcomes: Sequence[Outcome]) -> bytes:
    """Outcomes as JSON, with all that a caller of the port is told."""
    return msgspec.json.encode([_row(outcome) for outcome in outcomes])


def outcomes_in(text: bytes, number: int) -> list[Outcome]:
    """The outcomes of so many events. Raises: ``ValueError`` for any other text."""
    try:
        outcomes = [_outcome(row) for row in _ROWS.decode(text)]
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    if len(outcomes) != number:
        message = f"{len(outcomes)} outcomes of {number} events"
        raise ValueError(message)
    return outcomes


def _row(outcome: Outcome) -> _Row:
    if isinstance(outcome, Accepted):
        return _Row(accepted=outcome)
    return _Row(refused=_Refused(outcome.slug, outcome.detail, outcome.faults, outcome.holder))


def _outcome(row: _Row) -> Outcome:
    if row.accepted is not None:
        return row.accepted
    refusal = row.refused
    if refusal is None:
        message = "an outcome that is neither accepted nor refused"
        raise ValueError(message)
    return Refusal(refusal.slug, refusal.detail, *refusal.faults, holder=refusal.holder)
