"""The caller of a request: the operator at the machine, the holder of a token, or nobody.

The operator is a caller on loopback, to a loopback name, through no proxy; such a call needs no token. A token comes
in a header, or in the cookie of a browser that has signed in.
"""

import ipaddress
from collections.abc import Callable
from typing import Final

from starlette.requests import Request

from domain.access.policy import Action, allowed, in_force
from domain.access.subjects import SOME, Subject
from domain.refusal import Refusal
from projections.ports import LOCAL, Grant, Tokens

_NAMES: Final = frozenset({"localhost"})
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


class Access:
    """Turns a request into a grant."""

    def __init__(self, tokens: Tokens, now_us: Callable[[], int], ticket: Callable[[str], Grant] | None = None) -> None:
        self._tokens = tokens
        self._ticket = ticket
        self.now_us = now_us

    @property
    def tokens(self) -> Tokens:
        """The tokens it knows."""
        return self._tokens

    def grant(self, request: Request) -> Grant | None:
        """The caller's grant; ``None`` for nobody. Raises: ``Refusal`` for a token that is not known."""
        header = request.headers.get("authorization")
        if header is None:
            return self.signed_in(request) or (LOCAL if is_local(request) else None)
        scheme, _, secret = header.partition(" ")
        if scheme.lower() == "ticket" and self._ticket is not None:
            return self._ticket(secret.strip())
        grant = self._tokens.grant(secret.strip()) if scheme.lower() == "bearer" else None
        if grant is None or not in_force(grant, self.now_us()):
            raise Refusal("unauthorized", "the token is not known here, was revoked, or has ended")
        return grant

    def signed_in(self, request: Request) -> Grant | None:
        """The grant of a browser that has signed in; ``None`` once its token is revoked, and for a call of another site."""
        secret = request.cookies.get(COOKIE)
        if not secret or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            return None
        return self.grant_of_secret(secret)

    def grant_of_secret(self, secret: str) -> Grant | None:
        """The grant of a token that somebody signs in with; ``None`` if there is none, or it has ended."""
        grant = self._tokens.grant(secret)
        return grant if grant is not None and in_force(grant, self.now_us()) else None

    def allows(self, grant: Grant | None, action: Action, subject: Subject = SOME) -> bool:
        """True if a caller may do an action on a subject now."""
        return allowed(grant, action, subject, self.now_us())

    def require(self, request: Request, action: Action, subject: Subject = SOME) -> Grant:
        """The grant of a caller who may do an action on a subject. Raises: ``Refusal``."""
        grant = self.grant(request)
        if grant is None:
            raise Refusal("unauthorized", "beyond this machine a token is needed: Authorization: Bearer …")
        if not self.allows(grant, action, subject):
            raise Refusal("forbidden", "the token does not cover this")
        return grant
