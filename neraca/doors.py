"""The doors of a process that serves: `--open`, the city's address, the web servers in front, and the sign-in link."""

import argparse
import ipaddress
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from domain.addresses import is_loopback
from domain.clock import SECOND_US
from neraca.options import number_of
from neraca.settings import SETTINGS
from neraca.terminal import Usage, say
from neraca.wiring import now_us
from projections.store.private import write_private

if TYPE_CHECKING:
    from api.http.doors import Doors
    from streams.places.sessions import SessionStore
    from streams.places.tokens import TokenStore

LINK_S: Final = 600
"""A link that nobody has spent after ten minutes opens nothing."""
OPEN: Final = "siapa pun yang mencapai port ini adalah operator (--open)"
CLOSED: Final = "operator masuk dengan tautan atau token"
PATH: Final = "/masuk/tautan"
LINK_FILE: Final = "link"


def doors_of(options: argparse.Namespace, *, simulation: bool = False) -> "Doors":
    """The doors of the options and settings; a simulation city is open where it may be. Raises: ``Usage``."""
    from api.http.doors import Doors  # noqa: PLC0415 - only a command that serves loads the web framework

    url, proxies = _url(), _proxies()
    may_be_open = is_loopback(options.host) and url is None and not proxies
    if options.open and not is_loopback(options.host):
        message = f"--open: only on this machine's own address, such as 127.0.0.1; --host is {options.host}"
        raise Usage(message)
    if options.open and not may_be_open:
        message = "--open: not with NERACA_URL or NERACA_PROXIES; beyond a web server everybody needs a token"
        raise Usage(message)
    return Doors(options.open or (simulation and may_be_open), url, proxies, number_of("NERACA_SESSION_IDLE_S", 1))


def _url() -> str | None:
    """The city's address, without a slash at its end. Raises: ``Usage``."""
    text = SETTINGS["NERACA_URL"].from_environment
    if not text:
        return None
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or parts.username
        or text.rstrip("/") != (f"{parts.scheme}://{parts.netloc}")
    ):
        message = f"NERACA_URL: {text!r} is no address such as https://neraca.kota.go.id"
        raise Usage(message)
    return text.rstrip("/").lower()


def _proxies() -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The addresses of the web servers in front. Raises: ``Usage``."""
    texts = [text.strip() for text in (SETTINGS["NERACA_PROXIES"].from_environment or "").split(",")]
    try:
        return tuple(ipaddress.ip_network(text) for text in texts if text)
    except ValueError as error:
        message = f"NERACA_PROXIES: {error}; name addresses or networks, separated by commas"
        raise Usage(message) from None


def announce(opening: str, url: str, doors: "Doors", host: str) -> None:
    """Say the address once it is known, who is the operator there, and what travels in plain text."""
    say(f"{opening} at {url}  (API: {url}docs); {OPEN if doors.is_open else CLOSED}")
    if not is_loopback(host) and not doors.is_https:
        say(
            f"warning: {host} is reached in plain HTTP: whoever is on the way reads tokens and changes pages. "
            "Put a web server with TLS in front, and name it in NERACA_PROXIES and its address in NERACA_URL"
        )


def make_link(sessions: "SessionStore", base: str) -> str:
    """The address of a new sign-in link."""
    secret = sessions.link(now_us(), lasts_us=LINK_S * SECOND_US)
    return f"{base.rstrip('/')}{PATH}#{secret}"


class FirstLink:
    """The link by which the operator of a journal without tokens signs in: on the terminal, else in a file until it is spent."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / LINK_FILE

    def forget(self) -> None:
        """Remove the file: its link is spent, or a new one is made."""
        self._file.unlink(missing_ok=True)

    def show(self, tokens: "TokenStore", doors: "Doors", url: str) -> None:
        """Show a new link, unless the process is open or there is a token to sign in with."""
        self.forget()
        if doors.is_open or any(row.stands(now_us()) for row in tokens.rows()):
            return
        link = make_link(tokens.sessions, doors.url or url)
        if sys.stderr.isatty():
            say(f"sign in once, within ten minutes: {link}")
        else:
            write_private(self._file, f"{link}\n".encode())
            say(f"sign in once, within ten minutes, by the link in {self._file}")


def reachable(url: str) -> str:
    """An address of this process at which the person at the machine reaches it."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
