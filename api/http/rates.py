"""Rates: how often an address may try wrong tokens, and how many events and bytes a token may send."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.intake.wire import FACT_MOST
from domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.ports import Grant

WRONG_A_MINUTE: Final = 5
MINUTE_S: Final = 60.0
PAUSE_S: Final = 1.0
"""The time between two wrong tokens of an address that has used up its minute."""
ADDRESSES_MOST: Final = 10_000
"""The most addresses whose wrong tokens are remembered; the one that erred longest ago is forgotten."""
HOUR_S: Final = 3_600.0
DAY_S: Final = 86_400.0


class TooMany(Refusal):
    """A caller has done something too often; ``retry_after_s`` is the time after which it may be tried again."""

    def __init__(self, detail: str, retry_after_s: float) -> None:
        super().__init__("too-many", detail)
        self.retry_after_s = math.ceil(max(1.0, retry_after_s))


def headers_of(refusal: Refusal) -> dict[str, str]:
    """The headers that a refusal is answered with."""
    return {"retry-after": str(refusal.retry_after_s)} if isinstance(refusal, TooMany) else {}


class _Wrong(NamedTuple):
    """The wrong tokens of an address: when its minute began, how many there were in it, and when the last was taken."""

    since_s: float
    number: int
    last_s: float


class WrongTokens:
    """The wrong tokens of each address: five a minute are looked at, and then one a second. A right one never waits."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wrong = OrderedDict[str, _Wrong]()

    def met(self, address: str) -> None:
        """An address has sent a wrong token. Raises: ``TooMany`` if it did so too often."""
        now_s = self._clock()
        with self._lock:
            since_s, number, last_s = self._wrong.pop(address, _Wrong(now_s, 0, -math.inf))
            if now_s - since_s >= MINUTE_S:
                since_s, number = now_s, 0
            is_too_many = number >= WRONG_A_MINUTE and now_s - last_s < PAUSE_S
            self._wrong[address] = (
                _Wrong(since_s, number, last_s) if is_too_many else _Wrong(since_s, number + 1, now_s)
            )
            if len(self._wrong) > ADDRESSES_MOST:
                self._wrong.popitem(last=False)
        if is_too_many:
            message = f"{WRONG_A_MINUTE} wrong tokens came from this address within a minute: one a second is looked at"
            raise TooMany(message, PAUSE_S)


class _Level(NamedTuple):
    """The amount that a token has used up, as of an instant: it runs off evenly."""

    amount: float
    at_s: float


class Meter:
    """The events an hour, and the bytes a day, of the tokens that have a limit; counted by each process for itself.

    The bytes are those of as many events of the greatest length. The amount that was used runs off evenly.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._levels: dict[tuple[str, str], _Level] = {}

    def take(self, grant: Grant, events: int, size: int) -> None:
        """Count a request of a token. Raises: ``TooMany``, or ``Refusal`` for one that no wait would let pass."""
        most = grant.events_hour
        if most is None:
            return
        if events > most:
            raise Refusal("too-large", f"the token may send {most} events an hour; a request may not hold more")
        amounts = (("events an hour", events, most, HOUR_S), ("bytes a day", size, most * 24 * FACT_MOST, DAY_S))
        now_s = self._clock()
        with self._lock:
            levels = {}
            for name, amount, capacity, period_s in amounts:
                before = self._levels.get((grant.id, name), _Level(0.0, now_s))
                level = max(0.0, before.amount - (now_s - before.at_s) * capacity / period_s)
                if level + amount > capacity:
                    wait_s = (level + amount - capacity) * period_s / capacity
                    message = f"the token may send {capacity} {name}"
                    raise TooMany(message, wait_s)
                levels[grant.id, name] = _Level(level + amount, now_s)
            self._levels |= levels
