"""What is withheld of citizens' ratings: one ASN's satisfaction below its sample also names the citizen behind it."""

import msgspec

from domain.fold.ledger import Balance
from domain.rules.scheme import Scheme
from domain.score.scorecard import IndicatorLine, Scorecard
from domain.score.scoring import Score
from projections.reading.why import Formula, IndicatorFormula, formula_of

_ANSWERS = ("unsur_", "respondent_mean", "overall_s")


def is_withheld(card: Scorecard, line: IndicatorLine, scheme: Scheme) -> bool:
    """An ASN's indicator of ratings, whatever it is called, while its sample is too small."""
    rated = any(indicator.id == line.id and indicator.of_ratings for indicator in scheme.indicators)
    return card.subject.kind == "asn" and rated and line.state == "insufficient"


def suppressed(card: Scorecard, scheme: Scheme) -> Scorecard:
    """A scorecard without the values that are withheld."""
    return msgspec.structs.replace(
        card,
        indicators=tuple(
            msgspec.structs.replace(line, value=None) if is_withheld(card, line, scheme) else line
            for line in card.indicators
        ),
    )


def hides_ratings(card: Scorecard, scheme: Scheme) -> bool:
    """Whether an ASN's single ratings stay out of the reasons: unless an indicator of ratings has its sample."""
    rated = {indicator.id for indicator in scheme.indicators if indicator.of_ratings}
    return card.subject.kind == "asn" and not any(line.id in rated and line.state == "ok" for line in card.indicators)


def is_answer(measure: str) -> bool:
    """Whether a measure adds up what citizens said, not how many did."""
    return measure.startswith(_ANSWERS)


def without_answers(balance: dict[str, int]) -> dict[str, int]:
    """A balance that says how many rated, and nothing of what they said."""
    return {name: amount for name, amount in balance.items() if not is_answer(name)}


def formula_told(balance: Balance, score: Score, scheme: Scheme, card: Scorecard) -> Formula:
    """The arithmetic of a score; where single ratings are hidden, its terms of ratings name only the sample."""
    formula = formula_of(balance, score, scheme)
    if not hides_ratings(card, scheme):
        return formula
    rated = {indicator.id for indicator in scheme.indicators if indicator.of_ratings}
    return msgspec.structs.replace(
        formula, indicators=tuple(_only_the_sample(part) if part.id in rated else part for part in formula.indicators)
    )


def _only_the_sample(part: IndicatorFormula) -> IndicatorFormula:
    return msgspec.structs.replace(part, numerator=None, unsur=(), value=None, withheld=True)
