"""The port of the security log: who did or was refused something that bears on access, and who looked at whom."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


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
