"""Searching the journal, the newest entries first. A page that takes long is short, and says how far it looked.

The database finds the lines that may match; only these are decoded and checked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from domain.clock import parse_instant
from domain.events.entries import decode
from domain.events.kinds import KINDS, NAMES, OPENING
from domain.events.names import type_of
from domain.fold.affected import affected_dinas
from domain.intake.recorded import Recorded, read_line, stated
from projections.ports import LineSearch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.periods import Period
    from projections.ports import Lines

WINDOW: Final = 1000
"""The most lines in memory at once. The first query asks for as many as a page shows: most candidates match."""
LOOKED_S: Final = 2.0
"""The time for which one page looks through the journal; a page that finds few entries is short and says how far it looked."""
KNOWN_KINDS: Final = (*KINDS, OPENING)
_SCHEME: Final = type_of("scheme-adopted")
_REGISTERED: Final = type_of("dinas-registered")


class _When(Struct):
    recordedtime: str


class Wanted(Struct, frozen=True):
    """The criteria of a search; a criterion of ``""`` or ``None`` does not apply."""

    dinas: str = ""
    kind: str = ""
    text: str = ""
    from_us: int | None = None
    to_us: int | None = None
    touches: Period | None = None
    after: int = 0
    until: int | None = None


class Entry(Struct, frozen=True):
    """An entry that was found."""

    position: int
    line: bytes
    event: Recorded


class Found(Struct, frozen=True):
    """A page of entries, the newest first; of which positions they are all there are, and whether older ones remain."""

    entries: list[Entry]
    low: int
    high: int
    more: bool
    jumped: bool = False
    """True if the bounds were found by the time of recording, which a clock that was set back does not order."""


class Search:
    """The criteria, as a query to the database and as a check of an entry."""

    def __init__(self, criteria: Wanted) -> None:
        self._wanted = criteria
        self.lines = LineSearch((type_of(criteria.kind),) if criteria.kind else (), tuple(_texts_of(criteria)))

    def matches(self, line: bytes, event: Recorded) -> bool:
        """True if an entry meets every criterion."""
        criteria = self._wanted
        if criteria.kind and event.type != type_of(criteria.kind):
            return False
        if criteria.text and not any(_folded(criteria.text) in _folded(text) for text in _texts(event)):
            return False
        if criteria.from_us is not None or criteria.to_us is not None:
            at_us = parse_instant(event.recordedtime)
            if not (criteria.from_us or 0) <= at_us <= (at_us if criteria.to_us is None else criteria.to_us):
                return False
        if criteria.touches is not None:
            return _bears_on(line, criteria.touches, criteria.dinas)
        return not criteria.dinas or criteria.dinas in (data.get("dinas") for data in stated(event.data))


def _texts_of(criteria: Wanted) -> Iterator[tuple[str, ...]]:
    """Groups of texts of which each line that matches holds one."""
    if criteria.text:
        yield (msgspec.json.encode(criteria.text).decode()[1:-1],)
    dinas = (msgspec.json.encode(criteria.dinas).decode(),) if criteria.dinas else ()
    if criteria.touches is None:
        yield from (dinas,) if dinas else ()
        return
    # A scheme bears on every dinas in all months that follow, and a registration on its dinas in every month.
    yield from ((*dinas, _SCHEME),) if dinas else ()
    yield (*(f'"{month}"' for month in criteria.touches.months), _REGISTERED, _SCHEME)


def _folded(text: str) -> bytes:
    """A text as it is compared: upper and lower case of the letters of ASCII are one."""
    return text.encode().lower()


def _texts(event: Recorded) -> Iterator[str]:
    """The names by which an entry is looked for."""
    yield from (event.source, event.id, event.recordedby)
    for data in stated(event.data):
        yield from (data[name] for name in NAMES if isinstance(data.get(name), str))
    target = event.data.get("event")
    if target is not None:
        yield from (target["source"], target["id"])


def _bears_on(line: bytes, period: Period, dinas: str) -> bool:
    try:
        affected_units = affected_dinas(decode(line), period)
    except msgspec.DecodeError:  # an entry this version cannot read: the fold has stopped before it
        return False
    return affected_units is None or (dinas in affected_units if dinas else bool(affected_units))


def searched(lines: Lines, criteria: Wanted, before: int, limit: int, *, whole: bool = False) -> Found:
    """The newest entries below ``before`` that match; with ``whole``, times of recording bound nothing.

    Looks for ``LOOKED_S`` at most, and at no entry twice over all pages.
    """
    low, high = criteria.after, before - 1 if criteria.until is None else min(before - 1, criteria.until)
    bounds = (low, high) if whole else _bounded(lines, criteria, low, high)
    has_jumped = bounds != (low, high)
    (low, high), search = bounds, Search(criteria)
    matches, at, end_s = list[Entry](), high, time.monotonic() + LOOKED_S
    number = min(limit, WINDOW)
    while at > low:
        page, low_end = lines.newest(search.lines, low, at, number)
        number = min(2 * number, WINDOW)
        for position, line in page:
            event = read_line(line)
            if search.matches(line, event):
                matches.append(Entry(position, line, event))
            if len(matches) == limit:
                return Found(matches, position, high, more=position - 1 > low, jumped=has_jumped)
        at = low_end
        if time.monotonic() > end_s:
            break
    return Found(matches, min(at + 1, high), high, more=at > low, jumped=has_jumped)


def _bounded(lines: Lines, criteria: Wanted, low: int, high: int) -> tuple[int, int]:
    """The positions between which the times of recording lie, were the clock never set back."""
    if criteria.to_us is not None:
        high = last_recorded(lines, criteria.to_us, low, high)
    if criteria.from_us is not None:
        low = last_recorded(lines, criteria.from_us - 1, low, high)
    return low, high


def last_recorded(lines: Lines, until_us: int, low: int, high: int) -> int:
    """The last position of ``(low, high]`` recorded by an instant, found by halving; ``low`` where there is none."""
    while low < high:
        middle = (low + high + 1) // 2
        line = lines.lines_at([middle]).get(middle)
        if line is None or parse_instant(msgspec.json.decode(line, type=_When).recordedtime) > until_us:
            high = middle - 1
        else:
            low = middle
    return low
