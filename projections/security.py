"""The port of the security log: who did or was refused something that bears on access, and who looked at whom."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from domain.events.kinds import BY_TYPE
from domain.intake.wire import Submission
from projections.ports import Accepted, Outcome, Unavailable

if TYPE_CHECKING:
    from domain.refusal import Refusal

LOG: Final = logging.getLogger(__name__)
ADDRESS: Final[ContextVar[str]] = ContextVar("address", default="")
"""The address of the caller of the request at hand; none where no request is."""


class Note(Struct, frozen=True):
    """Something that was done or refused: its kind, the id of the token behind it, the subject, further words, from where.

    ``who`` is empty for nobody. ``count``: so many alike, where they are many.
    """

    what: str
    who: str = ""
    whose: str = ""
    detail: str = ""
    address: str = ""
    count: int = 1


class Look(Struct, frozen=True):
    """A reading of a person, or of a list that names persons (``person`` is then empty): a row a day, counted."""

    day: str
    who: str
    page: str
    person: str
    address: str


class NotedLook(Struct, frozen=True):
    """A look as the log keeps it: the look, how often it was taken that day, and when first and last."""

    look: Look
    count: int
    first_us: int
    last_us: int


class NotedAt(Struct, frozen=True):
    """A note as the log keeps it."""

    at_us: int
    note: Note


class SecurityLog(Protocol):
    """Keeps notes that nobody changes, and counts looks."""

    def note(self, at_us: int, note: Note) -> None:
        """Keep a note. Raises: ``Unavailable``."""
        ...

    def look(self, at_us: int, look: Look) -> None:
        """Count a look. Raises: ``Unavailable``."""
        ...


def noted_as(event: Submission | Refusal, outcome: Outcome) -> str:
    """The kind of note that an event leaves once it is recorded: ``rule`` or ``reversal``; none for any other event.

    A repeat and a refusal leave none either: nothing was recorded.
    """
    if not isinstance(event, Submission) or not isinstance(outcome, Accepted) or outcome.repeated:
        return ""
    role = BY_TYPE[event.type].role
    return role if role in ("rule", "reversal") else ""


def keep_or_tell(log: SecurityLog, at_us: int, note: Note) -> None:
    """Keep a note. A log that cannot be written is told of by the kind alone: others read what a process tells."""
    try:
        log.note(at_us, note)
    except Unavailable:
        LOG.exception("not in the security log: a note of %s", note.what)
