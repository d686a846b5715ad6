"""Withholding of citizens' ratings: the satisfaction with one ASN below its sample would name the citizen behind it."""

import msgspec

from domain.fold.ledger import Balance
from domain.rules.scheme import Scheme
from domain.score.scorecard import IndicatorLine, Scorecard
from domain.score.scoring import Score
from projections.reading.why import Formula, IndicatorFormula, formula_of

_ANSWERS = ("unsur_", "respondent_mean", "overall_s")


def is_withheld(card: Scorecard, line: IndicatorLine, scheme: Scheme) -> bool:
    """True if an indicator is withheld: one of ratings of an ASN, by any name, while its sample is too small."""
    of_ratings = any(indicator.id == line.id and indicator.of_ratings for indicator in scheme.indicators)
    return card.subject.kind == "asn" and of_ratings and line.state == "insufficient"


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
    """True if the single ratings of an ASN stay out of the reasons: they do while no indicator of ratings has its sample."""
    ids = {indicator.id for indicator in scheme.indicators if indicator.of_ratings}
    return card.subject.kind == "asn" and not any(line.id in ids and line.state == "ok" for line in card.indicators)


def is_answer(measure: str) -> bool:
    """True if a measure adds up the answers of citizens, not their number."""
    return measure.startswith(_ANSWERS)


def without_answers(balance: dict[str, int]) -> dict[str, int]:
    """A balance with the number of ratings, and without the answers."""
    return {name: amount for name, amount in balance.items() if not is_answer(name)}


def formula_told(balance: Balance, score: Score, scheme: Scheme, card: Scorecard) -> Formula:
    """The arithmetic of a score; while single ratings are hidden, its terms of ratings have only the sample."""
    formula = formula_of(balance, score, scheme)
    if not hides_ratings(card, scheme):
        return formula
    ids = {indicator.id for indicator in scheme.indicators if indicator.of_ratings}
    return msgspec.structs.replace(
        formula, indicators=tuple(_only_the_sample(part) if part.id in ids else part for part in formula.indicators)
    )


def _only_the_sample(part: IndicatorFormula) -> IndicatorFormula:
    return msgspec.structs.replace(part, numerator=None, unsur=(), value=None, withheld=True)
