"""Local times as instants: the readings of a time without an offset, the days of dates, and the reading a row needs.

A local time is read in the mapping's zone. When clocks are put back it occurs twice, when they are put forward never; each
time it has two readings (``fold`` of PEP 495), and the row decides which one makes sense.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import product
from typing import Final, NamedTuple

from domain.clock import moment_of as datetime_of
from streams.importing.formats import Stated

_MICROSECOND: Final = timedelta(microseconds=1)
_DAY: Final = timedelta(days=1)
_LAST: Final = datetime.max.time()
ENDS: Final = frozenset({"due_at"})
"""The fields of which a day is its end: whatever is due on a day is in time until the day is over."""
SPANS: Final = (("received_at", "completed_at"), ("assigned_at", "completed_at"))
"""The fields of which the second does not lie before the first."""

OPEN: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "permit-processed": {"completed_at": ("received_at",)},
    "permit-paused": {"at": ()},
    "permit-resumed": {"at": ()},
}
"""By kind the field that must not lie before what the journal holds of its case, and the fields that state that instead."""


class Moment(NamedTuple):
    """The readings of one cell, the usual one first.

    ``usual`` is the reading that depends on no other cell, by which a row is known again; of a day its first instant.
    ``day`` is the calendar day of a cell that names a day alone.
    """

    readings: tuple[datetime, ...]
    usual: datetime
    day: date | None = None


class OpenDay(NamedTuple):
    """A day that a row names alone, of which only the journal knows where it may begin: the field, and its first instant."""

    field: str
    first: datetime

    def text_at(self, instant_us: int) -> str | None:
        """An instant as the text of the field, if it lies on the day."""
        try:
            moment = datetime_of(instant_us, UTC).astimezone(self.first.tzinfo)
        except (ValueError, OverflowError):  # the ends of the calendar
            return None
        return written(moment) if moment.date() == self.first.date() else None


def open_day(kind: str, moments: dict[str, Moment]) -> OpenDay | None:
    """The day that a row of a kind names without the instant that it must not lie before."""
    for end, starts in OPEN.get(kind, {}).items():
        moment = moments.get(end)
        if moment is not None and moment.day is not None and not any(start in moments for start in starts):
            return OpenDay(end, moment.usual)
    return None


def moment_of(field: str, statement: Stated, zone: tzinfo, *, is_day: bool) -> Moment:
    """The moment of a cell of a field; ``is_day`` if its column holds days, dressed as midnight or not.

    Raises: ``ValueError`` at the ends of the calendar.
    """
    local = statement.moment
    usual = aware(local, zone)
    if is_day and local.time() == datetime.min.time():
        place = local.tzinfo if statement.day and local.tzinfo else zone
        first = datetime(local.year, local.month, local.day, tzinfo=place)
        reading = _last_of(first) if field in ENDS else first
        return Moment((reading,), first, local.date())
    later = usual.replace(fold=1)
    return Moment((usual,) if later.utcoffset() == usual.utcoffset() else (usual, later), usual)


def aware(local: datetime, zone: tzinfo) -> datetime:
    """A time with its own offset, or else in a zone: the first where it occurs twice, by the offset before a gap."""
    return local if local.tzinfo is not None else local.replace(tzinfo=zone)


def _last_of(first: datetime) -> datetime:
    """The last microsecond of a local day, also of one that clocks made shorter or longer."""
    try:
        following = (first.replace(tzinfo=None) + _DAY).replace(tzinfo=first.tzinfo)
        return (following.astimezone(UTC) - _MICROSECOND).astimezone(first.tzinfo)
    except OverflowError:  # the calendar ends with the year 9999
        return datetime.combine(first.date(), _LAST, first.tzinfo)


def chosen(moments: dict[str, Moment]) -> dict[str, datetime]:
    """Of each field the reading in which the row makes sense; the usual ones where all do, or none.

    A completion that names a day alone is its earliest instant not before the receipt.
    """
    first = {field: moment.readings[0] for field, moment in moments.items()}
    choice = first
    if any(len(moment.readings) > 1 for moment in moments.values()) and not _makes_sense(first, moments):
        readings = (moment.readings for moment in moments.values())
        ways = (dict(zip(moments, way, strict=True)) for way in product(*readings))
        choice = next((way for way in ways if _makes_sense(way, moments)), first)
    for start, end in SPANS:
        if start in choice and end in choice and _is_on(moments[end].day, choice[start], choice[end]):
            choice = choice | {end: choice[start]}
    return choice


def _makes_sense(row: dict[str, datetime], moments: dict[str, Moment]) -> bool:
    return all(
        _instant(row[start]) <= _instant(row[end])
        for start, end in SPANS
        if start in row and end in row and moments[end].day is None
    )


def _is_on(day: date | None, start: datetime, end: datetime) -> bool:
    """True if a day begins before ``start``, which lies in it."""
    if day is None or _instant(start) <= _instant(end):
        return False
    return start.astimezone(end.tzinfo).date() == day


def _instant(moment: datetime) -> datetime:
    """The moment in UTC: two of one zone are otherwise compared by their clocks, and the fold is passed over."""
    return moment.astimezone(UTC)


def written(moment: datetime) -> str:
    """A moment as text with its offset; in UTC where the offset has seconds, as Jakarta's had until 1924.

    Raises: ``OverflowError`` at the ends of the calendar.
    """
    offset = moment.utcoffset() or timedelta()
    return (moment.astimezone(UTC) if offset.seconds % 60 else moment).isoformat()
