"""The public page: the promises of each unit, service by service, and how they are kept. It never tells of persons."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, ClassVar, Final, Self

from msgspec import Struct

from api.pages.bare import bare_city
from api.pages.links import anchor_of
from api.pages.measures import amount
from api.pages.page import AddressedPage
from api.pages.sentences import name_of
from api.pages.services import service_rows
from api.pages.tables import LISTED, Table, hours
from domain.capaian import half_up
from domain.score.scorecard import number
from domain.score.scoring import OVERALL_LEAST, mutu, overall, score_of

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from api.pages.bare import Bare
    from api.pages.page import PageQuery
    from api.pages.services import ServiceRow
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.fold.ledger import Balance
    from domain.periods import Period
    from domain.rules.scheme import Scheme
    from projections.reading.reader import Snapshot

LEAST_FILES: Final = 10
"""Fewer files have no share of ten: one file more or less would change it too much."""
PROMISE_AT: Final = 70
"""The place of the promise on the scale of mean times, in percent of its width."""
TENTHS: Final = 10


class Promise(Struct, frozen=True):
    """A service: the share of its files that kept the promise, its mean time on a scale, and the citizens' rating.

    ``nearly``: whether almost all, or almost none of ten did.
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
    impression: Decimal | None
    taps: int


class Unit(Struct, frozen=True):
    """A unit with services that were decided or rated in the period."""

    id: str
    anchor: str
    name: str
    services: tuple[Promise, ...]

    @property
    def listed(self) -> tuple[Promise, ...]:
        """The services that the page lists; the unit's own page lists the others."""
        return self.services[:LISTED]

    @property
    def rest(self) -> int | None:
        """The number of services before the first that is not listed; ``None`` if all are."""
        return LISTED if len(self.services) > LISTED else None


class Public(Struct, frozen=True):
    """All units by name, and the sums of their files."""

    units: tuple[Unit, ...]
    permits: int
    on_time: int
    share: int | None
    nearly: str
    open: int
    overdue: int
    unpromised: int
    promise_at: int
    left_out: int
    """The services of which fewer than ten files of a month are left out; no sum holds these."""


class PublicPage(AddressedPage, frozen=True):
    """The promises of all units and how they are kept."""

    template: ClassVar[str] = "public.html"
    shared: ClassVar[bool] = True
    lifetime_s: ClassVar[float] = 1.0

    public: Public
    bare: Bare | None

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """All units in the period of an address."""
        snapshot, period = query.snapshot, query.period
        bare = bare_city(snapshot, snapshot.dinas(period), query.chosen)
        return cls(public(snapshot, period, query.today), bare)

    def tables(self, words: Words) -> Tables:
        """Every service of every unit."""
        return {"public": lambda: _table(self.public, words)}


def public(snapshot: Snapshot, period: Period, today: date) -> Public:
    """Every unit with services in a period, with the promise for each on its last day, or today."""
    day, scheme, standings = min(period.last_day, today), snapshot.scheme(period), snapshot.dinas(period)
    balances_of = snapshot.services_of_every([standing.subject.id for standing in standings], period)
    units, left_out = [], snapshot.services_left_out(period)
    for standing in standings:
        dinas = standing.subject.id
        balances = {
            service: balance
            for service, balance in balances_of[dinas].items()
            if service and any(amount(balance, measure) for measure in ("permits", "respondents", "overall_n"))
        }
        rows = service_rows(snapshot, dinas, balances, scheme, day, {})
        if rows:
            promises = tuple(_promise(row, balances[row.id], scheme) for row in rows)
            units.append(Unit(dinas, anchor_of(dinas), name_of(snapshot, dinas), promises))
    units.sort(key=lambda unit: unit.name)
    every = [promise.row for unit in units for promise in unit.services]
    permits, with_promise, on_time = (
        sum(getattr(row, name) for row in every) for name in ("permits", "with_standard", "on_time")
    )
    return Public(
        tuple(units),
        permits,
        on_time,
        _of(100, on_time, with_promise) if with_promise else None,
        _nearly(100, on_time, with_promise) if with_promise else "",
        sum(standing.permits_open for standing in standings),
        sum(standing.permits_open_overdue for standing in standings),
        permits - with_promise,
        PROMISE_AT,
        sum(len(services - {""}) for services in left_out.values()),
    )


def _promise(row: ServiceRow, balance: Balance, scheme: Scheme) -> Promise:
    share = None if row.mean_us is None or not row.standard_us else Fraction(row.mean_us, row.standard_us)
    ikm_part = next((part for part in score_of(balance, scheme).indicators if part.indicator.numerator == "ikm"), None)
    ikm = ikm_part.value if ikm_part is not None and ikm_part.sufficient else None
    impression, taps = overall(balance), amount(balance, "overall_n")
    tenths = _of(TENTHS, row.on_time, row.with_standard) if row.with_standard >= LEAST_FILES else None
    return Promise(
        row,
        tenths,
        "" if tenths is None else _nearly(TENTHS, row.on_time, row.with_standard),
        None if share is None else f"{float(min(share * PROMISE_AT, Fraction(100))):.2f}",
        share is not None and share > 1,
        "" if ikm is None else mutu(ikm),
        None if ikm is None else number(ikm),
        amount(balance, "respondents"),
        ikm_part.indicator.min_n if ikm_part is not None else 0,
        number(impression) if impression is not None and taps >= OVERALL_LEAST else None,
        taps,
    )


def _of(whole: int, part: int, n: int) -> int:
    """A share as a number of ``whole``, half up; all only if none is missing, and none only if there is none."""
    share = half_up(whole * part, n)
    if part < n:
        share = min(share, whole - 1)
    return max(share, 1) if part else share


def _nearly(whole: int, part: int, n: int) -> str:
    """``all`` or ``none`` if a share rounds to that and is not that; else empty."""
    return {whole: "all", 0: "none"}.get(half_up(whole * part, n), "") if 0 < part < n else ""


def _table(page: Public, words: Words) -> Table:
    names = (
        "board.agency",
        "csv.service",
        "csv.standard_hours",
        "csv.mean_hours",
        "csv.on_time",
        "csv.of_timed",
        "csv.ikm",
        "csv.grade",
        "csv.respondents",
        "csv.impression",
        "csv.taps",
    )
    rows = [(unit.name, promise, promise.row) for unit in page.units for promise in unit.services]
    return Table(
        [words(name) for name in names],
        [
            (
                unit,
                row.id,
                hours(row.standard_us),
                hours(row.mean_us),
                row.on_time,
                row.with_standard,
                promise.ikm,
                promise.grade,
                promise.respondents,
                promise.impression,
                promise.taps,
            )
            for unit, promise, row in rows
        ],
    )
