"""Twelve months as drawn: the line in a row of the board, and the chart of one subject. A month without a score is a gap.

All lines of one board share one scale. A hollow last point means that its month still runs.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from domain.periods import months_until
from domain.score.scorecard import number
from domain.score.scoring import score_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from api.pages.words import Words
    from domain.periods import Period
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import Scorecard
    from projections.reading.reader import Snapshot

MONTHS: Final = 12
LEAST_SPAN: Final = Decimal(10)
"""A scale never spans less, so that a wobble of a point does not look like a fall."""
TARGET: Final = Decimal(100)
SPARK_WIDTH, SPARK_HEIGHT, SPARK_EDGE = Decimal(70), Decimal(16), Decimal(3)
LEFT, RIGHT, TOP, BOTTOM = Decimal(34), Decimal(410), Decimal(16), Decimal(176)
STEPS: Final = (2, 5, 10, 20, 50, 100)
LINES_MOST: Final = 6
BESIDE: Final = RIGHT + 10
"""The column right of the chart, where the target and the value of the last month are named."""
APART: Final = Decimal(14)
"""The least distance between the two names in it, from middle to middle: a line of text."""
BETWEEN: Final = 2
"""A way from one month to another needs so many months."""

Values = tuple[Decimal | None, ...]


class Scale(Struct, frozen=True):
    """The lowest and the highest figure a drawing has room for."""

    low: Decimal
    high: Decimal

    def share(self, value: Decimal) -> Decimal:
        """The height of a value, from 0 to 1."""
        return (value - self.low) / (self.high - self.low)


class Point(Struct, frozen=True):
    """A month that has a score."""

    x: str
    y: str
    label: str
    title: str
    running: bool


class Spark(Struct, frozen=True):
    """The months of a row: the line, its end, and a label in words."""

    path: str
    x: str
    y: str
    running: bool
    label: str


class Tick(Struct, frozen=True):
    """A line of the grid, or a month beneath it."""

    at: str
    text: str


class Name(Struct, frozen=True):
    """The place of a text: right of the chart, or ``above`` a point inside it."""

    x: str
    y: str
    above: bool = False


class Chart(Struct, frozen=True):
    """The months of a subject: grid, target, line and points; ``since`` is the month before and the change from it.

    ``target_name`` and ``last_name`` are the places of the two names, of the target and of the last value.
    """

    grid: tuple[Tick, ...]
    months: tuple[Tick, ...]
    target: str
    target_name: Name
    last_name: Name
    path: str
    points: tuple[Point, ...]
    label: str
    summary: str
    since: tuple[str, str] | None


@lru_cache(maxsize=8192)
def _value(balance: tuple[int, ...], scheme: Scheme) -> Decimal | None:
    """The score of a month. It never changes but for running months, and a board asks for all of them each time."""
    value = score_of(list(balance), scheme).value
    return None if value is None else number(value)


def trends(snapshot: Snapshot, period: Period) -> dict[str, Values]:
    """The scores of every dinas, by dinas, in the twelve months that end with the last month of a period."""
    months = months_until(period, MONTHS)
    balances = snapshot.months_of_dinas(months)
    schemes = [snapshot.scheme(month) for month in months]
    return {
        dinas: tuple(
            None if (balance := by_month.get(month.name)) is None else _value(tuple(balance), scheme)
            for month, scheme in zip(months, schemes, strict=True)
        )
        for dinas, by_month in balances.items()
    }


def scale_of(values: Iterable[Decimal | None]) -> Scale:
    """A scale of ten points at least that has room for all figures."""
    figures = [value for value in values if value is not None]
    low, high = min(figures, default=TARGET), max(figures, default=TARGET)
    missing = max(LEAST_SPAN - (high - low), Decimal(0)) / 2
    return Scale(low - missing, high + missing)


def spark(values: Values, scale: Scale, words: Words, *, running: bool) -> Spark | None:
    """The line of a row; none if no month has a score."""
    step = (SPARK_WIDTH - 2 * SPARK_EDGE) / max(1, len(values) - 1)
    tall = SPARK_HEIGHT - 2 * SPARK_EDGE
    places = [
        None if value is None else (SPARK_EDGE + index * step, SPARK_HEIGHT - SPARK_EDGE - scale.share(value) * tall)
        for index, value in enumerate(values)
    ]
    points = [(place, value) for place, value in zip(places, values, strict=True) if place and value is not None]
    if not points:
        return None
    (x, y), last = points[-1]
    label = words("trend.spark", first=words.percent(points[0][1]), last=words.percent(last), n=len(points))
    return Spark(_path(places), f"{x:.1f}", f"{y:.1f}", running and values[-1] is not None, label)


def chart(series: Sequence[Scorecard], period: Period, words: Words, running: str) -> Chart | None:
    """The twelve months of a subject; none if no month has a score. ``running`` is the name of the current month."""
    months = months_until(period, MONTHS)
    values = tuple(card.iku.value for card in series)
    figures = [value for value in values if value is not None]
    if not figures:
        return None
    grid, scale = _grid([*figures, TARGET], words)
    xs = [LEFT + index * (RIGHT - LEFT) / max(1, len(months) - 1) for index in range(len(months))]
    places = [None if value is None else (x, _y(value, scale)) for x, value in zip(xs, values, strict=True)]
    columns = list(zip(months, places, values, strict=True))
    whole = [(month, value) for month, _, value in columns if value is not None and month.name != running]
    target_name, last_name = _names(_y(TARGET, scale), next(place for place in reversed(places) if place is not None))
    return Chart(
        grid,
        tuple(Tick(f"{x:.1f}", words.short_months[month.first - 1]) for x, month in zip(xs, months, strict=True)),
        f"{_y(TARGET, scale):.1f}",
        target_name,
        last_name,
        _path(places),
        tuple(_point(month, place, value, words, running) for month, place, value in columns if place),
        words(
            "trend.said",
            first_month=words.period(months[0]),
            last_month=words.period(months[-1]),
            first=words.percent(figures[0]),
            last=words.percent(figures[-1]),
            n=len(figures),
        ),
        _summary(whole, words),
        _since(months, values, period, words),
    )


def _names(target: Decimal, last: tuple[Decimal, Decimal]) -> tuple[Name, Name]:
    """The names of the target and of the last value: beside their marks, moved apart where these lie close together.

    Both give way alike, unless one would leave the chart. In a year that ends without a score, the last value is named
    above its point.
    """
    x, y = last
    if x < RIGHT:
        return Name(f"{BESIDE}", f"{target:.1f}"), Name(f"{x:.1f}", f"{y:.1f}", above=True)
    upper, lower = min(y, target), max(y, target)
    missing = max(APART - (lower - upper), Decimal(0))
    upper, lower = upper - missing / 2, lower + missing / 2
    excess = max(lower - BOTTOM, Decimal(0)) if missing else Decimal(0)
    upper, lower = upper - excess, lower - excess
    y, target = (upper, lower) if y <= target else (lower, upper)
    return Name(f"{BESIDE}", f"{target:.1f}"), Name(f"{BESIDE}", f"{y:.1f}")


def _point(month: Period, place: tuple[Decimal, Decimal], value: Decimal | None, words: Words, running: str) -> Point:
    x, y = place
    text = words.percent(value)
    return Point(f"{x:.1f}", f"{y:.1f}", text, f"{words.period(month)}: {text}", month.name == running)


def _since(months: Sequence[Period], values: Values, period: Period, words: Words) -> tuple[str, str] | None:
    """The month before a month, and the change of the score since; none for a longer period, or if one has no score."""
    last, before = values[-1], values[-2]
    if period.first != period.last or last is None or before is None:
        return None
    return words.period(months[-2]), words.signed(last - before, 2)


def _summary(whole: Sequence[tuple[Period, Decimal]], words: Words) -> str:
    """The score's course from the first to the last whole month; empty while there are not two."""
    if len(whole) < BETWEEN:
        return ""
    (first_month, first), (last_month, last) = whole[0], whole[-1]
    key = "trend.rose" if last > first else "trend.fell" if last < first else "trend.stayed"
    return words(
        key,
        first_month=words.period(first_month),
        first=words.percent(first),
        last_month=words.period(last_month),
        last=words.percent(last),
        gap=words.percent(abs(last - first)),
    )


def _y(value: Decimal, scale: Scale) -> Decimal:
    return BOTTOM - scale.share(value) * (BOTTOM - TOP)


def _grid(values: Sequence[Decimal], words: Words) -> tuple[tuple[Tick, ...], Scale]:
    """Whole figures around all values, as a hand would choose them: few enough to read."""
    near = scale_of(values)
    step = next((step for step in STEPS if (near.high - near.low) / step <= LINES_MOST), STEPS[-1])
    low = int((near.low / step).to_integral_value(ROUND_FLOOR)) * step
    high = int((near.high / step).to_integral_value(ROUND_CEILING)) * step
    scale = Scale(Decimal(low), Decimal(high))
    lines = range(low, high + 1, step)
    return tuple(Tick(f"{_y(Decimal(line), scale):.1f}", words.number(line)) for line in lines), scale


def _path(places: Sequence[tuple[Decimal, Decimal] | None]) -> str:
    """Straight lines between known neighbours; a lone month is a dot without length."""
    strokes, pen = [], False
    for index, place in enumerate(places):
        if place is None:
            pen = False
            continue
        strokes.append(f"{'L' if pen else 'M'}{place[0]:.1f} {place[1]:.1f}")
        follows = index + 1 < len(places) and places[index + 1] is not None
        if not pen and not follows:
            strokes.append("h.01")
        pen = True
    return "".join(strokes)
