"""The ratings among entries: what each gives to a cell or takes out of one, and when a month of theirs closes."""

from collections.abc import Iterator
from datetime import timedelta, tzinfo
from functools import lru_cache
from typing import Final

from domain.clock import day_begins_us, line_instant, local_date, utc_text
from domain.events.entries import AnyEntry, EventCorrected, EventRetracted, Fact, RatingData, SatisfactionRated
from domain.fold.cells import Change
from domain.fold.disclosed import Month
from domain.fold.postings import overall_bp
from domain.measures import UNSUR
from domain.periods import parse_period

CLOSED_AFTER: Final = timedelta(days=31)
"""From the beginning of a month's last day to its close: thirty days after the month's end."""
NEVER_US: Final = 1 << 62
RATING_KINDS: Final = frozenset({SatisfactionRated, EventRetracted, EventCorrected})
"""The kinds of entries that may touch a rating."""
MonthKey = tuple[str, str]
"""A dinas and a month."""


def changes_of_ratings(entry: AnyEntry) -> Iterator[tuple[MonthKey, Change]]:
    """The ratings that an entry takes out and gives, with their dinas and month; most entries touch none."""
    if isinstance(entry, SatisfactionRated):
        yield _change(entry.data, 1, first=True)
    elif isinstance(entry, EventRetracted | EventCorrected):
        yield from _of(entry.data.resolved.removes, -1)
        if entry.data.resolved.adds is not None:
            yield from _of(entry.data.resolved.adds, 1)


def _of(fact: Fact, sign: int) -> Iterator[tuple[MonthKey, Change]]:
    if isinstance(fact, SatisfactionRated):
        yield _change(fact.data, sign, first=False)


def _change(data: RatingData, sign: int, *, first: bool) -> tuple[MonthKey, Change]:
    answers = data.unsur
    if answers is None:
        values: tuple[int, ...] = (overall_bp(data),)
    else:
        values = tuple([answers.get(unsur, 0) for unsur in UNSUR])
    name = f"k{data.case}" if data.case else f"s{data.survey}"
    return (data.dinas, data.resolved.month), Change(data.service, name, data.asn, values, sign, first)


@lru_cache(maxsize=1024)
def closes_us(month: str, zone: tzinfo) -> int:
    """The instant at which a month ``YYYY-MM`` closes: thirty days after its end, at midnight in a zone."""
    try:
        return day_begins_us(parse_period(month).last_day + CLOSED_AFTER, zone)
    except OverflowError:
        return NEVER_US


@lru_cache(maxsize=1024)
def closes_at(month: str, zone: tzinfo) -> str:
    """The same instant as a time of recording is written, so that the two are compared as texts."""
    instant_us = closes_us(month, zone)
    return "9" * 27 if instant_us == NEVER_US else utc_text(instant_us)


def day_of(at: str, zone: tzinfo) -> str:
    """The local day of a time of recording."""
    return local_date(line_instant(at), zone).isoformat()


def follow(month: Month, name: str, change: Change, at: str, zone: tzinfo) -> None:
    """Add a change that was recorded at ``at`` to a dinas's month ``name``; a close that lies before it comes first.

    The close has its own instant, whenever the first entry after it comes: what is served as of a later close rests on it.
    """
    closes = closes_at(name, zone)
    if not month.state.closed and at >= closes:
        month.close(closes)
    month.begin(day_of(at, zone))
    month.apply(change, at)
