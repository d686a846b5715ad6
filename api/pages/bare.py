"""A period without any data: the page says so, and leads to the newest period that has some, of the same length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from domain.periods import Period, alike, parse_period

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.pages.periods import Chosen
    from domain.score.scorecard import Standing
    from projections.reading.reader import Snapshot
    from projections.reading.subject import SubjectReading


class Bare(Struct, frozen=True):
    """Why nothing is shown: ``future`` is true of a period that has not begun; ``newest`` is none if no period has data."""

    future: bool
    newest: Period | None
    small: bool
    """True if the period has data, and so few that this caller is shown none of them."""


def bare_city(snapshot: Snapshot, standings: Sequence[Standing], choice: Chosen) -> Bare | None:
    """None if any dinas has data in the period shown."""
    if any(_has_data(standing, choice) for standing in standings):
        return None
    months = (month for month in reversed(snapshot.months()) if _counts_in(snapshot, parse_period(month)))
    left_out = snapshot.services_left_out(
        choice.period
    )  # also of a dinas that stands nowhere, since all of it is left out
    return _bare(choice, next(months, None), small=bool(left_out))


def bare_subject(subject: SubjectReading, choice: Chosen) -> Bare | None:
    """None if a dinas or an ASN has data in the period shown."""
    if _has_data(subject.standing, choice):
        return None
    return _bare(choice, next((card.period for card in subject.months), None), small=bool(subject.standing.left_out))


def _bare(choice: Chosen, newest: str | None, *, small: bool) -> Bare:
    return Bare(choice.future, None if newest is None else alike(choice.period, newest), small)


def _has_data(standing: Standing, choice: Chosen) -> bool:
    """Open files are of now, so they are data of the running period alone."""
    return any(standing.balance) or (choice.running and standing.permits_open > 0)


def _counts_in(snapshot: Snapshot, month: Period) -> bool:
    return any(any(standing.balance) for standing in snapshot.dinas(month))
