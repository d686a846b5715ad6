"""Tickets: a citizen's phone has no token, so that of the counter vouches for one rating of one case that was decided.

A ticket is a hash under a key of the installation and of the token, with the instant at which it ends: nothing is stored
for it, and it ends with the token too. It is written so that a person can type it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

import msgspec

from domain.access.grant import TICKET, Grant
from domain.access.policy import allowed
from domain.access.subjects import Unit
from domain.canonical import canonical
from domain.clock import DAY_US, SECOND_US
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.ports import Tokens

_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: none is taken for another when a person types it."""
_MAC_LETTERS: Final = 16
_END_LETTERS: Final = 7
_BITS: Final = 5
_PARTS: Final = 3
_NAMES: Final = msgspec.json.Decoder(tuple[str, str, str, str])
TICKET_US: Final = 7 * DAY_US
"""The time for which a ticket may be used, unless a setting names another."""


class Case(NamedTuple):
    """The case that a ticket is for."""

    dinas: str
    service: str
    case: str


class Ticket(NamedTuple):
    """A ticket as it is handed over, and the instant at which it ends."""

    text: str
    until_us: int


class Tickets:
    """Issues tickets, and knows them again."""

    def __init__(self, tokens: Tokens, now_us: Callable[[], int], secret: bytes, lasts_us: int) -> None:
        self._tokens = tokens
        self._now_us = now_us
        self._secret = secret
        self._lasts_us = lasts_us

    def issue(self, grant: Grant, case: Case) -> Ticket | None:
        """A ticket of a case under a token; ``None`` without a token, or if it does not vouch for the case."""
        token = self._tokens.by_id(grant.id)
        if token is None or not self._vouches(token, case):
            return None
        end_s = (self._now_us() + self._lasts_us) // SECOND_US
        return Ticket(
            f"{self._mac(grant.id, case, end_s)}-{_written(end_s, _END_LETTERS)}-{grant.id}", end_s * SECOND_US
        )

    def grant_of(self, text: str, case: Case) -> Grant:
        """The grant of a ticket: one rating of its case, under a name made of the ticket. Raises: ``Refusal``."""
        parts = text.strip().split("-", _PARTS - 1)
        if len(parts) == _PARTS:
            mac, end, token_id = _as_typed(parts[0]), _as_typed(parts[1]), parts[2]
            end_s = _number(end)
            is_genuine = hmac.compare_digest(mac.encode(), self._mac(token_id, case, end_s).encode())
            if is_genuine and self._now_us() < end_s * SECOND_US:
                name = hashlib.sha256(f"{mac}-{end}-{token_id}".encode()).hexdigest()[:32]
                grant = self.grant_under(token_id, case, f"tiket-{name}")
                if grant is not None:
                    return grant
        detail = "this code is not, or no longer, one that a counter gave for this case"
        raise Refusal("forbidden", detail, Fault("/ticket", detail))

    def grant_of_header(self, text: str) -> Grant:
        """The grant of a ticket as a screen sends it: base64url of the JSON list of the case's names and the ticket.

        Raises: ``Refusal``.
        """
        try:
            names = _NAMES.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (ValueError, msgspec.MsgspecError):
            names = ("", "", "", "")
        return self.grant_of(names[3], Case(*names[:3]))

    def grant_under(self, token_id: str, case: tuple[str, str, str], event_id: str) -> Grant | None:
        """The grant of a ticket that was found genuine: one rating of its case; ``None`` once its token vouches no more."""
        token = self._tokens.by_id(token_id)
        if token is None or not self._vouches(token, Case(*case)):
            return None
        sources = frozenset({f"/nilai/{quote(token_id, safe='')}"})
        roles, dinas = frozenset({TICKET}), frozenset({case[0]})
        return Grant(token_id, roles, dinas, sources, case=(case[0], case[1], case[2]), event_id=event_id)

    def _vouches(self, grant: Grant, case: Case) -> bool:
        return allowed(grant, "vouch", Unit(case.dinas), self._now_us())

    def _mac(self, token_id: str, case: Case, end_s: int) -> str:
        key = hmac.digest(self._secret, canonical(["neraca-ticket", token_id]), hashlib.sha256)
        mac = hmac.digest(key, canonical([*case, str(end_s), token_id]), hashlib.sha256)
        return _written(int.from_bytes(mac[: _MAC_LETTERS * _BITS // 8]), _MAC_LETTERS)


def _written(number: int, letters: int) -> str:
    return "".join(_LETTERS[number >> (_BITS * place) & 31] for place in reversed(range(letters)))


def _as_typed(text: str) -> str:
    """Letters as a person may have typed them."""
    return text.replace(" ", "").upper().translate(str.maketrans("OIL", "011"))


def _number(letters: str) -> int:
    """The number that letters write; 0, which has passed, for any other text."""
    if len(letters) != _END_LETTERS or not set(letters) <= set(_LETTERS):
        return 0
    number = 0
    for letter in letters:
        number = number << _BITS | _LETTERS.index(letter)
    return number
