"""One subject, read in one statement and scored once: its period, its last twelve months, and its peers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from domain.periods import months_until, parse_period

if TYPE_CHECKING:
    from domain.periods import Period
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import Scorecard, Standing, Subject
    from domain.score.scoring import Score
    from projections.reading.reader import Snapshot

MONTHS: Final = 12


class SubjectReading(Struct, frozen=True):
    """A dinas or an ASN in a period: its standing, score and card, and its months.

    ``series``: the twelve months that end with the period's last, oldest first, each under the scheme of its month.
    ``months``: of the last twelve months in which anyone has data, those in which this subject has some, newest first.
    """

    standing: Standing
    period: Period
    scheme: Scheme
    score: Score
    card: Scorecard
    series: tuple[Scorecard, ...]
    months: tuple[Scorecard, ...]


def read_subject(snapshot: Snapshot, subject: Subject, period: Period) -> SubjectReading | None:
    """All that a subject's page shows; ``None`` when nothing ever named the subject."""
    series, recent = months_until(period, MONTHS), snapshot.months()[-MONTHS:]
    names = {*recent, *period.months, *(month.name for month in series)}
    balances = snapshot.months_of(subject, sorted(names))
    standing = snapshot.standing_of(subject, period, [balances[name] for name in period.months if name in balances])
    if standing is None:
        return None
    cards: dict[str, Scorecard] = {}

    def card(month: Period) -> Scorecard:
        if month.name not in cards:
            then = snapshot.in_month(standing, month, balances.get(month.name))
            cards[month.name] = snapshot.card(then, month)
        return cards[month.name]

    score = snapshot.score(standing, period)
    return SubjectReading(
        standing,
        period,
        snapshot.scheme(period),
        score,
        snapshot.card(standing, period, score),
        tuple(map(card, series)),
        tuple(card(parse_period(name)) for name in reversed(recent) if any(balances.get(name, ()))),
    )


def covered_set(card: Scorecard) -> tuple[str, ...]:
    """The indicators that a score rests on; only subjects that rest on the same ones are ranked together."""
    return tuple(line.id for line in card.indicators if line.capaian is not None)


def peers_of(snapshot: Snapshot, card: Scorecard, period: Period) -> list[Scorecard]:
    """The ranked cards of all dinas that rest on the same indicators as a dinas's card, its own among them."""
    own = covered_set(card)
    return [
        peer for peer in snapshot.ranking_of_dinas(period) if peer.iku.value is not None and covered_set(peer) == own
    ]
