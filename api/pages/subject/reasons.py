"""The reason of an indicator: a sentence without a formula, and the arithmetic from its counts to its contribution."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.pages.drawing import covered_weight
from api.pages.measures import measure_label
from api.pages.sentences import notation_of
from api.v1.formulas import indicator_line
from domain.measures import BASIS_POINTS
from domain.score.scorecard import number

if TYPE_CHECKING:
    from decimal import Decimal

    from api.pages.words import Words
    from domain.score.scorecard import Scorecard
    from projections.reading.why import IndicatorFormula, UnsurTerm

IN_TIME: Final = {
    ("permits_on_time", "permits_with_standard"): "reason.permits",
    ("tasks_on_time", "tasks_with_due"): "reason.tasks",
}
"""The shares in time, and the sentence for each."""
AS_PROMISED: Final = 100


class Reason(Struct, frozen=True):
    """The reason of an indicator that enters the score, as a sentence and as arithmetic."""

    sentence: str
    arithmetic: str


def reason_of(
    part: IndicatorFormula, skm_weight: Fraction, card: Scorecard, contribution: Decimal | None, words: Words
) -> Reason | None:
    """Why an indicator adds its contribution; none without enough data, since then nothing more may be shown."""
    if part.capaian is None or part.denominator is None:
        return None
    coverage = covered_weight(card)
    share = "" if coverage == 1 else f" ÷ {words.weight(coverage)}"
    share_text = f"{words.weight(part.weight)} × {words.percent(part.capaian)}{share} = {words.percent(contribution)}"
    arithmetic = indicator_line(part, skm_weight, notation_of(words))
    return Reason(_sentence(part, card, words), arithmetic if contribution is None else f"{arithmetic}; {share_text}")


def _sentence(part: IndicatorFormula, card: Scorecard, words: Words) -> str:
    below = part.denominator
    assert below is not None, "a part with a capaian has one"  # noqa: S101 - for the type checker
    n = below.balance
    if part.numerator is None:
        return words("reason.ikm", n=n, mean=words.percent(_mean(part.unsur)))
    top, measure = part.numerator.balance, part.numerator.measure
    if measure.startswith("capaian_sum_"):
        rest = _in_time("reason.permits", card.counts.permits_on_time, card.counts.permits_with_standard, words)
        return words(f"reason.{_pace(part.value)}", rest=rest)
    if (measure, below.measure) in IN_TIME:
        return _in_time(IN_TIME[measure, below.measure], top, n, words)
    unit = words.named("unit", below.measure, n=n)
    if measure in BASIS_POINTS:
        return words("reason.mean", n=n, unit=unit)
    return words("reason.share", top=top, what=measure_label(measure, words), n=n, unit=unit)


def _pace(mean: Decimal | None) -> str:
    """The mean capaian of time compared with the standard, by its two decimals."""
    gap = 0 if mean is None else mean - AS_PROMISED
    return "faster" if gap > 0 else "slower" if gap < 0 else "even"


def _mean(unsur: tuple[UnsurTerm, ...]) -> Decimal:
    """The mean of all NRR, on their scale of 1 to 4."""
    return number(sum((Fraction(term.sum, term.n) for term in unsur), Fraction(0)) / len(unsur))


def _in_time(key: str, on_time: int, of: int, words: Words) -> str:
    if on_time == of:
        return words(f"{key}_all", n=of)
    return words(key, on_time=on_time, n=of, late=of - on_time)
