"""A network between counters and the real app, which fails in every way that a seed chooses, on a clock that only it moves."""

from __future__ import annotations

from collections import Counter
from email.message import Message
from typing import TYPE_CHECKING, Final

from streams.emitting.client import Answer, NotNow
from streams.emitting.http import read_answer
from tests.serving import NDJSON, Assembled, Clock

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

PROXY_TAKES: Final = 20_000
"""The bytes that the proxy takes in a request."""
FORBIDDEN: Final = b"<script>"
"""The text that the firewall lets nobody send."""
LINE_TAKES: Final = 4_000
"""The bytes that a slow line carries before patience ends."""
PAGES: Final[dict[str, tuple[int, bytes, dict[str, str]]]] = {
    "sign-in page": (200, b"<!doctype html><title>Silakan masuk</title>", {}),
    "redirect to a sign-in page": (302, b"", {"location": "http://10.0.0.1/login"}),
    "other JSON": (200, b'{"status": "ok"}', {}),
    "account of nothing": (200, b'{"accepted": 0, "duplicates": 0, "rejected": []}', {}),
    "too many requests": (429, b"", {"retry-after": "3"}),
    "away": (503, b"<h1>Service Unavailable</h1>", {}),
    "away until a date": (503, b"", {"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}),
    "no server behind the gateway": (502, b"<h1>Bad Gateway</h1>", {}),
    "network's own sign-in": (511, b"", {}),
    "firewall against all": (403, b"<h1>Forbidden</h1>", {}),
    "no such page": (404, b"<h1>Not Found</h1>", {}),
    "type not taken": (415, b"<h1>Unsupported Media Type</h1>", {}),
    "headers too large": (431, b"", {}),
    "bad request to all": (400, b"<h1>Bad Request</h1>", {}),
}
"""Answers that do not come from the intake."""
OF_LINES: Final = (
    "nobody there",
    "cut in the request",
    "cut in the answer",
    "half an answer",
    "account of more events",
    "slow line",
)
FAULTS: Final = (*OF_LINES, *PAGES)


class SimulatedClock(Clock):
    """The time of counters and intake alike: it stands until something takes time."""

    def pause(self, pause_s: float) -> None:
        """Let time pass."""
        self.us += int(pause_s * 1e6)

    def seconds(self) -> float:
        """The time in seconds."""
        return self.us / 1e6


class Network:
    """The way of one counter to the intake: what ails it changes every few seconds, until it is well for good."""

    def __init__(self, neraca: Assembled, clock: SimulatedClock, random_: random.Random, well_s: float) -> None:
        self._neraca = neraca
        self._clock = clock
        self._random = random_
        self._well_s = clock.seconds() + well_s
        self._until_s = 0.0
        self._fault = ""
        self.struck = Counter[str]()

    def send(self, lines: list[bytes]) -> Answer:
        """Send events, one a line, as over HTTP."""
        return self._cross(lines, self._clock.pause)

    def probe(self, within_s: float) -> None:
        """Send no events."""
        self._cross([], lambda pause_s: self._clock.pause(min(pause_s, within_s)))

    def close(self) -> None:
        """Nothing is open."""

    def _weather(self) -> str:
        now_s = self._clock.seconds()
        if now_s >= self._until_s:
            lasts_s = self._random.choice((0.0, 0.5, 2.0, 8.0, 30.0))
            self._fault = self._random.choice((*FAULTS, "", "", ""))
            self._until_s = now_s + lasts_s
        return "" if now_s >= self._well_s else self._fault

    def _cross(self, lines: list[bytes], takes: Callable[[float], None]) -> Answer:
        fault, body = self._weather(), b"\n".join(lines)
        if fault:
            self.struck[fault] += 1
        takes(0.05)
        if fault == "nobody there":
            message = "connection refused"
            raise NotNow(message)
        if fault == "cut in the request" or (fault == "slow line" and len(body) > LINE_TAKES):
            takes(15.0)
            message = "timed out"
            raise NotNow(message, had_connection=True)
        if fault in PAGES:
            return self._read(*PAGES[fault], lines)
        return self._answered(fault, lines, body)

    def _answered(self, fault: str, lines: list[bytes], body: bytes) -> Answer:
        """The proxy and the firewall, which stand on the way in any weather, and the intake behind them."""
        if len(body) > PROXY_TAKES:
            self.struck["too large for the proxy"] += 1
            return self._read(413, b"<h1>413 Request Entity Too Large</h1>", {}, lines)
        if FORBIDDEN in body:
            self.struck["content that the firewall refuses"] += 1
            return self._read(403, b"<h1>Access denied</h1>", {}, lines)
        response = self._neraca.post(body, NDJSON)
        content = response.content
        if fault == "cut in the answer":
            message = "connection reset"
            raise NotNow(message, had_connection=True)
        if fault == "half an answer":
            content = content[: len(content) // 2]
        if fault == "account of more events":
            content = content.replace(b'"accepted":', b'"accepted":1')
        return self._read(response.status_code, content, dict(response.headers), lines)

    @staticmethod
    def _read(status: int, content: bytes, headers: dict[str, str], lines: list[bytes]) -> Answer:
        message = Message()
        for name, value in headers.items():
            message[name] = value
        return read_answer(status, message, content, len(lines))
