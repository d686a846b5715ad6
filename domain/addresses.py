"""Addresses: the names by which a machine calls itself, so that what is sent there leaves it for nowhere."""

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

_NAMES: Final = frozenset({"localhost"})
_HOST: Final = re.compile(r"(?P<name>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.IGNORECASE | re.ASCII)


def is_loopback(name: str) -> bool:
    """True if a name or an address, an IPv6 one with or without its brackets, is one of the machine itself."""
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name.lower() in _NAMES


def is_loopback_host(host: str) -> bool:
    """True if the value of a Host header, a name and perhaps a port, is one of the machine itself."""
    match = _HOST.fullmatch(host)
    return match is not None and is_loopback(match["name"])


def travels_in_plain(url: str) -> bool:
    """True if what is sent to an address travels beyond this machine without TLS."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
