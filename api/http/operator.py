"""The operator: the person at the machine, who under ``--open`` needs no token.

Every sign of somebody between, or of somebody else, makes a call nobody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from api.http.doors import doors_of, is_from_elsewhere
from api.http.peers import is_looked_up, is_own_account
from domain.addresses import is_loopback, is_loopback_host

if TYPE_CHECKING:
    from starlette.requests import Request

CLIENTS_OWN: Final = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "access-control-request-headers",
        "access-control-request-method",
        "authorization",
        "cache-control",
        "connection",
        "content-encoding",
        "content-language",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "dnt",
        "expect",
        "host",
        "http2-settings",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "keep-alive",
        "last-event-id",
        "origin",
        "pragma",
        "prefer",
        "priority",
        "purpose",
        "range",
        "referer",
        "save-data",
        "service-worker",
        "te",
        "transfer-encoding",
        "upgrade",
        "upgrade-insecure-requests",
        "user-agent",
        "x-prometheus-scrape-timeout-seconds",
        "x-requested-with",
    }
)
"""Headers that browsers, counters and scrapers send by themselves, and that no server in front adds."""
FAMILIES: Final = ("ce-", "sec-", "hx-")
"""The beginnings of further ones: CloudEvents, what a browser says of itself, and htmx."""


_ANSWERED: Final = "neraca.operator"
"""The name under which a request's scope has whether it is the operator's."""


def is_operators(request: Request) -> bool:
    """True if a call is the operator's: the process is open, and the call came from this machine, to it, through nobody."""
    if _ANSWERED not in request.scope:  # a page asks several times
        request.scope[_ANSWERED] = _is_operators(request)
    is_theirs: bool = request.scope[_ANSWERED]
    return is_theirs


def takes_look_up(request: Request) -> bool:
    """True if the answer needs a look into the system's tables, which an event loop does not wait for."""
    return doors_of(request).is_open and not is_looked_up(request)


def _is_operators(request: Request) -> bool:
    scope = request.scope
    if not doors_of(request).is_open or scope["http_version"] != "1.1" or request.client is None:
        return False
    hosts = request.headers.getlist("host")
    return (
        is_loopback(request.client.host)
        and len(hosts) == 1
        and is_loopback_host(hosts[0])
        and all(name in CLIENTS_OWN or name.startswith(FAMILIES) for name in request.headers)
        and len(request.headers.getlist("origin")) <= 1
        and not is_from_elsewhere(request)
        and is_own_account(request)
    )
