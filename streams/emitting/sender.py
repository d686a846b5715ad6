"""Sending: events leave in requests that fit whatever lies on the way, and the rest goes on past one that cannot.

A refusal of a whole request is never taken for the fate of the events in it: the request is halved until one event is left.
Even that one is refused only if the way is open for an empty request, and it alone is refused again and again.
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from streams.emitting.client import Answer, NotNow, Rejection, RequestRefused
from streams.retrying import WATCHFUL, Retrying

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streams.emitting.client import Client

EVENTS_MOST: Final = 500
BYTES_MOST: Final = 1_000_000
"""The size of a request: what many a web server takes without being told to take more."""
TOO_LARGE: Final = 413
OF_CONTENT: Final = frozenset({400, TOO_LARGE, 422})
"""The statuses by which the intake itself refuses what a request carries."""
REFUSED_TIMES: Final = 4
"""An event is refused by something on the way once it alone was refused so many times."""
FAILED_TIMES: Final = 5
"""An event that alone fails so many times, though the way is open, gives way to the others and is tried again later."""
PROBES_S: Final = (2.0, 2.0, 2.0, 10.0)
"""The times within which the intake is looked for after a failure, in turn: mostly short, at times enough for a slow line."""


class Window:
    """The size of the next request: halved after a failure, doubled after a success, and below what was refused for its size."""

    def __init__(self, events_most: int = EVENTS_MOST, bytes_most: int = BYTES_MOST) -> None:
        self._events_most = events_most
        self._bytes_most = self._ceiling = self._bytes = bytes_most

    def fit(self, lines: Sequence[bytes]) -> int:
        """The number of leading events that the next request holds: one at least."""
        sizes = itertools.accumulate(len(line) + 1 for line in lines[: self._events_most])
        return max(1, sum(size <= self._bytes for size in sizes))

    def passed(self, size: int) -> None:
        """A request of this size was answered."""
        self._bytes = min(self._ceiling, 2 * max(self._bytes, size))

    def failed(self, size: int) -> None:
        """A request of this size broke off, perhaps because it was large."""
        self._bytes = min(self._bytes, max(1, size // 2))

    def refused(self, size: int) -> None:
        """A request of this size was refused as a whole."""
        self._ceiling = self._bytes = max(1, size // 2)

    def refused_alone(self) -> None:
        """One event was refused by itself: how large requests may be is to be found out anew."""
        self._ceiling = self._bytes_most


class Delivered(Struct):
    """The outcome of the leading events of a list: how many these are, and what became of them."""

    number: int
    answer: Answer


class Sender:
    """Sends events through a client, a part at a time, and tries again for as long as its patience lasts."""

    def __init__(
        self,
        client: Client,
        say: Callable[[str], None],
        *,
        patience_s: float,
        pause: Callable[[float], bool | None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._say = say
        self._window = Window()
        self._is_lost = False
        self._alone_failed = 0
        self._probes = itertools.cycle(PROBES_S)
        self._last_failure = ""
        self._retrying = Retrying(
            NotNow,
            WATCHFUL,
            patience_s=patience_s,
            on_failure=self._tell,
            pause=pause,
            clock=clock,
            least_s=_asked_pause,
        )

    def send(self, lines: Sequence[bytes]) -> Delivered:
        """Deliver as many leading events as fit a request. Raises: ``NotNow`` once patience ends; ``NotTaken``."""
        return self._retrying.call(lambda: self._attempt(lines))

    def _tell(self, error: Exception, count: int) -> None:
        """Say why nothing is sent for now, once for each reason."""
        if count == 1 and str(error) != self._last_failure:
            self._last_failure = str(error)
            self._say(f"not acknowledged yet, trying again: {error}")

    def _attempt(self, lines: Sequence[bytes]) -> Delivered:
        self._look()
        refusals = 0
        while True:
            batch = list(lines[: self._window.fit(lines)])
            size = sum(len(line) + 1 for line in batch)
            try:
                answer = self._client.send(batch)
            except RequestRefused as error:
                if len(batch) > 1:
                    self._narrow(size, error)
                    continue
                refusals += 1
                if (error.ours and error.problem["status"] in OF_CONTENT) or refusals >= REFUSED_TIMES:
                    self._window.refused_alone()
                    return _alone(error.problem)
                self._must_be_open(error)
            except NotNow as error:
                return self._broke_off(len(batch), size, error)
            else:
                self._window.passed(size)
                self._alone_failed = 0
                return Delivered(len(batch), answer)

    def _look(self) -> None:
        """After a failure look for the intake first: what is small is answered soon, once anything is. Raises: ``NotNow``."""
        if self._is_lost:
            try:
                self._client.probe(next(self._probes))
            except RequestRefused as error:
                raise NotNow(str(error)) from error
            self._is_lost = False

    def _narrow(self, size: int, error: RequestRefused) -> None:
        """Send less next; if the size is not the reason, the way must be open. Raises: ``NotNow``, ``NotTaken``."""
        if error.problem["status"] != TOO_LARGE:
            self._must_be_open(error)
        self._window.refused(size)

    def _must_be_open(self, error: RequestRefused) -> None:
        """An empty request passes, so that the refusal is one of what was sent. Raises: ``NotNow``, ``NotTaken``."""
        try:
            self._client.probe(PROBES_S[-1])
        except RequestRefused:
            self._is_lost = True
            message = f"whatever is sent is refused: {error}"
            raise NotNow(message) from error
        except NotNow:
            self._is_lost = True
            raise

    def _broke_off(self, number: int, size: int, error: NotNow) -> Delivered:
        """Send less next time; an event that alone breaks off each time gives way. Raises: the error."""
        self._is_lost = True
        if error.had_connection:
            self._window.failed(size)
            self._alone_failed = self._alone_failed + 1 if number == 1 else 0
            if self._alone_failed >= FAILED_TIMES:
                self._alone_failed = 0
                detail = f"this event alone is not answered, though the intake is: {error}"
                problem = {
                    "type": "about:blank",
                    "title": "Not acknowledged",
                    "status": 0,
                    "detail": detail,
                    "retry": True,
                }
                return _alone(problem)
        raise error


def _alone(problem: dict[str, object]) -> Delivered:
    """The refusal of one event."""
    return Delivered(1, Answer(0, 0, [Rejection(0, problem)]))


def _asked_pause(error: Exception) -> float:
    """The pause that a server asks for."""
    return error.after_s if isinstance(error, NotNow) else 0.0
