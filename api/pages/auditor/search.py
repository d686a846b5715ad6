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

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.lines = LineSearch((type_of(wanted.kind),) if wanted.kind else (), tuple(_texts_of(wanted)))

    def matches(self, line: bytes, event: Recorded) -> bool:
        """True if an entry meets every criterion."""
        wanted = self._wanted
        if wanted.kind and event.type != type_of(wanted.kind):
            return False
        if wanted.text and not any(_folded(wanted.text) in _folded(text) for text in _texts(event)):
            return False
        if wanted.from_us is not None or wanted.to_us is not None:
            at_us = parse_instant(event.recordedtime)
            if not (wanted.from_us or 0) <= at_us <= (at_us if wanted.to_us is None else wanted.to_us):
                return False
        if wanted.touches is not None:
            return _bears_on(line, wanted.touches, wanted.dinas)
        return not wanted.dinas or wanted.dinas in (data.get("dinas") for data in stated(event.data))


def _texts_of(wanted: Wanted) -> Iterator[tuple[str, ...]]:
    """Groups of texts of which each line that matches holds one."""
    if wanted.text:
        yield (msgspec.json.encode(wanted.text).decode()[1:-1],)
    dinas = (msgspec.json.encode(wanted.dinas).decode(),) if wanted.dinas else ()
    if wanted.touches is None:
        yield from (dinas,) if dinas else ()
        return
    # A scheme bears on every dinas in all months that follow, and a registration on its dinas in every month.
    yield from ((*dinas, _SCHEME),) if dinas else ()
    yield (*(f'"{month}"' for month in wanted.touches.months), _REGISTERED, _SCHEME)


def _folded(text: str) -> bytes:
    """A text as it is compared: upper and lower case of the letters of ASCII are one."""
    return text.encode().lower()


def _texts(event: Recorded) -> Iterator[str]:
    """The names by which an entry is looked for."""
    yield from (event.source, event.id, event.recordedby)
    for data in stated(event.data):
        yield from (data[name] for name in NAMES if isinstance(data.get(name), str))
    named = event.data.get("event")
    if named is not None:
        yield from (named["source"], named["id"])


def _bears_on(line: bytes, period: Period, dinas: str) -> bool:
    try:
        found = affected_dinas(decode(line), period)
    except msgspec.DecodeError:  # an entry this version cannot read: the fold has stopped before it
        return False
    return found is None or (dinas in found if dinas else bool(found))


def searched(lines: Lines, wanted: Wanted, before: int, limit: int, *, whole: bool = False) -> Found:
    """The newest entries below ``before`` that match; with ``whole``, times of recording bound nothing.

    Looks for ``LOOKED_S`` at most, and at no entry twice over all pages.
    """
    low, high = wanted.after, before - 1 if wanted.until is None else min(before - 1, wanted.until)
    bounds = (low, high) if whole else _bounded(lines, wanted, low, high)
    jumped = bounds != (low, high)
    (low, high), search = bounds, Search(wanted)
    found, at, end_s = list[Entry](), high, time.monotonic() + LOOKED_S
    number = min(limit, WINDOW)
    while at > low:
        page, reached = lines.newest(search.lines, low, at, number)
        number = min(2 * number, WINDOW)
        for position, line in page:
            event = read_line(line)
            if search.matches(line, event):
                found.append(Entry(position, line, event))
            if len(found) == limit:
                return Found(found, position, high, more=position - 1 > low, jumped=jumped)
        at = reached
        if time.monotonic() > end_s:
            break
    return Found(found, min(at + 1, high), high, more=at > low, jumped=jumped)


def _bounded(lines: Lines, wanted: Wanted, low: int, high: int) -> tuple[int, int]:
    """The positions between which the times of recording lie, were the clock never set back."""
    if wanted.to_us is not None:
        high = last_recorded(lines, wanted.to_us, low, high)
    if wanted.from_us is not None:
        low = last_recorded(lines, wanted.from_us - 1, low, high)
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
