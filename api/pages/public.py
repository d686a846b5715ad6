"""The public page: what each unit promises and keeps, service by service. Of units and services, never of persons."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.pages.drawing import amount, anchor_of, name_of
from api.pages.services import service_rows
from domain.capaian import half_up
from domain.score.scorecard import number
from domain.score.scoring import mutu, score_of

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from api.pages.services import ServiceRow
    from domain.fold.ledger import Balance
    from domain.periods import Period
    from domain.rules.scheme import Scheme
    from projections.reading.reader import Snapshot

LEAST_FILES: Final = 10
"""Below this no share of ten is told: one file more or less would turn it about."""
PROMISE_AT: Final = 70
"""Where the promise stands on the scale of a service's mean time, in percent of its width."""
TENTHS: Final = 10


class Promise(Struct, frozen=True):
    """A service, how many of ten files kept its promise, its mean time on a scale, and what citizens say of it.

    ``nearly``: that all did but less than one of ten, or that less than one of ten did.
    """

    row: ServiceRow
    tenths: int | None
    nearly: str
    width: str | None
    late: bool
    grade: str
    ikm: Decimal | None
    respondents: int
    respondents_least: int


class Unit(Struct, frozen=True):
    """A unit with services that were decided or rated in the period."""

    anchor: str
    name: str
    services: tuple[Promise, ...]


class Public(Struct, frozen=True):
    """The page: units by name, and the sums of all their files."""

    units: tuple[Unit, ...]
    permits: int
    on_time: int
    share: int | None
    nearly: str
    open: int
    overdue: int
    unpromised: int
    promise_at: int


def public(snapshot: Snapshot, period: Period, today: date) -> Public:
    """Every unit with services in a period, and what is promised for each on its last day, or today."""
    day, scheme, standings = min(period.last_day, today), snapshot.scheme(period), snapshot.dinas(period)
    counted = snapshot.services_of_every([standing.subject.id for standing in standings], period)
    units = []
    for standing in standings:
        dinas = standing.subject.id
        balances = {
            service: balance for service, balance in counted[dinas].items()
            if service and (amount(balance, "permits") or amount(balance, "respondents"))
        }  # fmt: skip
        rows = service_rows(snapshot, dinas, balances, scheme, day, {})
        if rows:
            promises = tuple(_promise(row, balances[row.id], scheme) for row in rows)
            units.append(Unit(anchor_of(dinas), name_of(snapshot, dinas), promises))
    units.sort(key=lambda unit: unit.name)
    every = [promise.row for unit in units for promise in unit.services]
    permits, timed, on_time = (
        sum(getattr(row, name) for row in every) for name in ("permits", "with_standard", "on_time")
    )
    return Public(
        tuple(units), permits, on_time, _of(100, on_time, timed) if timed else None,
        _nearly(100, on_time, timed) if timed else "",
        sum(one.permits_open for one in standings), sum(one.permits_open_overdue for one in standings), permits - timed,
        PROMISE_AT,
    )  # fmt: skip


def _promise(row: ServiceRow, balance: Balance, scheme: Scheme) -> Promise:
    share = None if row.mean_us is None or not row.standard_us else Fraction(row.mean_us, row.standard_us)
    rated = next((part for part in score_of(balance, scheme).indicators if part.indicator.numerator == "ikm"), None)
    ikm = rated.value if rated is not None and rated.sufficient else None
    tenths = _of(TENTHS, row.on_time, row.with_standard) if row.with_standard >= LEAST_FILES else None
    return Promise(
        row, tenths, "" if tenths is None else _nearly(TENTHS, row.on_time, row.with_standard),
        None if share is None else f"{float(min(share * PROMISE_AT, Fraction(100))):.2f}",
        share is not None and share > 1, "" if ikm is None else mutu(ikm), None if ikm is None else number(ikm),
        amount(balance, "respondents"), rated.indicator.min_n if rated is not None else 0,
    )  # fmt: skip


def _of(whole: int, part: int, n: int) -> int:
    """A share as so many of ``whole``, half up; all of them only when none is missing, and none only when there is none."""
    told = half_up(whole * part, n)
    if part < n:
        told = min(told, whole - 1)
    return max(told, 1) if part else told


def _nearly(whole: int, part: int, n: int) -> str:
    """Where a share rounds to all of ``whole``, or to none, and is not."""
    return {whole: "all", 0: "none"}.get(half_up(whole * part, n), "") if 0 < part < n else ""
