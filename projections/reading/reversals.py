"""Reversals: how many facts and ratings of a dinas were retracted or corrected, and how many of them by a caller alone."""

from __future__ import annotations

import threading
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import Struct

from domain.clock import parse_instant
from domain.events import own
from domain.events.kinds import KINDS, REVERSAL_TYPES
from domain.intake.recorded import read_line
from projections.ports import LineSearch

if TYPE_CHECKING:
    from domain.periods import Period
    from projections.ports import Lines

RATED: Final = KINDS["satisfaction-rated"].type
ALONE: Final = frozenset({"local", "import", own.RECORDER})
"""The recorders who have nobody beside them, and so are exempt from a second person."""
AT_ONCE: Final = 1000
_ANY: Final = LineSearch(tuple(sorted(REVERSAL_TYPES)))


class _Key(NamedTuple):
    dinas: str
    month: str
    rating: bool
    alone: bool


class Reversed(Struct, frozen=True):
    """The numbers of a dinas's facts and ratings in a period that were reversed; ``…_alone``: by a caller alone."""

    facts: int
    facts_alone: int
    ratings: int
    ratings_alone: int


class Reversals:
    """Counts reversals, each once: of later calls only what was recorded since is read."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._position = 0
        self._instants: dict[_Key, list[int]] = {}
        self._lock = threading.Lock()

    def of(self, dinas: str, period: Period, position: int, midnight_us: int) -> Reversed:
        """The numbers of a dinas up to a position; of ratings, those reversed before the last midnight."""
        with self._lock:
            self._read(position)
            counts = [
                sum(
                    bisect_left(instants, midnight_us) if rating else len(instants)
                    for month in period.months
                    for instants in (self._instants.get(_Key(dinas, month, rating, alone), ()),)
                )
                for rating in (False, True)
                for alone in (False, True)
            ]
        return Reversed(counts[0] + counts[1], counts[1], counts[2] + counts[3], counts[3])

    def _read(self, position: int) -> None:
        until, pages = position, list[list[tuple[int, bytes]]]()
        while until > self._position:
            page = self._lines.newest(_ANY, self._position, until, AT_ONCE)
            pages.append(page.lines)
            until = page.reached
        for lines in reversed(pages):
            for _, line in reversed(lines):
                self._count(line)
        self._position = max(self._position, position)

    def _count(self, line: bytes) -> None:
        event = read_line(line)
        fact = event.resolved.removes
        if fact is not None:
            key = _Key(fact.data["dinas"], fact.resolved.month, fact.type == RATED, event.recordedby in ALONE)
            self._instants.setdefault(key, []).append(parse_instant(event.recordedtime))
