"""The arithmetic of a score in one line, made from its parts: as the API answers it, or as a page writes it."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final

from msgspec import Struct

from api.v1.answers import FormulaAnswer, IndicatorAnswer, WhyAnswer
from domain.measures import BASIS_POINTS
from projections.reading.why import Formula, IndicatorFormula, Term, Why


class Notation(Struct, frozen=True):
    """The notation of numbers, and the few words a line may need."""

    figure: Callable[[Decimal | int], str]
    no_data: str
    withheld: str
    covered_weight: str


API: Final = Notation(str, "belum ada data", "tidak ditampilkan", "bobot tercakup")


def indicator_line(part: IndicatorFormula, skm_weight: Fraction, notation: Notation) -> str:
    """The arithmetic from an indicator's balances to its value, and from the value to its capaian."""
    write = notation.figure
    if part.withheld:
        return notation.withheld
    if part.value is None or part.denominator is None:
        return notation.no_data
    too_few = f"n = {write(part.denominator.balance)} < {write(part.min_n)}"
    value, target = write(part.value), write(part.target)
    equation = f"{_value(part.numerator, part.denominator, skm_weight, write)} = {value}"
    if part.capaian is None:
        return f"{equation}; {too_few}"
    ratio = f"{value} / {target}" if part.direction == "higher" else f"(2 × {target} − {value}) / {target}"
    return f"{equation}; {ratio} × 100 = {write(part.capaian)}"


def _value(top: Term | None, below: Term, skm_weight: Fraction, write: Callable[[Decimal | int], str]) -> str:
    if top is None:
        over = "" if skm_weight.denominator == 1 else f"/{write(skm_weight.denominator)}"
        return f"25 × {write(skm_weight.numerator)}{over} × Σ NRR"
    ratio = f"{write(top.balance)} / {write(below.balance)}"
    return f"{ratio} / 100" if top.measure in BASIS_POINTS else f"{ratio} × 100"


def score_line(formula: Formula, notation: Notation) -> str:
    """The arithmetic from the capaian of the indicators with enough data to the score."""
    write = notation.figure
    coverage = write(formula.covered_weight)
    if formula.iku is None:
        return f"{notation.covered_weight} {coverage} < {write(formula.min_coverage)}"
    terms = " + ".join(
        f"{write(part.weight)} × {write(part.capaian)}" for part in formula.indicators if part.capaian is not None
    )
    return f"({terms}) / {coverage} = {write(formula.iku)}"


def why_answer(why: Why) -> WhyAnswer:
    """The reasons of a scorecard as the API answers them."""
    formula = why.formula
    answer = FormulaAnswer(
        tuple(_indicator_answer(part, indicator_line(part, formula.skm_weight, API)) for part in formula.indicators),
        str(formula.skm_weight),
        formula.min_coverage,
        formula.covered_weight,
        score_line(formula, API),
    )
    return WhyAnswer(
        why.subject, why.period, why.position, why.scheme, why.scorecard, why.balance, answer, why.events, why.next
    )


def _indicator_answer(part: IndicatorFormula, expression: str) -> IndicatorAnswer:
    return IndicatorAnswer(
        part.id,
        part.numerator,
        part.denominator,
        part.unsur,
        part.direction,
        part.target,
        part.cap,
        part.min_n,
        part.weight,
        part.value,
        part.capaian,
        expression,
    )
