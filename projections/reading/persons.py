"""Persons: the dinas at which a period shows an ASN, a reading in which the ASN has what counts there alone, and the ASN's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from domain.periods import parse_period
from domain.score.scorecard import Subject
from projections.reading.reader import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from domain.fold.ledger import Balance
    from domain.periods import Period
    from domain.score.scorecard import Standing


class LimitedSnapshot(Snapshot):
    """A reading in which every ASN has what counts at some dinas alone.

    It has all of one period, and of other months those that show the ASN at one of these dinas.
    """

    def __init__(self, whole: Snapshot, period: Period, dinas: frozenset[str]) -> None:
        queries, cache, now_us = whole.parts
        super().__init__(queries.limited(dinas), cache, now_us)
        self.within = dinas
        self._period = period

    def months_of(self, subject: Subject, months: Sequence[str]) -> dict[str, Balance]:
        """The balances of a subject in some months; of an ASN, in those that show it here."""
        if subject.kind == "asn":
            months = [month for month in months if month in self._period.months or self._shows(subject.id, month)]
        return super().months_of(subject, months)

    def _shows(self, asn: str, month: str) -> bool:
        """True if a month shows an ASN here. One without assignments it shows by its facts: without any it adds nothing."""
        period = parse_period(month)
        stays = self.rulebook.places(asn, period.first_day, period.last_day)
        return stays is None or not self.within.isdisjoint(stays)


class OwnSnapshot(Snapshot):
    """A reading of what is published, in which an ASN is told how many of the published ratings name them, and no more of them."""

    def __init__(self, published: Snapshot, asn: str) -> None:
        super().__init__(*published.parts)
        self._own = Subject("asn", asn)
        self._numbers: dict[str, int] = {}

    def months_of(self, subject: Subject, months: Sequence[str]) -> dict[str, Balance]:
        """The balances of a subject in some months; with those of the ASN come the numbers of ratings."""
        if subject == self._own:
            self._number(months)
        return super().months_of(subject, months)

    def standing_of(self, subject: Subject, period: Period, balances: Iterable[Balance]) -> Standing | None:
        """A subject's standing from its balances; that of the ASN has the number."""
        standing = super().standing_of(subject, period, balances)
        return None if standing is None else self._told(standing, period)

    def in_month(self, standing: Standing, month: Period, balance: Balance | None) -> Standing:
        """The same in another month."""
        return self._told(super().in_month(standing, month, balance), month)

    def _told(self, standing: Standing, period: Period) -> Standing:
        return replace(standing, naming=self._number(period.months)) if standing.subject == self._own else standing

    def _number(self, months: Sequence[str]) -> int:
        missing = [month for month in months if month not in self._numbers]
        self._numbers |= self.naming(self._own.id, missing) if missing else {}
        return sum(self._numbers[month] for month in months)


def places_of(snapshot: Snapshot, asn: str, period: Period) -> frozenset[str]:
    """The dinas at which a period shows an ASN: those of its assignments; if none was ever recorded, those with its facts."""
    stays = snapshot.rulebook.places(asn, period.first_day, period.last_day)
    return snapshot.dinas_of_asn(asn, period) if stays is None else stays
