"""Instants and local dates.

An instant is an integer of microseconds since 1970-01-01T00:00:00Z. Text without an offset names none, and is refused.
Texts are read here by pattern and computed: the only module of the product that reads the time out of a text, beside the
formats of foreign files.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 60 * MINUTE_US
DAY_US: Final = 24 * HOUR_US

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ]([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,30}))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,30}))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_LOCAL = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,30}))?)?", re.ASCII)
_SIX_DECIMALS = re.compile(r"\.\d{6}", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_DAY_0: Final = EPOCH.toordinal()
_LAST_US: Final = (date.max.toordinal() + 1 - _DAY_0) * DAY_US - 1
_FIRST_US: Final = (date.min.toordinal() - _DAY_0) * DAY_US
_NO_MOMENT: Final = "names no moment of the calendar"
_PARTS: Final = (
    (23, "hours"),
    (59, "minutes"),
    (59, "seconds"),
    (None, "decimals"),
    (None, "sign"),
    (23, "the offset's hours"),
    (59, "the offset's minutes"),
)
"""The parts of an instant after its date, in the order of the pattern, each with the most that RFC 3339 gives it."""


def instant_of(moment: datetime) -> int:
    """An aware datetime is the count of microseconds since the epoch; a naive one is a ``ValueError``."""
    if moment.tzinfo is None:
        message = "a datetime without an offset names no instant"
        raise ValueError(message)
    return (moment - EPOCH) // MICROSECOND


@lru_cache(maxsize=32_768)  # door, clock check and resolution ask for the same; the largest request holds 30,000
def parse_instant(text: str) -> int:
    """RFC 3339 text with an offset is one instant; decimals beyond microseconds are cut off.

    Hours are 00 to 23 and minutes 00 to 59, of the time and of its offset; a leap second is refused, since the count of
    microseconds has none. The parts are computed here: what another parser tolerates changes with its version.
    Raises: ``ValueError`` with a sentence that names the fault.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(_why_not(text))
    return _computed(match)


def _why_not(text: str) -> str:
    """The sentence about a text that is no instant by RFC 3339."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return "must be RFC 3339 with an offset, such as 2026-11-24T10:41:07+07:00"
    for part, (most, name) in zip(match.groups("0")[3:], _PARTS, strict=True):
        if most is not None and int(part) > most:
            return f"{name} must be 00 to {most}"
    return _NO_MOMENT


@lru_cache(maxsize=32_768)
def stored_instant(text: str) -> int:
    """An instant in a line of the journal: whatever any former version took is read as it was read then.

    Former versions left the text to Python, which took offsets whose minutes run to 99 as long as the whole is less than
    a day, and from 3.14 on the midnight ``24:00:00`` at a day's end. Raises: ``ValueError``.
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        message = "is no instant that any version recorded"
        raise ValueError(message)
    *_, hour, minute, second, fraction, _, offset_hours, offset_minutes = match.groups("0")
    is_midnight = hour == "24" and not (int(minute) or int(second) or int(fraction))
    is_time = (int(hour) < 24 or is_midnight) and int(minute) < 60 and int(second) < 60  # noqa: PLR2004 - a clock's
    if not is_time or int(offset_hours) * 60 + int(offset_minutes) >= 24 * 60:
        raise ValueError(_NO_MOMENT)
    instant_us = _computed(match)
    within_us = (int(minute) * 60 + int(second)) * SECOND_US + instant_us % SECOND_US
    hour_us, tail = instant_us - within_us, text[match.end(7) if match[7] else 19 :]
    if not is_midnight and _FIRST_US <= hour_us <= _LAST_US - HOUR_US:
        if len(_HOURS) >= _HOURS_MOST:
            _HOURS.clear()
        _HOURS[text[:13] + tail] = _Hour(hour_us, _hour_text(hour_us // HOUR_US) if hour_us % HOUR_US == 0 else None)
    return instant_us


def line_instant(text: str) -> int:
    """The same, for readers of every line: it remembers hours where ``stored_instant`` remembers texts."""
    hour, second_us = _HOURS.get(text[:13] + text[19:]), _SECONDS_US.get(text[13:19])
    return line_utc(text)[1] if hour is None or second_us is None else hour[0] + second_us


def line_utc(text: str) -> tuple[str, int]:
    """An instant of a line as ``utc_text`` spells it, and as a count. Raises: ``ValueError``."""
    within = text[13:19]
    hour, second_us = _HOURS.get(text[:13] + text[19:]), _SECONDS_US.get(within)
    if second_us is not None:
        if hour is not None and hour[1] is not None:
            return f"{hour[1]}{within}.000000Z", hour[0] + second_us
        decimals = text[20:26]
        hour = _HOURS.get(text[:13] + text[26:])
        if hour is not None and hour[1] is not None and _SIX_DECIMALS.fullmatch(text, 19, 26):
            return f"{hour[1]}{within}.{decimals}Z", hour[0] + second_us + int(decimals)
    instant_us = stored_instant(text)
    return utc_text(instant_us), instant_us


class _Hour(NamedTuple):
    """A whole hour in a zone: its beginning, and the same in UTC as text, unless hours begin at another minute there."""

    us: int
    utc: str | None


_HOURS: Final[dict[str, _Hour]] = {}
"""Nearly every text is one of few hours and a minute and second: by its text without these, ``2026-11-24T10+07:00``."""
_HOURS_MOST: Final = 1 << 16
_IN_AN_HOUR: Final = tuple(f":{minute:02}:{second:02}" for minute in range(60) for second in range(60))
_SECONDS_US: Final = {text: second * SECOND_US for second, text in enumerate(_IN_AN_HOUR)}


def _computed(match: re.Match[str]) -> int:
    """The instant that the parts of a text add up to. Raises: ``ValueError`` outside the years 1 to 9999 in UTC."""
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _DAY_0
    except ValueError:
        raise ValueError(_NO_MOMENT) from None
    seconds = ((days * 24 + int(hour)) * 60 + int(minute)) * 60 + int(second)
    if sign:
        offset_s = (int(offset_hours) * 60 + int(offset_minutes)) * 60
        seconds += offset_s if sign == "-" else -offset_s
    instant_us = seconds * SECOND_US + (int(fraction[:6].ljust(6, "0")) if fraction else 0)
    if not _FIRST_US <= instant_us <= _LAST_US:
        raise ValueError(_NO_MOMENT)
    return instant_us


def parse_local(text: str) -> datetime:
    """``2026-11-24T10:41``, with or without seconds, is a naive moment of some zone. Raises: ``ValueError`` otherwise."""
    match = _LOCAL.fullmatch(text)
    if match is None:
        message = "must be a local time such as 2026-11-01T00:00"
        raise ValueError(message)
    year, month, day, hour, minute, second, fraction = match.groups("0")
    microsecond = int(fraction[:6].ljust(6, "0"))
    try:
        return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), microsecond)  # noqa: DTZ001 - the caller has its zone
    except ValueError:
        raise ValueError(_NO_MOMENT) from None


def parse_date(text: str) -> date:
    """``YYYY-MM-DD`` is a calendar date. Raises: ``ValueError`` otherwise."""
    match = _DATE.fullmatch(text)
    if match is None:
        message = "must be a date such as 2026-11-01"
        raise ValueError(message)
    try:
        return date(*map(int, match.groups()))
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


def utc_text(instant_us: int) -> str:
    """An instant has one spelling: UTC, six decimals, ``Z``."""
    second, microsecond = divmod(instant_us, SECOND_US)
    hour, second = divmod(second, 3600)
    return f"{_hour_text(hour)}{_IN_AN_HOUR[second]}.{microsecond:06}Z"


@lru_cache(maxsize=32_768)
def _hour_text(hour: int) -> str:
    """The text of a whole hour since the epoch, in UTC."""
    return moment_of(hour * HOUR_US).isoformat()[:13]


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


class Months(dict[int, str | None]):
    """The months of a zone by the hour, for readers of every line; ``None`` of an hour in which a day may begin."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, hour: int) -> str | None:
        day = _day_throughout(hour, self._zone)
        month = None if day is None else day.isoformat()[:7]
        if len(self) < _HOURS_MOST:
            self[hour] = month
        return month

    def of(self, instant_us: int) -> str:
        """The month ``YYYY-MM`` an instant falls in."""
        return self[instant_us // HOUR_US] or local_month(instant_us, self._zone)


@lru_cache(maxsize=8)
def months_of(zone: tzinfo) -> Months:
    """The months of a zone."""
    return Months(zone)
