"""The rank of an ASN within a dinas: shown on their own page alone, to callers who may read about persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from api.http.persons import dinas_shown
from domain.score.scoring import rank_keys

if TYPE_CHECKING:
    from api.pages.words import Words
    from domain.periods import Period
    from projections.reading.reader import Snapshot


class DinasRank(Struct, frozen=True):
    """A dinas that an ASN belongs to, and the ASN's rank in it by what counted there alone."""

    dinas: str
    name: str
    rank: str


def rank_in(snapshot: Snapshot, dinas: str, asn: str, period: Period, words: Words) -> str:
    """``3–5 dari 120`` among those of one covered set, as a ranking would give it; a dash without a score."""
    merit_of = rank_keys(snapshot.scheme(period))
    keys = {other: merit_of(balance) for other, balance in snapshot.asn_balances(dinas, period).items()}
    mine = keys.get(asn)
    if mine is None or mine.hundredths is None:
        return "–"
    peers = [
        key.hundredths for key in keys.values() if key.hundredths is not None and key.covered_set == mine.covered_set
    ]
    best = 1 + sum(value > mine.hundredths for value in peers)
    worst = best - 1 + sum(value == mine.hundredths for value in peers)
    return words("page.of", n=words.range(best, worst), total=words.number(len(peers)))


def dinas_ranks_of(snapshot: Snapshot, asn: str, period: Period, words: Words) -> tuple[DinasRank, ...]:
    """The registered dinas that an ASN is assigned to in a period, with the rank there."""
    rulebook = snapshot.rulebook
    return tuple(
        DinasRank(dinas, rulebook.dinas_name(dinas) or dinas, rank_in(snapshot, dinas, asn, period, words))
        for dinas in (dinas_shown(snapshot) or rulebook.dinas())
        if asn in rulebook.assigned(dinas, period.first_day, period.last_day)
    )
