"""The shared part of the pages of one dinas and of one ASN: score, indicators, counts, months, and their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.http.withheld import formula_told
from api.pages.drawing import Bar, Indicator, bar, covered_weight, indicators_of
from api.pages.subject.reasons import reason_of
from api.pages.tables import Table
from api.pages.trends import Chart, chart
from api.v1.reads import required_reading
from domain.periods import parse_period
from domain.score.scorecard import Subject, number
from domain.score.scoring import band, mutu
from projections.reading.subject import read_subject

if TYPE_CHECKING:
    from decimal import Decimal

    from api.pages.page import PageQuery
    from api.pages.subject.reasons import Reason
    from api.pages.words import Words
    from domain.score.scorecard import Counts, Scorecard, Standing
    from domain.score.scoring import IndicatorScore, Score
    from projections.reading.late import LateKind
    from projections.reading.subject import SubjectReading


LATE_OF: Final = {
    "permits_on_time": "permits_late",
    "tasks_on_time": "tasks_late",
}
"""The count of late ones that stands beside an indicator, by its numerator."""


class LateCount(Struct, frozen=True):
    """The number of late files or tasks; its list is addressed by ``kind``."""

    kind: LateKind
    number: int


class Line(Struct, frozen=True):
    """An indicator of one subject, with its contribution to the score, the reason, and for an IKM its grade.

    ``late`` is the number of files or tasks that were late, if any that it counts were.
    """

    part: Indicator
    contribution: Decimal | None
    grade: str
    reason: Reason | None
    late: LateCount | None


class MonthRow(Struct, frozen=True):
    """One month of a subject."""

    name: str
    label: str
    card: Scorecard
    bar: Bar | None


class SubjectView(Struct, frozen=True):
    """The part of a subject that both pages show."""

    card: Scorecard
    lines: tuple[Line, ...]
    covered: Decimal
    min_coverage: Decimal
    equation: str
    band: str
    months: tuple[MonthRow, ...]
    chart: Chart | None
    late: dict[str, LateCount]


def standing_of(query: PageQuery) -> Standing:
    """The standing of the dinas or the ASN that an address names. Raises: ``Refusal`` if nothing ever named it."""
    dinas = query.path.get("dinas")
    if dinas is not None:
        return required_reading(query.snapshot.one_dinas(dinas, query.period), dinas)
    asn = query.path["asn"]
    return required_reading(query.snapshot.one_asn(asn, query.period), asn)


def reading_of(query: PageQuery) -> SubjectReading:
    """All that a page of a dinas or an ASN rests on, read once. Raises: ``Refusal`` if nothing ever named the subject."""
    dinas = query.path.get("dinas")
    subject = Subject("asn", query.path["asn"]) if dinas is None else Subject("dinas", dinas)
    return required_reading(read_subject(query.snapshot, subject, query.period), subject.id)


def subject_view(subject: SubjectReading, words: Words, running: str) -> SubjectView:
    """A subject as its page shows it; ``running`` is the name of the current month.

    Values that would give one rating away are left out as the API leaves them out.
    """
    scheme, score = subject.scheme, subject.score
    card = subject.card
    formula = formula_told(subject.standing.balance, score, scheme, card)
    lines, late = [], late_counts(card.counts)
    for part, exact, arithmetic in zip(
        indicators_of(card, scheme, words), score.indicators, formula.indicators, strict=True
    ):
        contribution, grade = _contribution(exact, score), _grade(part, exact)
        reason = reason_of(arithmetic, formula.skm_weight, card, contribution, words)
        lines.append(Line(part, contribution, grade, reason, _late_beside(exact.indicator.numerator, late)))
    return SubjectView(
        card,
        tuple(lines),
        covered_weight(card),
        number(scheme.min_coverage),
        _equation(card, words),
        "" if score.value is None else band(score.value),
        _months(subject, words),
        chart(subject.series, subject.period, words, running),
        late,
    )


def late_counts(counts: Counts) -> dict[str, LateCount]:
    """The numbers of late files and of late tasks: those with a promise, less those on time."""
    return {
        "permits_late": LateCount("permits", counts.permits_with_standard - counts.permits_on_time),
        "tasks_late": LateCount("tasks", counts.tasks_with_due - counts.tasks_on_time),
    }


def _late_beside(numerator: str, late: dict[str, LateCount]) -> LateCount | None:
    """The count of late ones that an indicator of time stands for; none where nothing was late."""
    name = "permits_late" if numerator.startswith("capaian_sum_") else LATE_OF.get(numerator)
    return late[name] if name is not None and late[name].number else None


def _contribution(part: IndicatorScore, score: Score) -> Decimal | None:
    """The points that an indicator adds to the score; none if either is unknown."""
    if part.capaian is None or score.value is None:
        return None
    return number(part.indicator.weight * part.capaian / score.covered)


def _grade(part: Indicator, exact: IndicatorScore) -> str:
    return mutu(exact.value) if part.is_ikm and exact.sufficient and exact.value is not None else ""


def _equation(card: Scorecard, words: Words) -> str:
    """The score as a sum, in the figures of the page."""
    if card.iku.value is None:
        return ""
    terms = " + ".join(
        f"{words.weight(line.weight)} × {words.percent(line.capaian)}"
        for line in card.indicators
        if line.capaian is not None
    )
    coverage = covered_weight(card)
    return f"{words.percent(card.iku.value)} = " + (terms if coverage == 1 else f"({terms}) ÷ {words.weight(coverage)}")


def _months(subject: SubjectReading, words: Words) -> tuple[MonthRow, ...]:
    return tuple(
        MonthRow(card.period, words.period(parse_period(card.period)), card, bar(card.iku.value))
        for card in subject.months
    )


def indicators_table(view: SubjectView, words: Words) -> Table:
    """Value, target, capaian, weight and contribution of each indicator."""
    names = ("indicator", "value", "target_head", "capaian", "weight", "contribution")
    return Table(
        [*(words(f"subject.{name}") for name in names), "n"],
        [
            (
                line.part.name,
                line.part.line.value,
                line.part.line.target,
                line.part.line.capaian,
                line.part.line.weight,
                line.contribution,
                line.part.line.n,
            )
            for line in view.lines
        ],
    )


def months_table(view: SubjectView, words: Words) -> Table:
    """Score and counts of each month."""
    names = ("subject.month", "board.score", "subject.permits", "subject.ratings", "subject.tasks")
    rows = [(month.name, month.card.iku.value, month.card.counts) for month in view.months]
    return Table(
        [words(name) for name in names],
        [(name, score, counts.permits, counts.ratings, counts.tasks) for name, score, counts in rows],
    )


def counts_table(view: SubjectView, words: Words) -> Table:
    """Each count of the period by its name."""
    counts = view.card.counts
    numbers = {name: getattr(counts, name) for name in counts.__struct_fields__}
    numbers |= {name: late.number for name, late in view.late.items()}
    return Table(
        (words("csv.what"), words("csv.number")),
        [(words(f"count.{name}"), number) for name, number in numbers.items() if f"count.{name}" in words],
    )
