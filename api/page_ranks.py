"""Where an ASN stands among those of a dinas: only there, only for who may read of persons, and after their own trend."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from domain.scoring import score_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from api.page_text import Words
    from domain.periods import Period
    from domain.scheme import Scheme
    from projections.reader import Snapshot

REMEMBERED: Final = 16_384
"""Of a dinas of ten thousand, nearly all balances are what they were when somebody last asked."""


Scored = tuple["Fraction | None", tuple[str, ...]]


class Place(Struct, frozen=True):
    """A dinas an ASN belongs to, and the ASN's rank in it: by what counted there alone."""

    dinas: str
    name: str
    rank: str


@lru_cache(maxsize=4)
def _scored(scheme: Scheme) -> Callable[[tuple[int, ...]], Scored]:
    """The scores of one scheme: itself looked up once for ten thousand balances."""

    @lru_cache(maxsize=REMEMBERED)
    def scored(balance: tuple[int, ...]) -> Scored:
        score = score_of(list(balance), scheme)
        return score.value, score.covered_set

    return scored


def rank_in(snapshot: Snapshot, dinas: str, asn: str, period: Period, words: Words) -> str:
    """``3–5 dari 120`` among those of one covered set, as a ranking would give it; a dash without a score."""
    score = _scored(snapshot.scheme(period))
    scored = {s.subject.id: score(tuple(s.balance)) for s in snapshot.asn_of(dinas, period) or ()}
    mine, covered = scored.get(asn, (None, ()))
    if mine is None:
        return "–"
    peers = [value for value, theirs in scored.values() if value is not None and theirs == covered]
    best = 1 + sum(value > mine for value in peers)
    return words(
        "page.of", n=words.range(best, best - 1 + sum(value == mine for value in peers)), total=words.number(len(peers))
    )


def places_of(snapshot: Snapshot, asn: str, period: Period, words: Words) -> tuple[Place, ...]:
    """The registered dinas an ASN is assigned to in a period, with the rank there."""
    rulebook = snapshot.rulebook
    return tuple(
        Place(dinas, rulebook.dinas_name(dinas) or dinas, rank_in(snapshot, dinas, asn, period, words))
        for dinas in rulebook.dinas()
        if asn in rulebook.assigned(dinas, period.first_day, period.last_day)
    )
