"""Proofs: a reader that passes on a form proves, by the secret of the installation, whose session the form came from.

The rights are looked up here: a token that was revoked meanwhile opens nothing, whatever a proof says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.http.doors import doors_of
from domain.access.grant import SIGNED_OPERATOR
from domain.refusal import Refusal
from projections.forwarding import SCHEME, Claims, claims_of
from projections.ports import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from projections.ports import Grant, Tokens


class Proofs:
    """Knows proofs by the secret; ``ticket`` gives the grant of a ticket that a reader has looked at."""

    def __init__(
        self,
        tokens: Tokens,
        now_us: Callable[[], int],
        secret: bytes,
        ticket: Callable[[str, tuple[str, str, str], str], Grant | None],
    ) -> None:
        self._tokens = tokens
        self._now_us = now_us
        self._secret = secret
        self._ticket = ticket

    def claims_of(self, request: Request) -> Claims:
        """The claims of a request's proof; of its body it is still to be seen. Raises: ``Refusal`` without one that holds."""
        headers = request.headers.getlist("authorization")
        scheme, _, proof = (headers[0] if len(headers) == 1 else "").partition(" ")
        if scheme.lower() != SCHEME:
            raise Refusal("unauthorized", "a proof of another process of this installation is needed here")
        return claims_of(self._secret, proof.strip(), request.method, request.scope["path"], self._now_us())

    def grant_of(self, request: Request) -> Grant:
        """The grant of the session that a request's proof names, whether or not it is in force. Raises: ``Refusal``."""
        claims = self.claims_of(request)
        grant = self._grant(request, claims)
        if grant is None:
            raise Refusal("forbidden", "whoever sent this form may not, or no longer, send it")
        return grant

    def _grant(self, request: Request, claims: Claims) -> Grant | None:
        if claims.case is not None:
            return self._ticket(claims.token, claims.case, claims.event_id)
        if claims.token == LOCAL.id:
            return LOCAL if doors_of(request).is_open else SIGNED_OPERATOR
        return self._tokens.by_id(claims.token)
