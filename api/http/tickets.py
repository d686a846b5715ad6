"""Tickets: a citizen's phone holds no token, so the counter's own vouches for one case and one rating of it.

A ticket is made of the token's keyed hash: nothing is stored for it, and with the token it is revoked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from domain.canonical import canonical
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from projections.ports import Grant, Tokens

_BYTES: Final = 16


class Case(NamedTuple):
    """What a ticket is for."""

    dinas: str
    service: str
    case: str


def covers(grant: Grant, case: Case) -> bool:
    """Whether a grant may record facts of a case, and so vouch for a rating of it."""
    return "fact" in grant.scopes and (grant.dinas is None or case.dinas in grant.dinas)


def ticket_for(tokens: Tokens, grant: Grant, case: Case) -> str | None:
    """The ticket of a case under a token; ``None`` where there is no token, or it does not cover the case."""
    held = tokens.by_id(grant.id)
    return None if held is None or not covers(held[0], case) else f"{_mac(held[1], case)}.{grant.id}"


def grant_of(tokens: Tokens, ticket: str, case: Case) -> Grant:
    """The grant behind a ticket, cut down to facts of the case's dinas. Raises: ``Refusal``."""
    mac, _, token_id = ticket.partition(".")
    held = tokens.by_id(token_id) if token_id else None
    if held is None or not hmac.compare_digest(mac.encode(), _mac(held[1], case).encode()) or not covers(held[0], case):
        detail = "this address is not, or no longer, one that a counter gave for this case"
        raise Refusal("forbidden", detail, Fault("/ticket", detail))
    return replace(held[0], scopes=frozenset({"fact"}), dinas=frozenset({case.dinas}))


def _mac(key: bytes, case: Case) -> str:
    made = hmac.digest(key, canonical(["neraca-ticket", *case]), hashlib.sha256)
    return base64.urlsafe_b64encode(made[:_BYTES]).decode().rstrip("=")
