"""Periods: a month, a quarter (triwulan), a half-year (semester) or a year, each a run of whole months."""

import calendar
import re
from datetime import date, timedelta, tzinfo
from typing import NamedTuple

from domain.clock import day_begins_us

_PERIOD = re.compile(r"(\d{4})(?:-(?:(\d\d)|Q([1-4])|S([12])))?", re.ASCII)


class Period(NamedTuple):
    """A run of whole months of one year; ``name`` is ``2026-11``, ``2026-Q4``, ``2026-S2`` or ``2026``."""

    name: str
    year: int
    first: int
    last: int

    @property
    def months(self) -> tuple[str, ...]:
        """The months ``YYYY-MM`` it consists of, in order."""
        return tuple(f"{self.year:04d}-{month:02d}" for month in range(self.first, self.last + 1))

    @property
    def first_day(self) -> date:
        """Its first calendar day."""
        return date(self.year, self.first, 1)

    @property
    def last_day(self) -> date:
        """Its last calendar day: the scheme in force on it scores the whole period."""
        return date(self.year, self.last, calendar.monthrange(self.year, self.last)[1])

    def end_us(self, zone: tzinfo) -> int:
        """The instant at which it has ended in a zone: the next month's first."""
        return day_begins_us(self.last_day + timedelta(days=1), zone)


def parse_period(text: str) -> Period:
    """One of four spellings is one period. Raises: ``ValueError`` for any other text."""
    match = _PERIOD.fullmatch(text)
    if match and int(match[1]) > 0:
        year, month, quarter, half = int(match[1]), match[2], match[3], match[4]
        if quarter:
            return Period(text, year, int(quarter) * 3 - 2, int(quarter) * 3)
        if half:
            return Period(text, year, int(half) * 6 - 5, int(half) * 6)
        if month is None:
            return Period(text, year, 1, 12)
        if 1 <= int(month) <= 12:  # noqa: PLR2004 - months
            return Period(text, year, int(month), int(month))
    message = "must be a month 2026-11, a quarter 2026-Q4, a half-year 2026-S2 or a year 2026"
    raise ValueError(message)


def alike(period: Period, month: str) -> Period:
    """The period of the same length that a month ``YYYY-MM`` lies in: of a quarter another quarter, of a year a year."""
    length = period.last - period.first + 1
    number = (int(month[5:]) - 1) // length + 1
    return parse_period(month[:4] + {1: f"-{number:02d}", 3: f"-Q{number}", 6: f"-S{number}", 12: ""}[length])


def months_until(period: Period, number: int) -> tuple[Period, ...]:
    """A number of months, oldest first, that end with the last month of a period; fewer at the beginning of the calendar."""
    last = period.year * 12 + period.last - 1
    return tuple(
        parse_period(f"{at // 12:04d}-{at % 12 + 1:02d}") for at in range(max(12, last - number + 1), last + 1)
    )
