"""Formats of time: the directives that a mapping may use, and what each format reads from the text of a cell.

Refuses a format that cannot name a moment, and one that passes over a zone as if it were decoration.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple, Protocol
from zoneinfo import available_timezones

from streams.importing.words import MONTHS, OTHER_ZONES, WEEKDAYS, ZONE_MINUTES, ZONE_PHRASES

ISO: Final = "iso"
DAY_SECOND_MOST: Final = 24 * 3600


def _one_of(words: Iterable[str]) -> str:
    """The longest first: of `sep` and `september` a text has the whole."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_OFFSET: Final = r"[+\-\u2212]\d{1,2}(?::?[0-5]\d(?::?[0-5]\d)?)?"
_PATTERNS: Final = {
    "Y": r"\d{4}",
    "y": r"\d\d",
    "m": r"1[0-2]|0?[1-9]",
    "B": rf"(?:{_one_of(MONTHS)})(?!\w)\.?",
    "b": rf"(?:{_one_of(MONTHS)})(?!\w)\.?",
    "d": r"3[01]|[12]\d|0?[1-9]",
    "j": r"[0-3]?\d?\d",
    "G": r"\d{4}",
    "V": r"5[0-3]|[0-4]?\d",
    "u": r"[1-7]",
    "A": rf"(?:{_one_of(WEEKDAYS)})(?!\w)\.?",
    "a": rf"(?:{_one_of(WEEKDAYS)})(?!\w)\.?",
    "H": r"2[0-3]|[01]?\d",
    "I": r"1[0-2]|0?[1-9]",
    "p": r"[ap]\.?m\.?(?!\w)",
    "M": r"[0-5]?\d",
    "S": r"[0-5]?\d",
    "f": r"\d{1,9}",
    "z": rf"(?:utc|gmt)?\s*{_OFFSET}|(?:{_one_of(ZONE_MINUTES)})(?!\w)",
}
_SIDE_BY_SIDE: Final = {
    "m": r"1[0-2]|0[1-9]",
    "d": r"3[01]|[12]\d|0[1-9]",
    "j": r"[0-3]\d\d",
    "H": r"2[0-3]|[01]\d",
    "I": r"1[0-2]|0[1-9]",
    "M": r"[0-5]\d",
    "S": r"[0-5]\d",
}
"""Of ``%Y%m%d`` a text such as ``2026111`` would be the first of November and the eleventh of January."""
_WHOLE: Final = {"c": "%a %b %d %H:%M:%S %Y", "x": "%m/%d/%y", "X": "%H:%M:%S"}
"""The directives that stand for several, as the locale C has them."""
_SPLIT: Final = re.compile(r"%(.)", re.DOTALL)
_DATES: Final = ({"m", "d"}, {"B", "d"}, {"b", "d"}, {"j"})
_ZONE_OFFSET: Final = re.compile(r"(?:(?:UTC|GMT|UT)\s*)?[+\-\u2212]\s?\d{1,2}(?:[:.]?\d\d){0,2}(?!\d)", re.IGNORECASE)
_ZONE_WORD: Final = re.compile(r"[A-Za-z]+(?:/[A-Za-z_]+)*")
_ISO: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?([Zz]|" + _OFFSET + r")?)?", re.ASCII
)


class Stated(NamedTuple):
    """The moment that a text states: aware if the text names its offset; ``day`` if it names a date alone."""

    moment: datetime
    day: bool


class Format(Protocol):
    """A way to read texts."""

    @property
    def days(self) -> bool:
        """True if it reads dates alone."""
        ...

    def read(self, text: str) -> Stated | None:
        """The moment that a text states, or ``None`` if the text has another form."""
        ...


class Iso(NamedTuple):
    """ISO 8601: a date and a time of day in its extended form, with or without an offset; with ``days`` a date alone too."""

    days: bool = False

    def read(self, text: str) -> Stated | None:
        """Digits beyond the microsecond are dropped."""
        match = _ISO.fullmatch(text)
        if match is None or (match[4] is None and not self.days):
            return None
        year, month, day, hour, minute, second, fraction, zone = match.groups()
        try:
            clock = (int(hour or 0), int(minute or 0), int(second or 0), _microsecond(fraction))
            moment = datetime(int(year), int(month), int(day), *clock, tzinfo=_zone(zone))
        except ValueError:
            return None
        return Stated(moment, day=hour is None)


class Pattern:
    """A format of directives, such as ``%d/%m/%Y %H:%M``. Raises: ``ValueError`` if it cannot name a moment."""

    def __init__(self, pattern: str) -> None:
        whole = re.sub(r"%([cxX])", lambda match: _WHOLE[match[1]], pattern)
        names = [name for name in _SPLIT.findall(whole) if name != "%"]
        directives = set(names)
        if len(directives) < len(names) or not directives <= _PATTERNS.keys() or not _names_a_moment(directives):
            raise ValueError(pattern)
        self.days = not directives & {"H", "I"}
        self._expression = re.compile(_expression(whole), re.IGNORECASE)

    def read(self, text: str) -> Stated | None:
        """The moment that a text states by this format."""
        match = self._expression.fullmatch(text)
        if match is None:
            return None
        parts = match.groupdict()
        try:
            year, month, day = _date(parts)
            hour = _hour(parts)
            if hour is None:
                return None
            clock = (hour, int(parts.get("M") or 0), int(parts.get("S") or 0), _microsecond(parts.get("f")))
            moment = datetime(year, month, day, *clock, tzinfo=_zone(parts.get("z")))
        except ValueError:
            return None
        return Stated(moment, day=self.days)


def _names_a_moment(directives: set[str]) -> bool:
    """A year, a day of it, and no time of day or one that is whole: `%I` without `%p` would lose the afternoons."""
    day = ("Y" in directives) != ("y" in directives) and sum(part <= directives for part in _DATES) == 1
    if not day and not ({"G", "V", "u"} <= directives and not directives & set("Yymbd")):
        return False
    hour = "H" in directives or {"I", "p"} <= directives
    if not hour:
        return not directives & set("IpMSf")
    steps = [name in directives for name in "MSf"]
    return steps[0] and steps == sorted(steps, reverse=True) and not {"H", "I"} <= directives


def _expression(pattern: str) -> str:
    """The regular expression of a format; figures that stand side by side have all their digits."""
    parts, end = list[str](), 0
    marks = list(_SPLIT.finditer(pattern))
    for number, match in enumerate(marks):
        parts.append(_literal(pattern[end : match.start()]))
        name, following = match[1], marks[number + 1].start() if number + 1 < len(marks) else None
        beside = (number > 0 and match.start() == end) or match.end() == following
        digits = _SIDE_BY_SIDE.get(name, _PATTERNS.get(name)) if beside else _PATTERNS.get(name)
        parts.append("%" if digits is None else f"(?P<{name}>{digits})")
        end = match.end()
    return "".join([*parts, _literal(pattern[end:])])


def _literal(text: str) -> str:
    return re.sub(r"(?:\\?\s)+", r"\\s+", re.escape(text))


def _date(parts: dict[str, str | None]) -> tuple[int, int, int]:
    """Year, month and day. Raises: ``ValueError`` for a day or a week that a year does not have."""
    number, week = parts.get("j"), parts.get("V")
    if week:
        place = date.fromisocalendar(int(parts["G"] or 0), int(week), int(parts["u"] or 0))
        return place.year, place.month, place.day
    whole = parts.get("Y")
    year = int(whole) if whole else _century(int(parts["y"] or 0))
    if number:
        place = date(year, 1, 1) + timedelta(days=int(number) - 1)
        if place.year != year:
            raise ValueError(year)
        return year, place.month, place.day
    name = parts.get("B") or parts.get("b")
    month = MONTHS[name.casefold().rstrip(".")] if name else int(parts["m"] or 0)
    return year, month, int(parts["d"] or 0)


def _century(year: int) -> int:
    """Two digits are a year from 1969 to 2068, as POSIX has it."""
    return year + (1900 if year > 68 else 2000)  # noqa: PLR2004 - POSIX


def _hour(parts: dict[str, str | None]) -> int | None:
    """The hour of the day; ``None`` where the hour and AM or PM contradict each other."""
    afternoon = (parts.get("p") or "").casefold().startswith("p")
    if parts.get("I"):
        return int(parts["I"] or 0) % 12 + (12 if afternoon else 0)
    hour = int(parts.get("H") or 0)
    contradicts = parts.get("p") and afternoon != (hour >= 12)  # noqa: PLR2004 - noon
    return None if contradicts else hour


def _microsecond(fraction: str | None) -> int:
    return int(fraction.ljust(6, "0")[:6]) if fraction else 0


@lru_cache(maxsize=1024)  # a file writes few of them
def _zone(text: str | None) -> timezone | None:
    """The offset of a text. Raises: ``ValueError`` for an offset of a day or more."""
    if text is None:
        return None
    minutes = ZONE_MINUTES.get(text.casefold())
    if minutes is not None:
        return timezone(timedelta(minutes=minutes))
    sign, digits = re.findall(r"[+\-\u2212]|\d+", text)[0], "".join(re.findall(r"\d", text))
    if len(digits) % 2:
        digits = "0" + digits
    seconds = sum(
        int(digits[at : at + 2]) * unit for at, unit in zip(range(0, len(digits), 2), (3600, 60, 1), strict=False)
    )
    if seconds >= DAY_SECOND_MOST:
        raise ValueError(text)
    return timezone(timedelta(seconds=seconds if sign == "+" else -seconds))


def zone_in(pattern: str) -> tuple[str, str] | None:
    """The literal of a format that names a zone, and the format that reads the zone in its place; ``None`` without one.

    Beside ``%z``, as in ``GMT%z``, a literal takes nothing away.
    """
    if "%z" in pattern:
        return None
    pieces, end = list[tuple[int, int]](), 0
    for match in _SPLIT.finditer(pattern):
        pieces.append((end, match.start()))
        end = match.end()
    pieces.append((end, len(pattern)))
    for start, stop in pieces:
        place = _zone_literal(pattern[start:stop], is_last=stop == len(pattern))
        if place is not None:
            first, last = start + place[0], start + place[1]
            before, after = pattern[:first], pattern[last:]
            if before[-1:] and before[-1:] in "'\"[(" and after[:1] and after[:1] in "'\"])":
                before, after = before[:-1], after[1:]
            return pattern[first:last], f"{before}%z{after}"
    return None


def _zone_literal(text: str, *, is_last: bool) -> tuple[int, int] | None:
    offset = _ZONE_OFFSET.search(text)
    if offset and (is_last or offset.end() < len(text) or offset[0][:1].isalpha()):
        return offset.span()
    lower = text.casefold()
    for phrase in ZONE_PHRASES:
        if phrase in lower:
            return lower.index(phrase), lower.index(phrase) + len(phrase)
    return next((word.span() for word in _ZONE_WORD.finditer(text) if _is_zone(word[0])), None)


def _is_zone(word: str) -> bool:
    if "/" in word:
        return word in available_timezones()
    lower = word.casefold()
    abbreviation = word.isupper() and 3 <= len(word) <= 5 and word.endswith("T")  # noqa: PLR2004 - such as AMST
    return lower in ZONE_MINUTES or lower in OTHER_ZONES or abbreviation
