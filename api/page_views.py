"""What the pages show, drawn from one snapshot: rows and parts whose figures are the API's own."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from msgspec import Struct

from domain.ledger import Balance
from domain.measures import INDEX
from domain.periods import Period, parse_period
from domain.scorecard import IndicatorLine, Scorecard, number
from domain.scoring import Score, band, mutu
from projections.reader import Snapshot

TARGET: Final = 100
REACH: Final = 20
HOUR_US: Final = 3_600_000_000


class Bar(Struct, frozen=True):
    """The tip of a pair of scales: ±20 around the target in the middle, in percent of the drawing's width."""

    x: str
    width: str
    under: bool


def bar(capaian: Decimal | None) -> Bar | None:
    """A capaian drawn around its target; nothing without one."""
    if capaian is None:
        return None
    reach = Decimal(REACH)
    off = max(-reach, min(reach, capaian - TARGET))
    length = abs(off) * 50 / REACH
    return Bar(f"{50 - length if off < 0 else Decimal(50):.1f}%", f"{length:.1f}%", off < 0)


class BoardRow(Struct, frozen=True):
    """A dinas on the board."""

    card: Scorecard
    name: str
    bars: tuple[tuple[IndicatorLine, Bar | None], ...]
    missing: tuple[IndicatorLine, ...]


class BoardGroup(Struct, frozen=True):
    """Rows ranked among themselves: one covered set, or those without a value."""

    missing: tuple[str, ...]
    ranked: bool
    rows: tuple[BoardRow, ...]


def board(snapshot: Snapshot, period: Period) -> list[BoardGroup]:
    """Every dinas, in the groups in which ranks compare."""
    groups: dict[tuple[bool, tuple[str, ...]], list[BoardRow]] = {}
    for card in snapshot.ranking(snapshot.dinas(period), period):
        row = _row(card, named_dinas(snapshot, card.subject.id))
        ranked = card.iku.value is not None
        key = (ranked, tuple(line.id for line in row.missing) if ranked else ())
        groups.setdefault(key, []).append(row)
    return [BoardGroup(missing, ranked, tuple(rows)) for (ranked, missing), rows in groups.items()]


def named_dinas(snapshot: Snapshot, dinas: str) -> str:
    """A dinas by its registered name, or its id."""
    return snapshot.rulebook.dinas_name(dinas) or dinas


def _row(card: Scorecard, name: str) -> BoardRow:
    bars = tuple((line, bar(line.capaian)) for line in card.indicators)
    return BoardRow(card, name, bars, tuple(line for line in card.indicators if line.capaian is None))


def shown_period(snapshot: Snapshot, current: Period) -> tuple[Period, bool]:
    """The running month, or the last full one while the running one is thin; whether it is thin.

    Thin: fewer than half as many dinas have a score as in the last full month.
    """
    known = [month for month in snapshot.months() if month < current.name]
    if not known:
        return current, False
    last = parse_period(known[-1])
    now = sum(snapshot.score(standing, current).value is not None for standing in snapshot.dinas(current))
    then = sum(snapshot.score(standing, last).value is not None for standing in snapshot.dinas(last))
    return (last, True) if 2 * now < then else (current, False)


def offered(months: Iterable[str], current: str) -> tuple[list[Period], list[Period]]:
    """The periods a reader can choose: months, newest first, then quarters, half-years and years that hold one."""
    known = sorted({*months, current}, reverse=True)
    longer: dict[str, Period] = {}
    for month in known:
        year, number_ = month[:4], int(month[5:])
        for name in (f"{year}-Q{(number_ + 2) // 3}", f"{year}-S{(number_ + 5) // 6}", year):
            longer.setdefault(name, parse_period(name))
    return [parse_period(month) for month in known], list(longer.values())


class ServiceRow(Struct, frozen=True):
    """A service of a dinas: decided permits, their mean time in hours, share on time and mean capaian in percent."""

    name: str
    permits: int
    with_standard: int
    on_time: int
    rejected: int
    mean_hours: Decimal | None
    on_time_share: Decimal | None
    capaian: Decimal | None
    bar: Bar | None


def service_rows(services: dict[str, Balance]) -> list[ServiceRow]:
    """The services with a decided permit, busiest first."""
    rows = [_service(name, balance) for name, balance in services.items() if name and balance[INDEX["permits"]] > 0]
    return sorted(rows, key=lambda row: (-row.permits, row.name))


def _service(name: str, balance: Balance) -> ServiceRow:
    permits, judged, n = (balance[INDEX[m]] for m in ("permits", "permits_with_standard", "capaian_n"))
    capaian = number(Fraction(balance[INDEX["capaian_sum_120"]], n * 100)) if n > 0 else None
    share = number(Fraction(100 * balance[INDEX["permits_on_time"]], judged)) if judged > 0 else None
    return ServiceRow(
        name, permits, judged, balance[INDEX["permits_on_time"]], balance[INDEX["permits_rejected"]],
        number(Fraction(balance[INDEX["permits_elapsed_us"]], permits * HOUR_US)), share, capaian, bar(capaian),
    )  # fmt: skip


class Parts(Struct, frozen=True):
    """A score in its parts, for its own page."""

    card: Scorecard
    lines: tuple[tuple[IndicatorLine, Bar | None, Decimal | None], ...]
    band: str | None
    grade: str | None
    covered: Decimal


def parts(card: Scorecard, score: Score) -> Parts:
    """A scorecard with what each indicator contributes: its weight times its capaian over the covered weight."""
    lines = []
    for line, part in zip(card.indicators, score.indicators, strict=True):
        counted = score.value is not None and part.capaian is not None
        share = part.indicator.weight * part.capaian / score.covered if counted and part.capaian is not None else None
        lines.append((line, bar(line.capaian), None if share is None else number(share)))
    satisfaction = next(
        (part for part in score.indicators if part.indicator.numerator == "ikm" and part.sufficient), None
    )
    grade = mutu(satisfaction.value) if satisfaction is not None and satisfaction.value is not None else None
    return Parts(
        card, tuple(lines), None if score.value is None else band(score.value), grade, number(score.covered * 100)
    )


def is_running(period: Period, today: date) -> bool:
    """Whether a period has not ended yet."""
    return period.last_day >= today
