"""Reversals: how many facts and ratings of a dinas were retracted or corrected, and how many of them by a caller alone."""

from __future__ import annotations

import threading
from bisect import bisect_left, insort
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
from msgspec import Struct

from domain.clock import line_instant
from domain.events import own
from domain.events.kinds import KINDS, REVERSAL_TYPES
from projections.ports import LineSearch

if TYPE_CHECKING:
    from domain.periods import Period
    from projections.ports import Lines

RATED: Final = KINDS["satisfaction-rated"].type
ALONE: Final = frozenset({"local", "import", own.RECORDER})
"""The recorders who have nobody beside them, and so are exempt from a second person."""
AT_ONCE: Final = 1000
_ANY: Final = LineSearch(tuple(sorted(REVERSAL_TYPES)))


class _Month(Struct, frozen=True, gc=False):
    month: str = ""


class _FactData(Struct, frozen=True, gc=False):
    dinas: str
    resolved: _Month = _Month()


class _Fact(Struct, frozen=True, gc=False):
    type: str
    data: _FactData


class _Resolved(Struct, frozen=True, gc=False):
    removes: _Fact | None = None


class _ReversalData(Struct, frozen=True, gc=False):
    resolved: _Resolved = _Resolved()


class _Line(Struct, frozen=True, gc=False):
    """The parts of a reversal's line that are counted by."""

    data: _ReversalData
    recordedtime: str
    recordedby: str


_LINE: Final = msgspec.json.Decoder(_Line)


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
        until, rows = position, list[tuple[_Key, int]]()
        while until > self._position:
            page = self._lines.newest(_ANY, self._position, until, AT_ONCE)
            rows += [pair for _, line in page.lines if (pair := _counted(line)) is not None]
            until = page.reached
        for key, instant_us in reversed(rows):  # only once each line was read: what raises is read whole again
            insort(self._instants.setdefault(key, []), instant_us)  # a clock may have been set back meanwhile
        self._position = max(self._position, position)


def _counted(line: bytes) -> tuple[_Key, int] | None:
    """The key that a reversal counts under, and the instant of its recording; ``None`` if it takes nothing out."""
    event = _LINE.decode(line)
    fact = event.data.resolved.removes
    if fact is None:
        return None
    key = _Key(fact.data.dinas, fact.data.resolved.month, fact.type == RATED, event.recordedby in ALONE)
    return key, line_instant(event.recordedtime)
