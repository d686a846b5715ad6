"""Retrying: how long to pause after a failure, when to give up, and what ends a pause early.

Every loop that tries something again uses this policy. Time is handed in, so that a test, or a simulated cluster, needs no
sleep.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    Transient = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
    """The errors to retry after: by their classes, or by a function that looks at the error."""

T = TypeVar("T")


class Pauses(NamedTuple):
    """Pauses in seconds between attempts: each is twice the one before, from the first to the longest."""

    first_s: float
    longest_s: float

    def after(self, pause_s: float) -> float:
        """The pause that follows ``pause_s``; 0 means no pause yet."""
        return min(self.longest_s, max(self.first_s, pause_s * 2))


PROMPT: Final = Pauses(0.1, 0.5)
"""Toward our own database and broker: readers wait for them, so look again soon."""
PATIENT: Final = Pauses(0.2, 10.0)
"""Toward a service that others use too, or a process that keeps failing: haste would make it worse."""


class Interrupted(Exception):  # noqa: N818 - an order, not a fault
    """A pause ended early because this process has to end; nothing is tried again."""


class Failures:
    """Failures in a row, as arithmetic on times: which pause follows, and whether patience has ended."""

    def __init__(self, pauses: Pauses, patience_s: float = math.inf) -> None:
        self._pauses = pauses
        self._patience_s = patience_s
        self.clear()

    def clear(self) -> None:
        """Something worked: the next failure is the first of its row."""
        self.count = 0
        self._pause_s = 0.0
        self._since_s = 0.0

    def pause_s(self, now_s: float) -> float | None:
        """Count one more failure; the pause before the next attempt, or ``None`` when it would exceed the patience."""
        if not self.count:
            self._since_s = now_s
        self.count += 1
        self._pause_s = self._pauses.after(self._pause_s)
        return self._pause_s if now_s - self._since_s + self._pause_s <= self._patience_s else None


class Retrying:
    """Tries something again until it works, until patience ends, or until a pause is interrupted."""

    def __init__(
        self,
        on: Transient,
        pauses: Pauses,
        *,
        patience_s: float = math.inf,
        on_failure: Callable[[Exception, int], None] = lambda _error, _count: None,
        pause: Callable[[float], bool | None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``failed`` hears of each error and its number in the row; a ``pause`` that returns true interrupts."""
        self._on = on
        self._failures = Failures(pauses, patience_s)
        self._failed = on_failure
        self._pause = pause
        self._clock = clock

    def well(self) -> None:
        """The attempt under way works: a failure from here on is the first of a new row."""
        self._failures.clear()

    def call(self, attempt: Callable[[], T]) -> T:
        """The result of the first attempt that does not fail. Raises: ``Interrupted``; the last error when patience ends."""
        self.well()
        while True:
            try:
                return attempt()
            except Interrupted:
                raise
            except Exception as error:
                if not self._transient(error):
                    raise
                pause_s = self._failures.pause_s(self._clock())
                if pause_s is None:
                    raise
                self._failed(error, self._failures.count)
            if self._pause(pause_s):
                raise Interrupted

    def _transient(self, error: Exception) -> bool:
        on = self._on
        return isinstance(error, on) if isinstance(on, type | tuple) else on(error)
