"""Instants and local dates.

An instant is an integer of microseconds since 1970-01-01T00:00:00Z. Text without an offset names none, and is refused.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND_US: Final = 1_000_000
HOUR_US: Final = 3600 * SECOND_US
DAY_US: Final = 24 * HOUR_US

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def instant_of(moment: datetime) -> int:
    """An aware datetime is the count of microseconds since the epoch; a naive one is a ``ValueError``."""
    if moment.tzinfo is None:
        message = "a datetime without an offset names no instant"
        raise ValueError(message)
    return (moment - EPOCH) // MICROSECOND


@lru_cache(maxsize=32_768)  # door, clock check and resolution ask for the same; the largest request holds 30,000
def parse_instant(text: str) -> int:
    """RFC 3339 text with an offset and at most six decimals is one instant.

    Raises: ``ValueError`` with a sentence that names the fault.
    """
    if not _RFC3339.fullmatch(text):
        message = "must be RFC 3339 with an offset, such as 2026-11-24T10:41:07+07:00, and at most six decimals"
        raise ValueError(message)
    try:
        return instant_of(datetime.fromisoformat(text.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        message = "names no moment of the calendar"
        raise ValueError(message) from None


def parse_date(text: str) -> date:
    """``YYYY-MM-DD`` is a calendar date. Raises: ``ValueError`` otherwise."""
    if not _DATE.fullmatch(text):
        message = "must be a date such as 2026-11-01"
        raise ValueError(message)
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = "names no day of the calendar"
        raise ValueError(message) from None


def moment_of(instant_us: int, zone: tzinfo = UTC) -> datetime:
    """An instant is one aware datetime in each zone. Raises: ``ValueError`` outside the years 1 to 9999."""
    try:
        moment = EPOCH + timedelta(microseconds=instant_us)
        return moment if zone is UTC else moment.astimezone(zone)
    except OverflowError:
        message = "lies outside the calendar"
        raise ValueError(message) from None


@lru_cache(maxsize=1024)  # one instant of recording is the same for a whole transaction
def utc_text(instant_us: int) -> str:
    """An instant has one spelling: UTC, six decimals, ``Z``."""
    return moment_of(instant_us).isoformat(timespec="microseconds")[:26] + "Z"


def local_date(instant_us: int, zone: tzinfo) -> date:
    """The calendar day an instant falls on in a zone."""
    day = _day_throughout(instant_us // HOUR_US, zone)
    return moment_of(instant_us, zone).date() if day is None else day


@lru_cache(maxsize=8192)
def _day_throughout(hour: int, zone: tzinfo) -> date | None:
    """The day that a whole hour since the epoch lies in; ``None`` if midnight or a change of offset lies within the hour."""
    try:
        first, last = moment_of(hour * HOUR_US, zone), moment_of((hour + 1) * HOUR_US - 1, zone)
    except ValueError:
        return None
    same = first.date() == last.date() and first.utcoffset() == last.utcoffset()
    return first.date() if same else None


def local_month(instant_us: int, zone: tzinfo) -> str:
    """The month ``YYYY-MM`` an instant falls in, in a zone."""
    return local_date(instant_us, zone).isoformat()[:7]
