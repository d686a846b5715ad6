"""The page of one dinas and of one ASN: score, indicators, services, months, and the ASN of a dinas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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

if TYPE_CHECKING:
    from decimal import Decimal

    from api.pages.subject.reasons import Reason
    from api.pages.words import Words
    from domain.periods import Period
    from domain.score.scorecard import Scorecard, Standing
    from domain.score.scoring import IndicatorScore, Score
    from projections.reading.reader import Snapshot
    from projections.reading.why import IndicatorFormula

MONTHS_SHOWN: Final = 12


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


def subject_view(
    snapshot: Snapshot, standing: Standing, period: Period, words: Words, running: str
) -> SubjectView:  # fmt: skip
    """A standing as its page shows it, in a city whose current month is ``running``.

    What one rating would give away is left out as the API leaves it out.
    """
    scheme, score = snapshot.scheme(period), snapshot.score(standing, period)
    card = suppressed(snapshot.card(standing, period), scheme)
    formula = formula_told(standing.balance, score, scheme, card)
    lines = tuple(
        _line(part, exact, why, score, card, words)
        for part, exact, why in zip(
            indicators_of(card, scheme, words), score.indicators, formula.indicators, strict=True
        )
    )
    return SubjectView(
        card, lines, covered_weight(card), number(scheme.min_coverage), _equation(card, words),
        "" if score.value is None else band(score.value), dot(card.iku.value), months_of(snapshot, standing, words),
        chart(snapshot, standing, period, words, running),
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


def months_of(snapshot: Snapshot, standing: Standing, words: Words) -> tuple[MonthRow, ...]:
    """The last months that hold data of anyone, the newest first."""
    rows = []
    for month in snapshot.months()[: -MONTHS_SHOWN - 1 : -1]:
        period = parse_period(month)
        read = snapshot.one_dinas if standing.subject.kind == "dinas" else snapshot.one_asn
        then = read(standing.subject.id, period)
        if then is not None and any(then.balance):
            card = snapshot.card(then, period)
            rows.append(MonthRow(month, words.period(period), card, bar(card.iku.value)))
    return tuple(rows)


def peers_of(snapshot: Snapshot, card: Scorecard, period: Period, words: Words) -> tuple[str, tuple[Dot, ...]]:
    """A dinas's rank among those of its covered set, and where the others of that set stand."""
    ranked = snapshot.ranking(snapshot.dinas(period), period)
    covered = _covered(card)
    peers = [other for other in ranked if other.iku.value is not None and _covered(other) == covered]
    mine = next((other for other in ranked if other.subject == card.subject), card)
    if card.iku.value is None:
        return words("subject.no_rank"), ()
    rank = words("page.of", n=rank_text(mine, words), total=words.number(len(peers)))
    dots = (dot(other.iku.value) for other in peers if other.subject != card.subject)
    return rank, tuple(place for place in dots if place is not None)


def _covered(card: Scorecard) -> tuple[str, ...]:
    return tuple(line.id for line in card.indicators if line.capaian is not None)


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
