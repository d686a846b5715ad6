"""Persons: the dinas at which a period shows an ASN, and a reading in which the ASN has what counts there alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.periods import parse_period
from projections.reading.reader import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.fold.ledger import Balance
    from domain.periods import Period
    from domain.score.scorecard import Subject


class LimitedSnapshot(Snapshot):
    """A reading in which every ASN has what counts at some dinas alone.

    It has all of one period, and of other months those that show the ASN at one of these dinas.
    """

    def __init__(self, whole: Snapshot, period: Period, dinas: frozenset[str]) -> None:
        queries, cache = whole._queries, whole._cache  # noqa: SLF001 - the same reading, under a limit
        super().__init__(queries.limited(dinas), cache, whole.now_us)
        self.within = dinas
        self._period = period

    def months_of(self, subject: Subject, months: Sequence[str]) -> dict[str, Balance]:
        """The balances of a subject in some months; of an ASN, in those that show it here."""
        if subject.kind == "asn":
            months = [month for month in months if month in self._period.months or self._shows(subject.id, month)]
        return super().months_of(subject, months)

    def _shows(self, asn: str, month: str) -> bool:
        return not self.within.isdisjoint(places_of(self, asn, parse_period(month)))


def places_of(snapshot: Snapshot, asn: str, period: Period) -> frozenset[str]:
    """The dinas at which a period shows an ASN: those of its assignments; if none was ever recorded, those with its facts."""
    stays = snapshot.rulebook.places(asn, period.first_day, period.last_day)
    return snapshot._queries.dinas_of_asn(asn, period.months) if stays is None else stays  # noqa: SLF001 - the same reading
