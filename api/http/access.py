"""The caller of a request: the operator, the holder of a token, or nobody.

A token comes in a header. A browser that has signed in has a session instead, whose id is in a cookie. Without either, a
call is nobody's, unless the process is open and the call is the operator's.
"""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request

from api.http.connections import vouch
from api.http.doors import CALLER, caller_address, cookie_name, is_from_elsewhere, is_own_site
from api.http.guards import mark_for_one
from api.http.operator import is_operators
from api.http.rates import WrongTokens
from domain.access.grant import SIGNED_OPERATOR, is_standing
from domain.access.policy import Action, allowed, in_force
from domain.access.subjects import SOME, Subject
from domain.refusal import Refusal, attempt
from projections.forwarding import SCHEME
from projections.ports import LOCAL, Grant, Tokens

_LOOKED_UP: Final = "neraca.grant"
"""The name under which a request's scope has what was found about its caller."""
_SIGNED_IN: Final = "neraca.signed_in"
"""The name under which it has the grant of the browser's session."""


def is_own_form(request: Request) -> bool:
    """True if a page of this site sent a form: by the browser's Sec-Fetch-Site, else by its Origin."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or is_own_site(request, origin)


class Access:
    """Turns a request into a grant; ``now_us`` is the clock by which sessions end.

    ``ticket`` gives the grant of a citizen's ticket, ``proof`` that of a session whose form another process passes on.
    """

    def __init__(
        self,
        tokens: Tokens,
        now_us: Callable[[], int],
        ticket: Callable[[str], Grant] | None = None,
        proof: Callable[[Request], Grant] | None = None,
    ) -> None:
        self._tokens = tokens
        self._wrong = WrongTokens()
        self._ticket = ticket
        self._proof = proof
        self.now_us = now_us

    @property
    def tokens(self) -> Tokens:
        """The tokens it knows."""
        return self._tokens

    def grant(self, request: Request) -> Grant | None:
        """The caller's grant; ``None`` for nobody. Raises: ``Refusal`` for a token that is not known."""
        if _LOOKED_UP not in request.scope:  # a page asks several times
            request.scope[_LOOKED_UP] = attempt(self._grant, request)
        grant: Grant | Refusal | None = request.scope[_LOOKED_UP]
        if isinstance(grant, Refusal):
            raise grant
        if grant is not None:
            if is_standing(grant):
                vouch(request.scope)
            request.scope[CALLER] = grant.id
        return grant

    def _grant(self, request: Request) -> Grant | None:
        header = request.headers.get("authorization")
        if header is None:
            return self.signed_in(request) or (LOCAL if is_operators(request) else None)
        scheme, _, secret = header.partition(" ")
        if scheme.lower() == "ticket" and self._ticket is not None:
            return self._ticket(secret.strip())
        if scheme.lower() == SCHEME and self._proof is not None:
            return self._proof(request)
        grant = self._tokens.grant(secret.strip()) if scheme.lower() == "bearer" else None
        if grant is None or not in_force(grant, self.now_us()):
            self._wrong.met(caller_address(request.scope))
            raise Refusal("unauthorized", "the token is not known here, was revoked, or has ended")
        return grant

    def signed_in(self, request: Request) -> Grant | None:
        """The grant of a browser's session; ``None`` once it has ended, or its token has, and for a call of another site."""
        if _SIGNED_IN not in request.scope:  # the frame of a page names it too
            request.scope[_SIGNED_IN] = self._signed_in(request)
        grant: Grant | None = request.scope[_SIGNED_IN]
        return grant

    def _signed_in(self, request: Request) -> Grant | None:
        secret = request.cookies.get(cookie_name(request))
        if not secret or is_from_elsewhere(request):
            return None
        token_id = self._tokens.sessions.holder(secret, self.now_us())
        if token_id == LOCAL.id:
            return SIGNED_OPERATOR
        token = None if token_id is None else self._tokens.by_id(token_id)
        return token if token is not None and in_force(token, self.now_us()) else None

    def grant_of_secret(self, request: Request, secret: str) -> Grant | None:
        """The grant of a token that somebody signs in with; ``None`` if there is none, or it has ended.

        Raises: ``TooMany`` after too many wrong ones.
        """
        grant = self._tokens.grant(secret)
        if grant is None or not in_force(grant, self.now_us()):
            self._wrong.met(caller_address(request.scope))
            return None
        return grant

    def sees_operations(self, request: Request) -> bool:
        """True if a caller may see the state of the process: an auditor, a keeper of the keys, or the operator."""
        try:
            grant = self.grant(request)
        except Refusal:
            return False
        is_shown = grant is not None and self.allows(grant, "inspect")
        if is_shown:
            mark_for_one(request.scope)
        return is_shown

    def allows(self, grant: Grant | None, action: Action, subject: Subject = SOME) -> bool:
        """True if a caller may do an action on a subject now."""
        return allowed(grant, action, subject, self.now_us())

    def require(self, request: Request, action: Action, subject: Subject = SOME) -> Grant:
        """The grant of a caller who may do an action on a subject. Raises: ``Refusal``."""
        mark_for_one(request.scope)
        grant = self.grant(request)
        if grant is None:
            raise Refusal("unauthorized", "a token is needed: Authorization: Bearer …")
        if not self.allows(grant, action, subject):
            raise Refusal("forbidden", "the token does not cover this")
        return grant
