"""The demo city: the figures of `examples/tangsel/city.toml`, its roster, rules, working hours, and its dinas at work.

All of it is simulated, and nothing here reads a clock. An ASN's id does not reveal the dinas: ids are dealt out shuffled.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from random import Random
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from domain.clock import moment_of, parse_date, parse_instant
from domain.events.names import type_of
from domain.events.submitted import Indicator
from domain.periods import parse_period

Event: TypeAlias = dict[str, Any]

WIB: Final = timezone(timedelta(hours=7), "WIB")
"""The zone of the city, Asia/Jakarta: seven hours ahead of UTC all year."""
HOUR: Final = 3600
DAY: Final = 24 * HOUR
OPENING: Final = 7 * HOUR + 1800
CLOSING: Final = 16 * HOUR
QUARTER: Final = 900
BUSY_TASKS: Final = 13
"""The number of tasks a month that makes an ASN a busy one."""
UNSUR: Final = {
    "persyaratan": 0.02,
    "prosedur": 0.0,
    "waktu": -0.1,
    "biaya": 0.2,
    "produk": 0.03,
    "kompetensi": 0.02,
    "perilaku": 0.08,
    "pengaduan": -0.1,
    "sarana": -0.15,
}
"""The nine unsur, each with the difference of its mean answer from the others; together they cancel out."""

_OFFSET = "+07:00"
_MINUTES = [f"{minute // 60:02}:{minute % 60:02}:" for minute in range(DAY // 60)]
_SECONDS = [f"{second:02}{_OFFSET}" for second in range(60)]
_DAYS_BEFORE, _DAYS_AFTER = 120, 240
_SATURDAY = 5
_LONGEST = 30 * 24


class _Read(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file: a misspelt field is refused, not ignored."""


class Service(_Read, frozen=True):
    """A public service with its example standard in wall hours; `code` begins the ids of its cases."""

    slug: str
    code: str
    name: str
    hours: int


class Shares(_Read, frozen=True):
    """The frequencies of various things, as fractions; the file names the whole of each."""

    corrected: float
    retracted: float
    paused: float
    rejected: float
    forgotten: float
    task_due: float
    self_reported: float
    busy_tasks: float
    rated_asn: float
    tapped: float
    silent: float


class Dinas(_Read, frozen=True):
    """An agency and its habits; the file explains each figure."""

    slug: str
    kind: Literal["Dinas", "Badan", "Kecamatan", "RSUD", "Satpol PP"]
    name: str
    asn: int
    counters: int
    services: dict[str, int]
    cases: int
    rated: float
    surveys: int
    tasks: int
    tempo: float
    spread: float
    late: float
    satisfied: float
    open: Literal["office", "always"]


class Scheme(_Read, frozen=True):
    """The scheme that the city adopts, without the month from which it is in force."""

    scheme: str
    skm_weight: str
    min_coverage: str
    indicators: tuple[Indicator, ...]


class City(_Read, frozen=True):
    """Everything the demo knows about the city."""

    name: str
    asn_total: int
    holidays: frozenset[date]
    shares: Shares
    scheme: Scheme
    services: tuple[Service, ...]
    dinas: tuple[Dinas, ...]

    @classmethod
    def load(cls, path: Path) -> "City":
        """The city of a file. Raises: `ValueError` for figures that disagree, and for a wrong field."""
        return msgspec.toml.decode(path.read_bytes(), type=cls)

    def __post_init__(self) -> None:
        """Refuse figures that disagree. Raises: `ValueError` with the reason."""
        total = sum(dinas.asn for dinas in self.dinas)
        if total != self.asn_total:
            message = f"the dinas have {total} ASN together, asn_total says {self.asn_total}"
            raise ValueError(message)
        if any(not 1 <= service.hours <= _LONGEST for service in self.services):
            message = f"a standard has from 1 to {_LONGEST} hours: beyond, its cases would outlast the calendar"
            raise ValueError(message)
        slugs = {service.slug for service in self.services}
        for dinas in self.dinas:
            if unknown := dinas.services.keys() - slugs:
                message = f"{dinas.slug} offers services nobody defined: {sorted(unknown)}"
                raise ValueError(message)
            if not 1 <= dinas.counters <= dinas.asn:
                message = f"{dinas.slug} needs at least one counter, and an ASN for each"
                raise ValueError(message)


def roster(city: City) -> dict[str, list[str]]:
    """The ASN of each dinas, in every month and under every seed; the first ones of a dinas sit at its counters."""
    ids = [f"a-{number:05}" for number in range(1, city.asn_total + 1)]
    Random("roster").shuffle(ids)  # noqa: S311 - an order to repeat, not a secret
    ends = iter(ids)
    return {dinas.slug: [next(ends) for _ in range(dinas.asn)] for dinas in city.dinas}


def event(kind: str, source: str, ident: str, time: str, data: Event) -> Event:
    """A CloudEvent as a dict, in the form of `docs/reference/events.md`."""
    return {
        "specversion": "1.0",
        "type": type_of(kind),
        "source": source,
        "id": ident,
        "time": time,
        "data": data,
    }


def rules(city: City, start: date) -> Iterator[Event]:
    """The rules of the city, recorded at midnight of `start` and in force since a year and a day before it.

    Ids contain `start`: a later start records its rules again, and never contradicts an id already used.
    """
    time = f"{start}T00:00:00{_OFFSET}"
    since = (start - timedelta(days=366)).isoformat()

    def rule(kind: str, name: str, data: Event) -> Event:
        return event(kind, "/simulasi/kota/aturan", f"{start}-{name}", time, data)

    month = parse_date(since).replace(day=1).isoformat()
    scheme = msgspec.to_builtins(city.scheme)
    yield rule("scheme-adopted", f"skema-{city.scheme.scheme}", {**scheme, "effective_from": month})
    for dinas in city.dinas:
        yield rule("dinas-registered", f"dinas-{dinas.slug}", {"dinas": dinas.slug, "name": dinas.name})
    for service in city.services:
        promise = {"service": service.slug, "amount": service.hours, "unit": "wall_hours", "effective_from": since}
        yield rule("standard-set", f"standar-contoh-{service.slug}", promise)
    for slug, staff in roster(city).items():
        for asn in staff:
            yield rule("asn-registered", f"asn-{asn}", {"asn": asn})
            yield rule("asn-assigned", f"tempat-{asn}", {"asn": asn, "dinas": slug, "effective_from": since})


def first_day(month: str) -> date:
    """The first day of a month `YYYY-MM`. Raises: `ValueError` for any other text."""
    period = parse_period(month)
    if len(period.months) > 1:
        message = f"{month} is no month"
        raise ValueError(message)
    return period.first_day


def local_moment(text: str) -> datetime:
    """An instant of an event as a moment in the zone of the city."""
    return moment_of(parse_instant(text), WIB)


def local_second(moment: datetime) -> int:
    """A moment in whole seconds of the city's wall clock since midnight of day 0 (`date.toordinal`)."""
    local = moment.astimezone(WIB)
    return local.toordinal() * DAY + local.hour * HOUR + local.minute * 60 + local.second


class Calendar:
    """The days around one local month: as text, and as open or closed offices. All times are `local_second`s."""

    def __init__(self, first: date, holidays: frozenset[date]) -> None:
        """`first` is the first day of the month; 120 days before and 240 after it are known."""
        self._base = first.toordinal() - _DAYS_BEFORE
        days = [first + timedelta(days=n) for n in range(-_DAYS_BEFORE, _DAYS_AFTER)]
        self._texts = [f"{day}T" for day in days]
        self._working = [day.weekday() < _SATURDAY and day not in holidays for day in days]
        self._last_working = list(range(len(days)))
        self._next_working = list(range(len(days)))
        for n in range(1, len(days)):
            if not self._working[n]:
                self._last_working[n] = self._last_working[n - 1]
            if not self._working[-n - 1]:
                self._next_working[-n - 1] = self._next_working[-n]
        self.days = range(first.toordinal(), ((first + timedelta(days=31)).replace(day=1)).toordinal())

    def text(self, at: int) -> str:
        """A time as text, with the city's offset."""
        day, second = divmod(at, DAY)
        return self._texts[day - self._base] + _MINUTES[second // 60] + _SECONDS[second % 60]

    def working(self, day: int) -> bool:
        """True if offices open on a day."""
        return self._working[day - self._base]

    def last_working(self, day: int) -> int:
        """The last working day on or before a day."""
        return self._last_working[day - self._base] + self._base

    def next_working(self, day: int) -> int:
        """The first working day on or after a day."""
        return self._next_working[day - self._base] + self._base

    def office(self, at: int, jitter: int, deadline: int) -> int:
        """Move a time at which offices are closed to the nearest one at which they are open, `jitter` seconds inside.

        A time that meets the deadline still meets it afterwards: people finish before they go home.
        """
        day, second = divmod(at, DAY)
        working = self.working(day)
        if working and OPENING <= second <= CLOSING:
            return at
        before = self.last_working(day if working and second > CLOSING else day - 1) * DAY + CLOSING - jitter
        after = self.next_working(day if working and second < OPENING else day + 1) * DAY + OPENING + jitter
        return before if at - before <= after - at or at <= deadline < after else after

    def arrivals(self, *, always: bool) -> list[int]:
        """Quarters of an hour of the month, each as often as people arrive in it: most of them in the rush of working days."""
        quarters: list[int] = []
        for day in self.days:
            working = self.working(day)
            if not (working or always):
                continue
            for second in range(0, DAY, QUARTER) if always else range(OPENING, CLOSING, QUARTER):
                quarters += [day * DAY + second] * round(4 * bustle(second) if working else 2 * bustle(second) + 0.5)
        return quarters


def bustle(second: int) -> float:
    """The bustle of a working day at one of its seconds: 1 in the rush, 0.6 in other office hours, 0.25 at night."""
    if 8 * HOUR <= second < 11 * HOUR or 13 * HOUR <= second < 15 * HOUR:
        return 1.0
    return 0.6 if OPENING <= second < CLOSING else 0.25
