"""How far the served figures are behind the journal: the one source for pages, the live board and readiness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec import MsgspecError

from domain.clock import parse_instant
from domain.intake.recorded import read_line

if TYPE_CHECKING:
    from projections.live import Live
    from projections.ports import Lines

FRESH_US: Final = 5_000_000
"""A fold that goes on is always a little behind: an entry may wait for so long before figures count as out of date."""


class Backlog(NamedTuple):
    """Figures that are out of date: the entries they do not count, and when the last entry they count was recorded."""

    entries: int
    until_us: int


def backlog_of(live: Live, lines: Lines, position: int, now_us: int) -> Backlog | None:
    """The backlog of figures at a position; none while the fold goes on and the first entry left out is new."""
    entries = max(0, lines.head() - position)
    if live.follows and (not entries or is_new_after(lines, position, now_us)):
        return None
    recorded_us = _recorded_us(lines, max(1, position))
    return Backlog(entries, now_us if recorded_us is None else recorded_us)


def is_new_after(lines: Lines, position: int, now_us: int) -> bool:
    """True if the first entry after a position was recorded only a moment ago."""
    recorded_us = _recorded_us(lines, position + 1)
    return recorded_us is not None and now_us - recorded_us < FRESH_US


def _recorded_us(lines: Lines, position: int) -> int | None:
    """When an entry was recorded; none if it is not there, or cannot be read, at which the fold is about to stop."""
    line = lines.lines_at([position]).get(position)
    try:
        return None if line is None else parse_instant(read_line(line).recordedtime)
    except (MsgspecError, KeyError, ValueError):
        return None
