"""The caller of a request: the operator, the holder of a token, or nobody.

A token comes in a header. A browser that has signed in has a session instead, whose id is in a cookie. Without either, a
call is nobody's, unless the process is open and the call is the operator's.
"""

from collections.abc import Callable

from starlette.requests import Request

from api.http.doors import CALLER, cookie_name, is_from_elsewhere, is_own_site
from api.http.operator import is_operators
from domain.refusal import Refusal
from projections.ports import LOCAL, Grant, Tokens


def is_own_form(request: Request) -> bool:
    """True if a page of this site sent a form: by the browser's Sec-Fetch-Site, else by its Origin."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or is_own_site(request, origin)


class Access:
    """Turns a request into a grant; ``now_us`` is the clock by which sessions end."""

    def __init__(self, tokens: Tokens, now_us: Callable[[], int]) -> None:
        self._tokens = tokens
        self.now_us = now_us

    @property
    def tokens(self) -> Tokens:
        """The tokens it knows."""
        return self._tokens

    def grant(self, request: Request) -> Grant | None:
        """The caller's grant; ``None`` for nobody. Raises: ``Refusal`` for a token that is not known."""
        grant = self._grant(request)
        if grant is not None:
            request.scope[CALLER] = grant.id
        return grant

    def _grant(self, request: Request) -> Grant | None:
        header = request.headers.get("authorization")
        if header is None:
            return self.signed_in(request) or (LOCAL if is_operators(request) else None)
        scheme, _, secret = header.partition(" ")
        grant = self._tokens.grant(secret.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            raise Refusal("unauthorized", "the token is not known here, or was revoked")
        return grant

    def signed_in(self, request: Request) -> Grant | None:
        """The grant of a browser's session; ``None`` once it has ended, or its token has, and for a call of another site."""
        secret = request.cookies.get(cookie_name(request))
        if not secret or is_from_elsewhere(request):
            return None
        token_id = self._tokens.sessions.holder(secret, self.now_us())
        if token_id == LOCAL.id:
            return LOCAL
        token = None if token_id is None else self._tokens.by_id(token_id)
        return None if token is None else token[0]

    def grant_of_secret(self, secret: str) -> Grant | None:
        """The grant of a token that somebody signs in with."""
        return self._tokens.grant(secret)

    def require(self, request: Request, *scopes: str) -> Grant:
        """A grant that holds one of ``scopes`` at least. Raises: ``Refusal``."""
        grant = self.grant(request)
        if grant is None:
            raise Refusal("unauthorized", "a token is needed: Authorization: Bearer …")
        if not grant.scopes.intersection(scopes):
            raise Refusal("forbidden", f"the token has no scope {' or '.join(scopes)}")
        return grant
