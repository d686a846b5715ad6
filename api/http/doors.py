"""The doors of a process: whether its machine is let in without a token, the city's address, and the proxies it believes.

The composition root states them once. A request carries them, so that whoever answers it need not be told.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from domain.addresses import is_loopback, is_loopback_host

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
IN_SCOPE: Final = "neraca.doors"
"""The name under which a request's scope has its doors."""
CALLER: Final = "neraca.caller"
"""The name under which a request's scope has the id of its caller's token, once it is known."""
COOKIE: Final = "neraca"
HOST_COOKIE: Final = f"__Host-{COOKIE}"
"""A browser takes a cookie of such a name over TLS alone, and from no other name of the city's."""
IDLE_S: Final = 1800


class Doors(Struct, frozen=True):
    """The ways into a process.

    ``is_open``: a call of this machine to itself is the operator's, without a token. ``url``: the city's own address,
    without a slash at its end. ``proxies``: the addresses of the web servers in front. ``session_idle_s``: the time after
    which an idle session ends.
    """

    is_open: bool = False
    url: str | None = None
    proxies: tuple[Network, ...] = ()
    session_idle_s: int = IDLE_S

    @property
    def is_https(self) -> bool:
        """True if the city's own address is reached over TLS."""
        return self.url is not None and self.url.startswith("https:")

    def believes(self, address: str) -> bool:
        """True if an address is that of a web server in front."""
        if not self.proxies:
            return False
        try:
            peer = ipaddress.ip_address(address)
        except ValueError:
            return False
        peer = getattr(peer, "ipv4_mapped", None) or peer
        return any(peer in network for network in self.proxies)


CLOSED: Final = Doors()


def caller_address(scope: Mapping[str, Any]) -> str:
    """The address of a caller: of its peer, or as a web server in front states it."""
    client = scope.get("client")
    return client[0] if client else ""


def doors_of(request: Request) -> Doors:
    """The doors that a request came through."""
    doors: Doors = request.scope.get(IN_SCOPE, CLOSED)
    return doors


def is_secure(request: Request) -> bool:
    """True if the caller reaches the city over TLS."""
    return doors_of(request).is_https or request.url.scheme == "https"


def cookie_name(request: Request) -> str:
    """The name of the cookie that holds the caller's session."""
    return HOST_COOKIE if is_secure(request) else COOKIE


def address_of(request: Request) -> str:
    """The city's own address, without a slash at its end; where none is stated, that of the socket, never the Host's."""
    doors, server = doors_of(request), request.scope.get("server")
    if doors.url is not None or server is None:
        return doors.url or ""
    host, port = server
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def is_own_site(request: Request, origin: str) -> bool:
    """True if an ``Origin`` is this site's own: the city's address, or the address that the browser asked."""
    url, netloc = doors_of(request).url, origin.partition("://")[2]
    return bool(netloc) and netloc in (request.headers.get("host"), urlsplit(url).netloc if url else None)


def is_from_elsewhere(request: Request) -> bool:
    """True if a browser says that another site, or another name of this one, had the call sent."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in ("cross-site", "same-site"):
        return True
    return origin is not None and not is_own_site(request, origin)


def is_plain_beyond(request: Request) -> bool:
    """True if a call crossed a network without TLS, as far as can be seen: it came from, or to, another machine's name."""
    if request.url.scheme == "https" or request.client is None:
        return False
    return not (is_loopback(request.client.host) and is_loopback_host(request.headers.get("host", "")))
