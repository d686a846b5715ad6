"""The public page: what each unit promises and keeps, service by service. Of units and services, never of persons."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.page_views import amount, name_of
from domain.clock import local_date
from domain.measures import INDEX
from domain.scorecard import number
from domain.scoring import mutu, score_of

if TYPE_CHECKING:
    from datetime import tzinfo
    from decimal import Decimal

    from domain.ledger import Balance
    from domain.periods import Period
    from domain.scheme import Scheme
    from projections.reader import Snapshot

LEAST_FILES: Final = 10
"""Below this no share of ten is told: one file more or less would turn it about."""
PROMISE_AT: Final = 70
"""Where the promise stands on the scale of a service's mean time, in percent of its width."""
TENTHS: Final = 10


class Promise(Struct, frozen=True):
    """A service: its promise, the mean time, how many of ten files kept the promise, and what citizens say of it."""

    service: str
    standard_us: int | None
    mean_us: int | None
    permits: int
    timed: int
    on_time: int
    tenths: int | None
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
    timed: int
    on_time: int
    share: int | None
    open: int
    overdue: int
    unpromised: int


def public(snapshot: Snapshot, period: Period, now_us: int, zone: tzinfo) -> Public:
    """Every unit with services in a period."""
    day = min(period.last_day, local_date(now_us, zone))
    scheme = snapshot.scheme(period)
    standings = snapshot.dinas(period)
    units = []
    for number_, standing in enumerate(standings, 1):
        dinas = standing.subject.id
        balances = snapshot.services(dinas, period)
        promises = tuple(
            _promise(service, balance, scheme, standard.us if standard is not None else None)
            for service, balance in sorted(balances.items(), key=lambda pair: (-amount(pair[1], "permits"), pair[0]))
            if service and (amount(balance, "permits") or amount(balance, "respondents"))
            for standard in (snapshot.rulebook.standard(dinas, service, day),)
        )  # fmt: skip
        if promises:
            units.append(Unit(f"u-{number_}", name_of(snapshot, dinas), promises))
    units.sort(key=lambda unit: unit.name)
    every = [promise for unit in units for promise in unit.services]
    permits, timed, on_time = (sum(getattr(one, name) for one in every) for name in ("permits", "timed", "on_time"))
    return Public(
        tuple(units), permits, timed, on_time, _of(100, on_time, timed) if timed else None,
        sum(one.permits_open for one in standings), sum(one.permits_open_overdue for one in standings), permits - timed,
    )  # fmt: skip


def _promise(service: str, balance: Balance, scheme: Scheme, standard_us: int | None) -> Promise:
    permits, timed, on_time = (
        amount(balance, name) for name in ("permits", "permits_with_standard", "permits_on_time")
    )
    mean_us = amount(balance, "permits_elapsed_us") // permits if permits else None
    width = late = None
    if mean_us is not None and standard_us:
        share = Fraction(mean_us, standard_us)
        width, late = f"{float(min(share * PROMISE_AT, Fraction(100))):.2f}", share > 1
    rated = next((part for part in score_of(balance, scheme).indicators if part.indicator.numerator == "ikm"), None)
    ikm = rated.value if rated is not None and rated.sufficient else None
    return Promise(
        service, standard_us, mean_us, permits, timed, on_time,
        _of(TENTHS, on_time, timed) if timed >= LEAST_FILES else None, width, bool(late),
        "" if ikm is None else mutu(ikm), None if ikm is None else number(ikm),
        balance[INDEX["respondents"]], rated.indicator.min_n if rated is not None else 0,
    )  # fmt: skip


def _of(whole: int, part: int, n: int) -> int:
    """A share as so many of ``whole``, half up; all of them only when none is missing, and none only when there is none."""
    told = int(Fraction(whole * part, n) + Fraction(1, 2))
    if part < n:
        told = min(told, whole - 1)
    return max(told, 1) if part else told
