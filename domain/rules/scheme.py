"""A scheme: the indicators, weights, caps and minimum samples by which balances become a score. Versioned data.

`contoh-2026` is an example, built in, in force for all time before the first `scheme-adopted`.
"""

import re
from datetime import date
from fractions import Fraction
from typing import Final, Literal

from msgspec import Struct

from domain.events.submitted import SchemeAdopted
from domain.measures import BASIS_POINTS, CAPS, COUNTS
from domain.refusal import Fault

MOST_N: Final = 1_000_000
"""The largest minimum sample a scheme may ask for: more than a city has."""

_DECIMAL = re.compile(r"\d{1,12}(\.\d{1,12})?", re.ASCII)
_RATIO = re.compile(r"\d{1,9}/0*[1-9]\d{0,8}", re.ASCII)


class Indicator(Struct, frozen=True):
    """A measure ratio judged against a target in percent; ``weight`` is its share of the IKU."""

    id: str
    numerator: str
    denominator: str
    direction: Literal["higher", "lower"]
    target: Fraction
    cap: int | None
    min_n: int
    weight: Fraction

    @property
    def of_ratings(self) -> bool:
        """True if it measures citizens' answers, or their number: a value of too few would give a single one away."""
        return any(
            measure == "ikm" or measure.startswith(("unsur_", "respondent", "overall_"))
            for measure in (self.numerator, self.denominator)
        )


class Scheme(Struct, frozen=True):
    """Indicators whose weights sum to 1, the weight of an unsur, and the least weight an IKU must cover."""

    id: str
    indicators: tuple[Indicator, ...]
    skm_weight: Fraction
    min_coverage: Fraction


CONTOH_2026: Final = Scheme(
    id="contoh-2026",
    indicators=(
        Indicator("kecepatan", "capaian_sum_120", "capaian_n", "higher", Fraction(100), 120, 30, Fraction(4, 10)),
        Indicator("kepuasan", "ikm", "respondents", "higher", Fraction(8831, 100), 120, 30, Fraction(3, 10)),
        Indicator(
            "ketepatan_waktu", "tasks_on_time", "tasks_with_due", "higher", Fraction(100), 120, 10, Fraction(3, 10)
        ),
    ),
    skm_weight=Fraction(1, 9),
    min_coverage=Fraction(6, 10),
)


def decimal(text: str) -> Fraction:
    """A decimal string is an exact fraction. Raises: ``ValueError`` for any other text."""
    if not _DECIMAL.fullmatch(text):
        message = 'must be a decimal string such as "0.4"'
        raise ValueError(message)
    return Fraction(text)


def weight_of_unsur(text: str) -> Fraction:
    """A decimal string or a ratio such as ``1/9``. Raises: ``ValueError`` for any other text."""
    if _RATIO.fullmatch(text):
        return Fraction(text)
    try:
        return decimal(text)
    except ValueError:
        message = 'must be a decimal string such as "0.11", or a ratio such as "1/9"'
        raise ValueError(message) from None


def scheme_of(data: SchemeAdopted) -> Scheme:
    """The scheme an event announces. Raises: ``ValueError`` when a number is not one; see ``faults_of``."""
    return Scheme(
        id=data.scheme,
        indicators=tuple(
            Indicator(
                id=indicator.id,
                numerator=indicator.numerator,
                denominator=indicator.denominator,
                direction=indicator.direction,
                target=decimal(indicator.target),
                cap=indicator.cap,
                min_n=indicator.min_n,
                weight=decimal(indicator.weight),
            )
            for indicator in data.indicators
        ),
        skm_weight=weight_of_unsur(data.skm_weight),
        min_coverage=decimal(data.min_coverage),
    )


def faults_of(data: SchemeAdopted) -> list[Fault]:
    """Everything that keeps an announced scheme from scoring, each with its field."""
    faults: list[Fault] = []
    numbers = [
        ("/data/skm_weight", data.skm_weight, weight_of_unsur),
        ("/data/min_coverage", data.min_coverage, decimal),
    ]
    for index, indicator in enumerate(data.indicators):
        at = f"/data/indicators/{index}"
        numbers += [(f"{at}/target", indicator.target, decimal), (f"{at}/weight", indicator.weight, decimal)]
        faults += _indicator_faults(at, indicator.numerator, indicator.denominator, indicator.cap, indicator.min_n)
    for pointer, text, parse in numbers:
        try:
            parse(text)
        except ValueError as error:
            faults.append(Fault(pointer, str(error)))
    return faults or _sum_faults(scheme_of(data))


def _indicator_faults(at: str, numerator: str, denominator: str, cap: int | None, min_n: int) -> list[Fault]:
    faults = []
    if numerator != "ikm" and numerator not in COUNTS | BASIS_POINTS:
        faults.append(
            Fault(f"{at}/numerator", "must be ikm, or a measure of unit count or bp (docs/reference/digest.md)")
        )
    if denominator not in COUNTS:
        faults.append(Fault(f"{at}/denominator", "must be a measure of unit count (docs/reference/digest.md)"))
    if numerator == "ikm" and denominator != "respondents":
        faults.append(Fault(f"{at}/denominator", "of ikm must be respondents"))
    if cap not in CAPS:
        faults.append(Fault(f"{at}/cap", "must be 100, 110, 120 or null"))
    elif numerator.startswith("capaian_sum_") and numerator != f"capaian_sum_{'none' if cap is None else cap}":
        faults.append(Fault(f"{at}/cap", f"must be the cap that {numerator} names"))
    if not 1 <= min_n <= MOST_N:
        faults.append(Fault(f"{at}/min_n", f"must be 1 to {MOST_N}"))
    return faults


def _sum_faults(scheme: Scheme) -> list[Fault]:
    faults = []
    if not scheme.indicators:
        faults.append(Fault("/data/indicators", "must name at least one indicator"))
    elif sum(indicator.weight for indicator in scheme.indicators) != 1:
        faults.append(Fault("/data/indicators", "weights must sum to exactly 1"))
    ids = [indicator.id for indicator in scheme.indicators]
    if len(set(ids)) != len(ids):
        faults.append(Fault("/data/indicators", "each id must be named once"))
    for index, indicator in enumerate(scheme.indicators):
        if indicator.target == 0:
            faults.append(Fault(f"/data/indicators/{index}/target", "must be more than 0"))
        if indicator.weight == 0:
            faults.append(Fault(f"/data/indicators/{index}/weight", "must be more than 0"))
    if not 0 < scheme.skm_weight <= 1:
        faults.append(Fault("/data/skm_weight", "must be more than 0 and at most 1"))
    if not 0 < scheme.min_coverage <= 1:
        faults.append(Fault("/data/min_coverage", "must be more than 0 and at most 1"))
    return faults


def month_start(day: date) -> bool:
    """Schemes begin with a month, so that no month is scored by two."""
    return day.day == 1
