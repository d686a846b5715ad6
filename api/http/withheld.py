"""Withholding of an ASN's satisfaction: it is no live figure, but to auditors and the operator."""

import msgspec

from domain.fold.ledger import Balance
from domain.rules.scheme import Scheme
from domain.score.scorecard import IndicatorLine, Scorecard
from domain.score.scoring import Score
from projections.reading.why import Formula, IndicatorFormula, formula_of

_ANSWERS = ("unsur_", "respondent_mean", "overall_s")


def is_answer(measure: str) -> bool:
    """True if a measure adds up the answers of citizens, not their number."""
    return measure.startswith(_ANSWERS)


def is_withheld(card: Scorecard, line: IndicatorLine) -> bool:
    """True if an indicator of an ASN is withheld: one of ratings, by any name, that are not served."""
    return card.published and card.subject.kind == "asn" and line.n is None


def formula_told(balance: Balance, score: Score, scheme: Scheme, card: Scorecard) -> Formula:
    """The arithmetic of a score; of an indicator that is withheld nothing but its target and weight."""
    formula, ids = formula_of(balance, score, scheme), {line.id for line in card.indicators if is_withheld(card, line)}
    return msgspec.structs.replace(
        formula, indicators=tuple(_empty(part) if part.id in ids else part for part in formula.indicators)
    )


def _empty(part: IndicatorFormula) -> IndicatorFormula:
    return msgspec.structs.replace(part, numerator=None, denominator=None, unsur=(), value=None, withheld=True)
