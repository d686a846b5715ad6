"""A worker's turn, without a framework: how many records it takes, how long it tries to write them, how each error ends it.

The shell takes turns with the framework, a simulated worker without it; both follow this.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from projections.segment import NotWritten
from projections.store.partitions import Overtaken
from streams.retrying import PROMPT, Failures, Retrying
from streams.worker.supervisor import Exit

if TYPE_CHECKING:
    from collections.abc import Callable

TAKE: Final = 32
"""The number of records that one turn takes at most."""
WITHIN_S: Final = 0.05
"""The time a turn waits for more records."""
LOOK_S: Final = 1.0
"""The interval between turns without records: a partition may miss something when no record arrives any more."""
PATIENCE_S: Final = 90.0
"""The time a turn waits for a database that is away, before the process ends and starts again."""
LOG: Final = logging.getLogger("neraca.worker")
T = TypeVar("T")


class ReadAgain(Exception):  # noqa: N818 - an order to the process
    """The process has to end, and read again from the stored offsets; the message says why."""


class Ending(NamedTuple):
    """The end of a process: its exit code, and why."""

    code: Exit
    why: str


def until_written(attempt: Callable[[], T], patience_s: float = PATIENCE_S) -> T:
    """The result of an attempt, made again while the database is away. Raises: ``ReadAgain`` when patience ends."""
    retrying = Retrying(
        NotWritten,
        PROMPT,
        patience_s=patience_s,
        on_failure=lambda error, _: LOG.warning("trying again: %s", error),
    )
    try:
        return retrying.call(attempt)
    except NotWritten as error:
        raise gave_up(error) from error


def failures() -> Failures:
    """The failures of one turn to write, none so far: the same policy, for a caller that has a clock of its own."""
    return Failures(PROMPT, PATIENCE_S)


def gave_up(error: NotWritten) -> ReadAgain:
    """The order that follows when a turn could not be written within its patience."""
    return ReadAgain(f"the database is away: {error}")


def ending_of(error: BaseException) -> Ending:
    """The process's ending after an error. Every error ends it, so that nothing is acknowledged that was not written."""
    if isinstance(error, Overtaken):
        return Ending(Exit.OVERTAKEN, str(error))
    if isinstance(error, ReadAgain):
        return Ending(Exit.READ_AGAIN, str(error))
    return Ending(Exit.FAILED, repr(error))
