"""The caller of a request: the operator at the machine, the holder of a token, or nobody.

The operator is a caller on loopback, to a loopback name, through no proxy; such a call needs no token. A token comes
in a header, or in the cookie of a browser that has signed in.
"""

import ipaddress
from typing import Final

from starlette.requests import Request

from api.http.connections import vouch
from api.http.guards import is_for_one
from api.http.rates import WrongTokens
from domain.refusal import Refusal, attempt
from projections.ports import LOCAL, Grant, Tokens

_NAMES: Final = frozenset({"localhost"})
_LOOKED_UP: Final = "neraca.grant"
"""The name under which a request's scope has what was found about its caller."""
COOKIE: Final = "neraca"
"""The cookie that `/masuk` sets: no script can read it, and no other site can have it sent."""
_PROXIED: Final = (
    "forwarded",
    "x-forwarded-",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "via",
    "cf-",
)
"""The beginnings of headers that a server in front adds; a caller behind one is not at the machine."""


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in _NAMES


def is_local(request: Request) -> bool:
    """True if the call comes from the machine itself, to itself. A browser lured by another name does not count."""
    if request.client is None or not _loopback(request.client.host):
        return False
    if any(name.startswith(_PROXIED) for name in request.headers):
        return False
    host = request.headers.get("host")  # a name that cannot be read is not taken for the server's own
    return host in (None, request.url.netloc) and _loopback(request.url.hostname or "")


def is_own_form(request: Request) -> bool:
    """True if a page of this site sent a form: by the browser's Sec-Fetch-Site, else by its Origin."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def address_of(request: Request) -> str:
    """The address of a caller: of its peer, or as a web server in front states it."""
    return request.client.host if request.client is not None else ""


class Access:
    """Turns a request into a grant."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._wrong = WrongTokens()

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
            vouch(request.scope)
        return grant

    def _grant(self, request: Request) -> Grant | None:
        header = request.headers.get("authorization")
        if header is None:
            return self.signed_in(request) or (LOCAL if is_local(request) else None)
        scheme, _, secret = header.partition(" ")
        grant = self._tokens.grant(secret.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            self._wrong.met(address_of(request))
            raise Refusal("unauthorized", "the token is not known here, or was revoked")
        return grant

    def signed_in(self, request: Request) -> Grant | None:
        """The grant of a browser that has signed in; ``None`` once its token is revoked, and for a call of another site."""
        secret = request.cookies.get(COOKIE)
        if not secret or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return None
        return self._tokens.grant(secret)

    def grant_of_secret(self, request: Request, secret: str) -> Grant | None:
        """The grant of a token that somebody signs in with. Raises: ``TooMany`` after too many wrong ones."""
        grant = self._tokens.grant(secret)
        if grant is None:
            self._wrong.met(address_of(request))
        return grant

    def sees_operations(self, request: Request) -> bool:
        """True if a caller may see the state of the process: an auditor, and the operator."""
        try:
            grant = self.grant(request)
        except Refusal:
            return False
        return grant is not None and "audit" in grant.scopes

    def require(self, request: Request, *scopes: str) -> Grant:
        """A grant that holds one of ``scopes`` at least. Raises: ``Refusal``."""
        is_for_one(request.scope)
        grant = self.grant(request)
        if grant is None:
            raise Refusal("unauthorized", "beyond this machine a token is needed: Authorization: Bearer …")
        if not grant.scopes.intersection(scopes):
            raise Refusal("forbidden", f"the token has no scope {' or '.join(scopes)}")
        return grant
