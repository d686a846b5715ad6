"""Measures on the pages: their names in words, and single amounts of a balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.measures import INDEX

if TYPE_CHECKING:
    from api.pages.words import Words
    from domain.fold.ledger import Balance
    from domain.rules.scheme import Scheme


def measure_label(measure: str, words: Words) -> str:
    """A measure in words."""
    stem, _, rest = measure.rpartition("_")
    if stem in ("capaian_sum", "capaian_sq") and rest != "none":
        return words(f"measure.{stem}", cap=rest)
    if stem in ("unsur_n", "unsur_sum"):
        return words(f"measure.{stem}_of", unsur=words.named("unsur", rest))
    return words.named("measure", measure)


def amount(balance: Balance, measure: str) -> int:
    """The amount of one measure in a balance."""
    return balance[INDEX[measure]]


def speed_cap(scheme: Scheme) -> str:
    """The cap on the capaian of permits that a scheme sums, as its measure spells it; 120 if it sums none."""
    sums = (part.numerator for part in scheme.indicators if part.numerator.startswith("capaian_sum_"))
    return next(sums, "capaian_sum_120").removeprefix("capaian_sum_")
