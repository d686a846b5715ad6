"""Tickets: a citizen's phone has no token, so that of the counter vouches for one case and one rating of it.

A ticket is a hash under the key of the token: nothing is stored for it, and it is revoked with the token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from domain.access.grant import TICKET
from domain.access.subjects import Unit
from domain.canonical import canonical
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from api.http.access import Access
    from projections.ports import Grant

_BYTES: Final = 16


class Case(NamedTuple):
    """The case that a ticket is for."""

    dinas: str
    service: str
    case: str


def ticket_for(access: Access, grant: Grant, case: Case) -> str | None:
    """The ticket of a case under a token; ``None`` without a token, or if it does not cover the case."""
    token = access.tokens.by_id(grant.id)
    return None if token is None or not _covers(access, token[0], case) else f"{_mac(token[1], case)}.{grant.id}"


def grant_of(access: Access, ticket: str, case: Case) -> Grant:
    """The grant behind a ticket, cut down to one rating of the case. Raises: ``Refusal``."""
    mac, _, token_id = ticket.partition(".")
    token = access.tokens.by_id(token_id) if token_id else None
    is_genuine = token is not None and hmac.compare_digest(mac.encode(), _mac(token[1], case).encode())
    if token is None or not is_genuine or not _covers(access, token[0], case):
        detail = "this address is not, or no longer, one that a counter gave for this case"
        raise Refusal("forbidden", detail, Fault("/ticket", detail))
    return replace(token[0], roles=frozenset({TICKET}), dinas=frozenset({case.dinas}), case=tuple(case))


def _covers(access: Access, grant: Grant, case: Case) -> bool:
    """True if a grant vouches for ratings of a case."""
    return access.allows(grant, "vouch", Unit(case.dinas))


def _mac(key: bytes, case: Case) -> str:
    mac = hmac.digest(key, canonical(["neraca-ticket", *case]), hashlib.sha256)
    return base64.urlsafe_b64encode(mac[:_BYTES]).decode().rstrip("=")
