"""Who is asking: the operator at the machine, the holder of a token, or nobody.

The operator is a caller on loopback, to a loopback name, through no proxy; such a call needs no token.
"""

import ipaddress
from typing import Final

from starlette.requests import Request

from domain.refusal import Refusal
from projections.ports import LOCAL, Grant, Tokens

_NAMES: Final = frozenset({"localhost"})
_PROXIED: Final = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in _NAMES


def is_local(request: Request) -> bool:
    """Whether the call comes from the machine itself, to itself. A browser lured by another name does not count."""
    if request.client is None or not _loopback(request.client.host):
        return False
    if any(name in request.headers for name in _PROXIED):
        return False
    named = request.headers.get("host")  # a name that cannot be read is not taken for the server's own
    return named in (None, request.url.netloc) and _loopback(request.url.hostname or "")


class Access:
    """Turns a request into a grant."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def grant(self, request: Request) -> Grant | None:
        """The caller's grant; ``None`` for nobody. Raises: ``Refusal`` for a token that is not known."""
        header = request.headers.get("authorization")
        if header is None:
            return LOCAL if is_local(request) else None
        scheme, _, secret = header.partition(" ")
        grant = self._tokens.grant(secret.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            raise Refusal("unauthorized", "the token is not known here, or was revoked")
        return grant

    def require(self, request: Request, *scopes: str) -> Grant:
        """A grant that holds one of ``scopes`` at least. Raises: ``Refusal``."""
        grant = self.grant(request)
        if grant is None:
            raise Refusal("unauthorized", "beyond this machine a token is needed: Authorization: Bearer …")
        if not grant.scopes.intersection(scopes):
            raise Refusal("forbidden", f"the token has no scope {' or '.join(scopes)}")
        return grant
