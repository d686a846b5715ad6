"""Threads: readers share a few, and the intake has its own, so that no number of pages keeps an event waiting for one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread

if TYPE_CHECKING:
    from collections.abc import Callable

READING: Final = 8
"""The threads of all reads and pages: more of them would only take turns."""
RECORDING: Final = 16
"""The threads of the intake: most of them wait for the journal."""
ADMITTING: Final = 4
"""The threads that look at the tokens of callers beyond the bounds."""
_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class Threads:
    """The threads of one process, by task."""

    def __init__(self) -> None:
        self._recording = CapacityLimiter(RECORDING)
        self._admitting = CapacityLimiter(ADMITTING)

    async def record(self, action: Callable[_Given, _Result], *args: _Given.args, **options: _Given.kwargs) -> _Result:
        """The result of an action of the intake."""
        return await to_thread.run_sync(partial(action, *args, **options), limiter=self._recording)

    async def admit(self, action: Callable[_Given, _Result], *args: _Given.args, **options: _Given.kwargs) -> _Result:
        """The result of looking at a caller."""
        return await to_thread.run_sync(partial(action, *args, **options), limiter=self._admitting)


def bound_readers() -> None:
    """Bound the threads that the framework reads in; called on the event loop, since each loop has its own."""
    to_thread.current_default_thread_limiter().total_tokens = READING
