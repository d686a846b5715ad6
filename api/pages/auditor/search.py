"""Searching the journal, the newest first: a bounded run of entries a page, so that no search reads the whole of it.

Entries are looked at as bytes first; only what may match is decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from domain.clock import parse_instant
from domain.events.entries import decode
from domain.events.kinds import KINDS, NAMES, OPENING
from domain.events.names import type_of
from domain.fold.affected import affected_dinas
from domain.intake.recorded import Recorded, read_line, stated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.periods import Period
    from projections.ports import Lines

WINDOW: Final = 1000
"""How many lines are in memory at once."""
SCANNED_MOST: Final = 100_000
"""How many entries one page looks at; where few of them match, the page is short and says how far it looked."""
KNOWN_KINDS: Final = (*KINDS, OPENING)
_SCHEME: Final = b'{"type":"%s"' % type_of("scheme-adopted").encode()
_REGISTERED: Final = b'{"type":"%s"' % type_of("dinas-registered").encode()


class _When(Struct):
    recordedtime: str


class Wanted(Struct, frozen=True):
    """What entries have to say to be found; what is ``""`` or ``None`` is not asked."""

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
    """Whether the bounds were found by the time of recording, which a clock that was set back does not order."""


class Search:
    """What is asked, made ready to be asked of line after line."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._start = b'{"type":"%s"' % type_of(wanted.kind).encode() if wanted.kind else b""
        self._dinas = msgspec.json.encode(wanted.dinas) if wanted.dinas else b""
        self._months = [b'"%s"' % month.encode() for month in wanted.touches.months] if wanted.touches else []
        self._text = _folded(msgspec.json.encode(wanted.text).decode()[1:-1]) if wanted.text else b""

    def may_match(self, line: bytes) -> bool:
        """Whether a line can match, by its bytes alone: a line that matches always may."""
        if self._start and not line.startswith(self._start):
            return False
        if self._text and self._text not in line.lower():
            return False
        if self._months and line.startswith(_SCHEME):
            return True
        if self._dinas and self._dinas not in line:
            return False
        return not self._months or line.startswith(_REGISTERED) or any(month in line for month in self._months)

    def matches(self, line: bytes, event: Recorded) -> bool:
        """Whether an entry says all that is wanted of it."""
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

    Looks at ``SCANNED_MOST`` entries at most, and at none twice over all pages.
    """
    low, high = wanted.after, before - 1 if wanted.until is None else min(before - 1, wanted.until)
    bounds = (low, high) if whole else _bounded(lines, wanted, low, high)
    jumped = bounds != (low, high)
    (low, high), search = bounds, Search(wanted)
    least, found, at = max(low, high - SCANNED_MOST), list[Entry](), high
    while at > least:
        start = max(least, at - WINDOW)
        for position, line in reversed(lines.lines(start, at - start, at)):
            at = position - 1
            if search.may_match(line):
                event = read_line(line)
                if search.matches(line, event):
                    found.append(Entry(position, line, event))
            if len(found) == limit:
                return Found(found, position, high, more=at > low, jumped=jumped)
        at = start
    return Found(found, min(least + 1, high), high, more=least > low, jumped=jumped)


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
