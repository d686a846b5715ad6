"""The page of one dinas and of one ASN: score, indicators, services, months, and the ASN of a dinas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from api.http.withheld import formula_told, suppressed
from api.pages.drawing import Bar, Dot, Indicator, bar, covered_weight, dot, indicators_of, rank_text
from api.pages.subject.reasons import reason_of
from api.pages.trends import Chart, chart
from api.v1.reads import after_cursor, listed, number_after, ranking
from domain.periods import parse_period
from domain.refusal import Refusal
from domain.score.scorecard import number
from domain.score.scoring import band, mutu
from projections.reading import subject as reading

if TYPE_CHECKING:
    from decimal import Decimal

    from api.pages.subject.reasons import Reason
    from api.pages.words import Words
    from domain.periods import Period
    from domain.score.scorecard import Scorecard
    from domain.score.scoring import IndicatorScore, Score
    from projections.reading.reader import Snapshot
    from projections.reading.subject import SubjectReading
    from projections.reading.why import IndicatorFormula


class Line(Struct, frozen=True):
    """An indicator of one subject, with what it adds to the score and why, and its grade where it is an IKM."""

    part: Indicator
    contribution: Decimal | None
    grade: str
    reason: Reason | None


class MonthRow(Struct, frozen=True):
    """One month of a subject."""

    name: str
    label: str
    card: Scorecard
    bar: Bar | None


class Staff(Struct, frozen=True):
    """A page of the ASN of a dinas, by id or by score."""

    cards: tuple[Scorecard, ...]
    first: int
    last: int
    total: int
    next: str | None
    by_score: bool


class SubjectView(Struct, frozen=True):
    """What both pages show of their subject."""

    card: Scorecard
    lines: tuple[Line, ...]
    covered: Decimal
    min_coverage: Decimal
    equation: str
    band: str
    dot: Dot | None
    months: tuple[MonthRow, ...]
    chart: Chart | None


def subject_view(subject: SubjectReading, words: Words, running: str) -> SubjectView:
    """A subject as its page shows it, in a city whose current month is ``running``.

    What one rating would give away is left out as the API leaves it out.
    """
    scheme, score = subject.scheme, subject.score
    card = suppressed(subject.card, scheme)
    formula = formula_told(subject.standing.balance, score, scheme, card)
    lines = tuple(
        _line(part, exact, why, score, card, words)
        for part, exact, why in zip(
            indicators_of(card, scheme, words), score.indicators, formula.indicators, strict=True
        )
    )
    return SubjectView(
        card, lines, covered_weight(card), number(scheme.min_coverage), _equation(card, words),
        "" if score.value is None else band(score.value), dot(card.iku.value), _months(subject, words),
        chart(subject.series, subject.period, words, running),
    )  # fmt: skip


def _line(
    part: Indicator, exact: IndicatorScore, why: IndicatorFormula, score: Score, card: Scorecard, words: Words
) -> Line:  # fmt: skip
    added = (
        None if exact.capaian is None or score.value is None
        else number(exact.indicator.weight * exact.capaian / score.covered)
    )  # fmt: skip
    grade = mutu(exact.value) if part.is_ikm and exact.sufficient and exact.value is not None else ""
    return Line(part, added, grade, reason_of(why, card, added, words))


def _equation(card: Scorecard, words: Words) -> str:
    """The score as the sum it is, in the figures of the page."""
    if card.iku.value is None:
        return ""
    parts = [
        f"{words.weight(line.weight)} × {words.percent(line.capaian)}"
        for line in card.indicators
        if line.capaian is not None
    ]
    covered = covered_weight(card)
    shown = " + ".join(parts)
    return f"{words.percent(card.iku.value)} = " + (shown if covered == 1 else f"({shown}) ÷ {words.weight(covered)}")


def _months(subject: SubjectReading, words: Words) -> tuple[MonthRow, ...]:
    return tuple(
        MonthRow(card.period, words.period(parse_period(card.period)), card, bar(card.iku.value))
        for card in subject.months
    )


def peers_of(snapshot: Snapshot, card: Scorecard, period: Period, words: Words) -> tuple[str, tuple[Dot, ...]]:
    """A dinas's rank among those of its covered set, and where the others of that set stand."""
    if card.iku.value is None:
        return words("subject.no_rank"), ()
    peers = reading.peers_of(snapshot, card, period)
    mine = next((peer for peer in peers if peer.subject == card.subject), card)
    rank = words("page.of", n=rank_text(mine, words), total=words.number(len(peers)))
    dots = (dot(peer.iku.value) for peer in peers if peer.subject != card.subject)
    return rank, tuple(place for place in dots if place is not None)


def staff_of(
    snapshot: Snapshot, dinas: str, period: Period, cursor: str | None, limit: int, *, by_score: bool
) -> Staff:  # fmt: skip
    """A page of the ASN of a dinas, by id, or by rank. Raises: ``Refusal`` for a cursor that is none of this list's."""
    standings = snapshot.asn_of(dinas, period)
    if standings is None:
        raise Refusal("not-found", f"nothing ever named {dinas}")
    page = (ranking if by_score else listed)(snapshot, period, standings, limit, cursor)
    if by_score:
        before = number_after(cursor, "rank")
    else:
        after = after_cursor(cursor, "id")
        before = sum(standing.subject.id <= after for standing in standings)
    first = before + 1 if page.items else 0
    return Staff(tuple(page.items), first, before + len(page.items), len(standings), page.next, by_score)
