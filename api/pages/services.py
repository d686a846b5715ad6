"""The services of a dinas: the promise for each, how it is kept, and the files of it that are open now."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from api.http.problems import bad_query
from api.pages.drawing import Bar, bar
from api.pages.measures import amount, speed_cap
from api.pages.tables import LISTED, Table, hours
from domain.fold.ledger import total, zero
from domain.score.scorecard import number
from projections.store.open_files import NONE_OPEN, Open

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from decimal import Decimal

    from api.pages.words import Words
    from domain.fold.ledger import Balance
    from domain.periods import Period
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import Standing
    from projections.reading.reader import Snapshot


DIGITS_MOST: Final = 9


class ServiceRow(Struct, frozen=True):
    """A service of a dinas, or all of them."""

    id: str
    standard_us: int | None
    open: int
    overdue: int
    received: int
    permits: int
    rejected: int | None
    with_standard: int
    on_time: int
    on_time_share: Decimal | None
    mean_us: int | None
    capaian_n: int
    capaian: Decimal | None
    bar: Bar | None
    left_out: bool = False
    """True if the public is not shown all of its permits, since some month has fewer than ten."""

    @property
    def decided(self) -> int | None:
        """The number of permits decided; ``None`` if none of them is shown."""
        return None if self.left_out and not self.permits else self.permits

    @property
    def timed(self) -> int | None:
        """The number of permits with a promise; ``None`` if none of them is shown."""
        return None if self.left_out and not self.with_standard else self.with_standard


class Services(Struct, frozen=True):
    """The services of a dinas with permits, their total, and the cap and the day that they are shown for."""

    rows: tuple[ServiceRow, ...]
    total: ServiceRow
    cap: str
    day: date
    left_out: int
    """The number of services of which the public is not shown all permits."""


class ListedServices(Struct, frozen=True):
    """The part of the services that a page lists; ``next`` is the number of those before the part after it."""

    rows: tuple[ServiceRow, ...]
    first: int
    next: int | None


def listed_of(services: Services, text: str) -> ListedServices:
    """A part of the services, from a number of those before it on. Raises: ``Refusal``."""
    if text and not (text.isascii() and text.isdigit() and len(text) <= DIGITS_MOST):
        raise bad_query("layanan", "is none of this list's")
    first = int(text or 0)
    last = first + LISTED
    return ListedServices(services.rows[first:last], first, last if len(services.rows) > last else None)


def services_of(snapshot: Snapshot, standing: Standing, period: Period, today: date) -> Services:
    """The services that received or decided a permit in the period, or have open files now; the busiest first."""
    day, dinas, scheme = min(period.last_day, today), standing.subject.id, snapshot.scheme(period)
    open_files, sums = snapshot.open_by_service(dinas), snapshot.services(dinas, period)
    active = {
        name for name, balance in sums.items() if name and (amount(balance, "permits") or amount(balance, "received"))
    }
    balances = {name: sums.get(name) or zero() for name in active.union(open_files)}
    left_out = snapshot.services_left_out(period, dinas).get(dinas, set())
    rows = service_rows(snapshot, dinas, balances, scheme, day, open_files)
    rows = tuple(replace(row, left_out=row.id in left_out) for row in rows)
    whole = _service(
        "", total(balances.values()), scheme, None, Open(standing.permits_open, standing.permits_open_overdue)
    )
    hides = standing.hides_rejected
    rows = tuple(replace(row, rejected=None) if hides or row.decided is None else row for row in rows)
    whole = replace(whole, rejected=None) if hides else whole
    return Services(rows, whole, speed_cap(scheme), day, len(left_out - {""}))


def service_rows(
    snapshot: Snapshot,
    dinas: str,
    balances: Mapping[str, Balance],
    scheme: Scheme,
    day: date,
    open_files: Mapping[str, Open],
) -> tuple[ServiceRow, ...]:
    """Services of a dinas from their balances, the busiest first, with the promise for each on a day."""
    rows = []
    for service, balance in sorted(balances.items(), key=lambda pair: (-amount(pair[1], "permits"), pair[0])):
        standard = snapshot.rulebook.standard(dinas, service, day)
        promise_us = None if standard is None else standard.us
        rows.append(_service(service, balance, scheme, promise_us, open_files.get(service, NONE_OPEN)))
    return tuple(rows)


def _service(service: str, balance: Balance, scheme: Scheme, standard_us: int | None, files: Open) -> ServiceRow:
    permits, with_standard, n = (amount(balance, name) for name in ("permits", "permits_with_standard", "capaian_n"))
    on_time, capaian_sum = amount(balance, "permits_on_time"), amount(balance, f"capaian_sum_{speed_cap(scheme)}")
    capaian = number(Fraction(capaian_sum, 100 * n)) if n else None
    return ServiceRow(
        service,
        standard_us,
        files.files,
        files.overdue,
        amount(balance, "received"),
        permits,
        amount(balance, "permits_rejected"),
        with_standard,
        on_time,
        number(Fraction(100 * on_time, with_standard)) if with_standard else None,
        amount(balance, "permits_elapsed_us") // permits if permits else None,
        n,
        capaian,
        bar(capaian),
    )


def services_table(services: Services, words: Words) -> Table:
    """Each service with its promise and how it was kept."""
    names = (
        "service",
        "standard_hours",
        "open",
        "overdue",
        "received",
        "decided",
        "rejected",
        "mean_hours",
        "on_time",
        "of_timed",
        "mean_capaian",
    )
    rows = [
        (
            row.id,
            hours(row.standard_us),
            row.open,
            row.overdue,
            row.received,
            row.decided,
            row.rejected,
            hours(row.mean_us),
            None if row.timed is None else row.on_time,
            row.timed,
            row.capaian,
        )
        for row in services.rows
    ]
    return Table([words(f"csv.{name}") for name in names], rows)
