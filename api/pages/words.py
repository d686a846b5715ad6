"""The words of the pages, in Bahasa Indonesia and English, and how each language writes figures, periods and instants.

Every word comes from the catalogs in `locale/`; nothing is translated in code.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from babel import Locale
from babel.dates import get_month_names
from babel.numbers import NumberPattern, get_decimal_symbol, parse_pattern

from domain.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US, moment_of

if TYPE_CHECKING:
    from datetime import date, tzinfo

    from api.pages.catalog import Code, Labels, Message
    from domain.periods import Period

MINUTES_SHOWN_BELOW_H: Final = 48
DAYS_FROM: Final = 3
_ROMAN: Final = {"1": "I", "2": "II", "3": "III", "4": "IV"}
_PLACES_MOST: Final = 6
_PATTERNS: Final[tuple[NumberPattern, ...]] = tuple(
    parse_pattern("#,##0" + ("." + "0" * places if places else "")) for places in range(_PLACES_MOST + 1)
)
"""Patterns for grouped figures by their decimals; the locale has the signs that group and divide."""


def in_days(promise_us: int) -> bool:
    """True if a promise is one of days: of three whole days of the clock at least. `loket/words.js` has the same rule."""
    return promise_us >= DAYS_FROM * DAY_US and promise_us % DAY_US == 0


class Words:
    """One language of the pages in one zone. Calling it fills a label in."""

    def __init__(self, code: Code, zone: tzinfo, labels: Labels) -> None:
        self.code = code
        self.zone = zone
        self._labels = labels
        self._locale = Locale.parse(code)
        self.months = list(get_month_names("wide", locale=self._locale).values())
        self.short_months = list(get_month_names("abbreviated", locale=self._locale).values())

    def __call__(self, key: str, **values: object) -> str:
        """The message, its blanks filled: whole numbers as the language groups them, ``n`` also chooses a plural form."""
        return self._filled(self._labels[key][self.code], values)

    def __contains__(self, key: str) -> bool:
        """True if there is such a label."""
        return key in self._labels

    def named(self, section: str, name: str, **values: object) -> str:
        """The message for a name in the data, or the name itself if it has none; without values in its general form."""
        label = self._labels.get(f"{section}.{name}")
        if label is None:
            return name
        return self._filled(label[self.code], values) if values else label[self.code].general

    def forms(self, key: str) -> str | tuple[str, ...]:
        """A message for a script that fills its blanks: all plural forms of one that counts, else its one form."""
        message = self._labels[key][self.code]
        return message.general if message.rule is None else message.forms

    def section(self, name: str) -> dict[str, str | tuple[str, ...]]:
        """The messages of a section by name, as `forms` gives them."""
        start = f"{name}."
        return {key.removeprefix(start): self.forms(key) for key in self._labels if key.startswith(start)}

    def _filled(self, message: Message, values: dict[str, object]) -> str:
        texts = {name: self.number(value) if type(value) is int else value for name, value in values.items()}
        return message.form(values).format(**texts)

    def number(self, value: Decimal | int | None, places: int = 0) -> str:
        """``1.204.331`` and ``98,43``, or their English forms; a dash for no figure."""
        if value is None:
            return "–"
        size: Decimal = abs(Decimal(value))
        text: str = _PATTERNS[min(places, _PLACES_MOST)].apply(size, self._locale)
        return ("−" if value < 0 else "") + text

    def percent(self, value: Decimal | None) -> str:
        """A figure in percent, of two decimals as served, without the sign."""
        return self.number(value, 2)

    def share_of(self, value: Decimal | None) -> str:
        """A figure of two decimals that is a share: with its sign."""
        return self.percent(value) if value is None else f"{self.percent(value)}\N{NO-BREAK SPACE}%"

    def weight(self, value: Decimal) -> str:
        """A weight in as many decimals as it has, two at least."""
        exponent = value.normalize().as_tuple().exponent
        return self.number(value, max(2, -exponent if isinstance(exponent, int) else 2))

    def share(self, weight: Decimal) -> str:
        """A weight in percent, without idle decimals."""
        percent = (weight * 100).normalize()
        exponent = percent.as_tuple().exponent
        return self.number(percent, max(0, -exponent if isinstance(exponent, int) else 0))

    def signed(self, value: Decimal | int, places: int = 0) -> str:
        """A figure that always shows its sign."""
        return ("+" if value > 0 else "") + self.number(value, places)

    def basis_points(self, value: int) -> str:
        """Hundredths of a percent, as a signed figure of two decimals."""
        return self.signed(Decimal(value).scaleb(-2), 2)

    def range(self, first: int, last: int) -> str:
        """``2–3``, or one number if both are the same."""
        return self.number(first) if first == last else f"{self.number(first)}–{self.number(last)}"

    def exact(self, value: Decimal | int) -> str:
        """A figure of a formula with as many decimals as it has, be they more than a page ever shows."""
        text = f"{value:f}" if isinstance(value, Decimal) else str(value)
        whole, _, decimals = text.removeprefix("-").partition(".")
        sign = "-" if text.startswith("-") else ""
        return sign + self.number(int(whole)) + (get_decimal_symbol(self._locale) + decimals if decimals else "")

    def duration(self, length_us: int) -> str:
        """``5 jam 12 mnt``; whole hours from two days on, seconds only below a minute. Rounded down."""
        hours, rest = divmod(length_us, HOUR_US)
        minutes, seconds = rest // MINUTE_US, rest // SECOND_US
        if not hours and not minutes:
            return self("time.seconds", n=seconds)
        if hours >= MINUTES_SHOWN_BELOW_H or not minutes:
            return self("time.hours", n=self.number(hours))
        tail = self("time.minutes", n=minutes)
        return f"{self('time.hours', n=hours)} {tail}" if hours else tail

    def promise(self, length_us: int) -> str:
        """A promised time in its own unit, wherever it is written: whole days from three on as days, else as a duration."""
        return self("time.days", n=length_us // DAY_US) if in_days(length_us) else self.duration(length_us)

    def against(self, length_us: int, promise_us: int | None) -> str:
        """A length beside a promise, in the unit of that: ``6 hari 14 jam`` where days are promised. Rounded down."""
        days, rest = divmod(length_us, DAY_US)
        if promise_us is None or not days or not in_days(promise_us):
            return self.duration(length_us)
        hours = rest // HOUR_US
        tail = f" {self('time.hours', n=hours)}" if hours else ""
        return self("time.days", n=days) + tail

    def minutes(self, length: int, promise_us: int | None = None) -> str:
        """``100 jam 10 mnt`` of so many minutes: never shortened, so that lengths add up as they are written.

        Beside a promise of days whole days are written as days.
        """
        days, length = divmod(length, 24 * 60) if promise_us is not None and in_days(promise_us) else (0, length)
        hours, rest = divmod(length, 60)
        parts = [self("time.days", n=days)] if days else []
        parts += [self("time.hours", n=self.number(hours))] if hours else []
        if rest or not parts:
            parts.append(self("time.minutes", n=rest))
        return " ".join(parts)

    def span(self, length_us: int) -> str:
        """A wait: in days from three on, since nobody reads 3,186 hours; below that as a duration."""
        days = length_us // DAY_US
        return self("time.days", n=days) if days >= DAYS_FROM else self.duration(length_us)

    def day(self, day: date) -> str:
        """``24 November 2026``."""
        return f"{day.day} {self.months[day.month - 1]} {day.year}"

    def clock(self, instant_us: int) -> str:
        """``10.41.07``."""
        clock = moment_of(instant_us, self.zone).strftime("%H:%M:%S")
        return clock.replace(":", ".") if self.code == "id" else clock

    def moment(self, instant_us: int, *, short: bool = False) -> str:
        """``24 November 2026, 10.41 WIB``; short: ``24 Nov 2026, 10.41.07 WIB``."""
        local = moment_of(instant_us, self.zone)
        clock = local.strftime("%H:%M:%S" if short else "%H:%M")
        clock = clock.replace(":", ".") if self.code == "id" else clock
        month = (self.short_months if short else self.months)[local.month - 1]
        return f"{local.day} {month} {local.year}, {clock} {local.tzname()}"

    def sortable(self, instant_us: int) -> str:
        """``2026-11-24 10:41:07`` in the zone of the pages, in any language, so that a spreadsheet reads it as a time."""
        return moment_of(instant_us, self.zone).replace(tzinfo=None).isoformat(" ", "seconds")

    def period(self, period: Period) -> str:
        """``November 2026``, ``Triwulan IV 2026``, ``Semester II 2026``, ``Tahun 2026``."""
        tail = period.name[5:]
        values: dict[str, Any] = {"year": f"{period.year:04d}"}
        if not tail:
            return self("time.year", **values)
        if tail[0] in "QS":
            ordinal = _ROMAN[tail[1]] if self.code == "id" else tail[1]
            return self("time.quarter" if tail[0] == "Q" else "time.half", n=ordinal, **values)
        return self("time.month", month=self.months[period.first - 1], **values)
