"""Withholding of citizens' ratings: the satisfaction with one ASN below its sample would name the citizen behind it."""

import msgspec

from domain.fold.ledger import Balance
from domain.rules.scheme import Scheme
from domain.score.scorecard import IndicatorLine, Scorecard
from domain.score.scoring import OVERALL_LEAST, Score
from projections.reading.why import Formula, IndicatorFormula, formula_of

_ANSWERS = ("unsur_", "respondent_mean", "overall_s")


def is_withheld(card: Scorecard, line: IndicatorLine, scheme: Scheme) -> bool:
    """True if an indicator is withheld: one of ratings of an ASN, by any name, while its sample is too small."""
    of_ratings = any(indicator.id == line.id and indicator.of_ratings for indicator in scheme.indicators)
    return card.subject.kind == "asn" and of_ratings and line.state == "insufficient"


def suppressed(card: Scorecard, scheme: Scheme) -> Scorecard:
    """A scorecard without the values that are withheld."""
    few_taps = card.subject.kind == "asn" and card.overall.state == "insufficient"
    return msgspec.structs.replace(
        card,
        overall=msgspec.structs.replace(card.overall, value=None) if few_taps else card.overall,
        indicators=tuple(
            msgspec.structs.replace(line, value=None) if is_withheld(card, line, scheme) else line
            for line in card.indicators
        ),
    )


def hides_ratings(card: Scorecard, scheme: Scheme) -> bool:
    """True if the single ratings of an ASN stay out of the reasons.

    They do while no indicator of ratings has its sample, and while surveys or answers to a single question are too few:
    thirty surveys do not make one tap on a face anonymous.
    """
    ids = {indicator.id for indicator in scheme.indicators if indicator.of_ratings}
    lines = [line for line in card.indicators if line.id in ids]
    few = any(0 < n < OVERALL_LEAST for n in (card.overall.n, card.counts.ratings - card.overall.n))
    few = few or any(line.n and line.state == "insufficient" for line in lines)
    return card.subject.kind == "asn" and (few or not any(line.state == "ok" for line in lines))


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
