"""Versions: the state that a reading was made from, and the instant until which the reading stays valid."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from domain.canonical import canonical
from projections.store.version import PROJECTION_VERSION

if TYPE_CHECKING:
    from projections.segment import At


class Version(NamedTuple):
    """The state that a reading was made from: it changes exactly when a served figure may.

    ``overdue`` counts the overdue files; after ``until_us`` one more may be overdue, or another day has begun.
    """

    journal: str
    generation: int
    at: At
    overdue: int
    until_us: int | None
    day: str = ""
    """The local day of the reading: what is published and what waits may be another after a midnight.

    It is no part of ``tag``, since exact figures do not know it: a reading of what is published names it in its scope.
    """

    @property
    def position(self) -> int:
        """The position up to which everything is folded."""
        return self.at.position

    def tag(self, *scope: str) -> str:
        """An entity tag for one scope of reading."""
        parts = (self.journal, self.generation, PROJECTION_VERSION, self.at, self.overdue, *scope)
        return hashlib.sha256(canonical(parts)).hexdigest()[:32]

    def holds(self, generation: int, now_us: int) -> bool:
        """True if a reading of the same position would still count the same files as overdue."""
        return self.generation == generation and (self.until_us is None or now_us <= self.until_us)
