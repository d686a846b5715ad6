"""The emitter's client over HTTP: it sends NDJSON to an intake, and opens its connection again whenever that breaks."""

from __future__ import annotations

import http.client
import socket
import time
import urllib.parse
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from domain.addresses import travels_in_plain
from domain.refusal import OUR_PROBLEMS
from projections.ports import UNPROMISED
from streams.emitting.client import Answer, NotNow, NotTaken, RequestRefused

if TYPE_CHECKING:
    from email.message import Message

CONNECT_S: Final = 3.0
"""A dead line swallows a connection's first packet, and the system repeats it ever later: ask anew instead."""
ANSWER_S: Final = 15.0
ANSWER_MOST_S: Final = 120.0
"""The time for an answer: after one that was too short the next is twice as long, for a slow line."""
WAIT_MOST_S: Final = 300.0
"""The longest pause that a server may ask for."""
_PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Client errors after which the same request may be sent again; so may it after every server error."""
_KEEPALIVE: Final = (
    ("TCP_KEEPIDLE", 2),
    ("TCP_KEEPINTVL", 1),
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 5000),
)
"""Options by which the system reports a line that has died under a request within seconds, where it has them."""


class IntakeClient:
    """One connection to an intake."""

    def __init__(self, url: str, token: str | None, *, insecure: bool = False) -> None:
        """A token is sent in plain text beyond this machine only if that is asked for. Raises: ``ValueError``."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"--url: {url!r} is no http address"
            raise ValueError(message)
        if token and travels_in_plain(url) and not insecure:
            message = (
                f"--url: {url} would carry the token in plain text; use https, or --insecure to send it all the same"
            )
            raise ValueError(message)
        self._secure = parts.scheme == "https"
        self._netloc = parts.netloc
        self._path = parts.path.rstrip("/") + "/v1/events"
        self._headers = {"content-type": "application/x-ndjson"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None
        self._answer_s = ANSWER_S

    def send(self, lines: list[bytes]) -> Answer:
        """Send events, one a line. Raises: ``NotNow``, ``NotTaken``, ``RequestRefused``."""
        answer = self._post(lines, self._answer_s)
        self._answer_s = ANSWER_S
        return answer

    def probe(self, within_s: float) -> None:
        """Send no events, on a connection of its own: an intake accounts for these too. Raises: as ``send``."""
        self.close()
        self._post([], within_s)

    def _post(self, lines: list[bytes], within_s: float) -> Answer:
        body = b"\n".join(lines)
        if self._connection is not None:
            try:
                return self._exchange(self._connection, body, within_s, len(lines))
            except ConnectionError:
                self.close()  # a connection that was idle may have been closed meanwhile, which says nothing of the network
        try:
            self._connection = self._open(min(within_s, CONNECT_S))
        except OSError as error:
            raise NotNow(str(error) or type(error).__name__) from error
        try:
            return self._exchange(self._connection, body, within_s, len(lines))
        except ConnectionError as error:
            self.close()
            raise NotNow(str(error) or type(error).__name__, had_connection=True) from error

    def _exchange(self, connection: http.client.HTTPConnection, body: bytes, within_s: float, number: int) -> Answer:
        """Send a request and read its answer. Raises: ``ConnectionError``; and as ``send``."""
        try:
            connection.sock.settimeout(within_s)
            with suppress(BrokenPipeError, ConnectionResetError):  # refused unread, it may have an answer all the same
                connection.request("POST", self._path, body, self._headers)
            response = connection.getresponse()
            content = response.read()
        except ConnectionError:  # RemoteDisconnected is one too
            raise
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if isinstance(error, TimeoutError) and number:
                self._answer_s = min(ANSWER_MOST_S, self._answer_s * 2)
            raise NotNow(str(error) or type(error).__name__, had_connection=True) from error
        if response.will_close:
            self.close()
        return read_answer(response.status, response.headers, content, number)

    def _open(self, within_s: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._netloc, timeout=within_s)
        connection.connect()
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                connection.sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return connection

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def read_answer(status: int, headers: Message, body: bytes, number: int) -> Answer:
    """The account of so many events in an answer. Raises: ``NotNow``, ``NotTaken``, ``RequestRefused`` when it is none."""
    detail = f"{status} {body[:300].decode(errors='replace')}".strip()
    if status == HTTPStatus.OK:
        answer = _account(body)
        if answer is None or not answer.accounts_for(number):
            message = f"an answer that does not account for the {number} events sent, as of a network's sign-in page: {detail}"
            raise NotNow(message, had_connection=True)
        number_unpromised = headers.get(UNPROMISED, "")
        answer.unpromised = int(number_unpromised) if number_unpromised.isascii() and number_unpromised.isdigit() else 0
        return answer
    problem = _problem(status, body)
    ours = str(problem["type"]).startswith(OUR_PROBLEMS)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED):
        raise NotTaken(detail)
    if status == HTTPStatus.FORBIDDEN and ours:
        raise NotTaken(detail)
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR or status in _PASSING:
        elsewhere = headers.get("location")
        raise NotNow(
            detail if elsewhere is None else f"{detail} (to {elsewhere})",
            after_s=_retry_after_s(headers),
            had_connection=True,
        )
    raise RequestRefused(problem, ours=ours)


def _account(body: bytes) -> Answer | None:
    try:
        return msgspec.json.decode(body, type=Answer)
    except msgspec.DecodeError:
        return None


def _problem(status: int, body: bytes) -> dict[str, Any]:
    """The problem object of an answer; one is made of a page that something on the way wrote."""
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Refused"
    problem_made = {"type": "about:blank", "title": title, "status": status, "detail": title}
    try:
        problem = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {
            **problem_made,
            "detail": f"{title}, says something on the way: {body[:200].decode(errors='replace')}".strip(),
        }
    return {**problem_made, **problem, "status": status} if isinstance(problem, dict) else problem_made


def _retry_after_s(headers: Message) -> float:
    """The pause that an answer asks for, in seconds or as a date; 0 when it asks for none."""
    text = (headers.get("retry-after") or "").strip()
    if text.isdecimal():
        return min(WAIT_MOST_S, float(text[:9]))
    try:
        at = parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(WAIT_MOST_S, max(0.0, at - time.time()))
