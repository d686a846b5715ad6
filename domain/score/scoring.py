"""Scores: pure functions of a balance and a scheme, in exact fractions. Only a grade is rounded here.

Sources: IKM and its grades, PermenPANRB 14/2017; capaian and its bands, Permendagri 86/2017 (DOMAIN §2, §3, §5).
"""

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Final

from msgspec import Struct

from domain.capaian import half_up
from domain.fold.ledger import Balance, zero
from domain.measures import BASIS_POINTS, INDEX, UNSUR
from domain.rules.scheme import Indicator, Scheme

REMEMBERED: Final = 16_384
"""Rank keys kept for each scheme: between two rankings nearly all balances of a large dinas stay the same."""

OVERALL_LEAST: Final = 30
"""The number of answers to a single question below which their mean is insufficient: that of `contoh-2026`'s surveys."""

BANDS: Final = (("sangat_tinggi", 91), ("tinggi", 76), ("sedang", 66), ("rendah", 51), ("sangat_rendah", 0))
"""The bands of a capaian, each with its least percent, the highest first."""

_UNSUR_INDEX: Final = tuple((INDEX[f"unsur_n_{unsur}"], INDEX[f"unsur_sum_{unsur}"]) for unsur in UNSUR)


class IndicatorScore(Struct, frozen=True):
    """An indicator's value and capaian in percent, exact; ``capaian`` is ``None`` below the minimum sample."""

    indicator: Indicator
    value: Fraction | None
    capaian: Fraction | None
    n: int

    @property
    def sufficient(self) -> bool:
        """Enough data to enter the IKU."""
        return self.capaian is not None


class Score(Struct, frozen=True):
    """An IKU in percent over the covered weight; ``value`` is ``None`` while the coverage is too small."""

    indicators: tuple[IndicatorScore, ...]
    value: Fraction | None
    covered: Fraction


class RankKey(Struct, frozen=True):
    """The key by which a score is ranked: its value as served, its covered weight, and the indicators with enough data.

    The value counts in hundredths of a percent, so that scores that read the same are equal. Only subjects with the
    same covered indicators are ranked together.
    """

    hundredths: int | None
    covered: Fraction
    covered_set: tuple[int, ...]


def ikm(balance: Balance, weight: Fraction) -> Fraction | None:
    """IKM = 25 · Σ w · NRR over the nine unsur; undefined while an unsur has no answer."""
    if any(balance[n] <= 0 for n, _ in _UNSUR_INDEX):
        return None
    return 25 * weight * sum((Fraction(balance[score], balance[n]) for n, score in _UNSUR_INDEX), Fraction(0))


def overall(balance: Balance) -> Fraction | None:
    """The mean of answers to a single question, each 100·r/m percent of its scale m; ``None`` without an answer."""
    n = balance[INDEX["overall_n"]]
    return Fraction(balance[INDEX["overall_sum"]], 100 * n) if n > 0 else None


def value_of(indicator: Indicator, balance: Balance, skm_weight: Fraction) -> Fraction | None:
    """An indicator's value in percent; ``None`` when nothing was measured."""
    if indicator.numerator == "ikm":
        return ikm(balance, skm_weight)
    n = balance[INDEX[indicator.denominator]]
    if n <= 0:
        return None
    ratio = Fraction(balance[INDEX[indicator.numerator]], n)
    return ratio / 100 if indicator.numerator in BASIS_POINTS else ratio * 100


def capaian_of(indicator: Indicator, value: Fraction) -> Fraction:
    """A/T x 100 when higher is better, (2T - A)/T x 100 when lower is; floored at 0, then capped."""
    effective = value if indicator.direction == "higher" else 2 * indicator.target - value
    capaian = max(effective / indicator.target * 100, Fraction(0))
    return capaian if indicator.cap is None else min(capaian, Fraction(indicator.cap))


def score_of(balance: Balance, scheme: Scheme) -> Score:
    """IKU = Σ w·capaian / Σ w over the indicators with enough data; a missing part is not zero, and is not hidden."""
    parts = tuple(_part(indicator, balance, scheme) for indicator in scheme.indicators)
    enough = [(part.indicator.weight, part.capaian) for part in parts if part.capaian is not None]
    coverage = sum((weight for weight, _ in enough), Fraction(0))
    if not enough or coverage < scheme.min_coverage:
        return Score(parts, None, coverage)
    return Score(parts, sum((weight * capaian for weight, capaian in enough), Fraction(0)) / coverage, coverage)


@lru_cache(maxsize=4)
def rank_keys(scheme: Scheme) -> Callable[[Balance], RankKey]:
    """A function from a balance to its rank key, cached by the measures that the scheme reads."""
    measures_read = sorted({index for indicator in scheme.indicators for index in _read_by(indicator)})

    @lru_cache(maxsize=REMEMBERED)
    def remembered(amounts: tuple[int, ...]) -> RankKey:
        balance = zero()
        for index, amount in zip(measures_read, amounts, strict=True):
            balance[index] = amount
        score = score_of(balance, scheme)
        covered_set = tuple(place for place, part in enumerate(score.indicators) if part.sufficient)
        value = None if score.value is None else hundredths(score.value)
        return RankKey(value, score.covered, covered_set)

    return lambda balance: remembered(tuple(map(balance.__getitem__, measures_read)))


def _read_by(indicator: Indicator) -> tuple[int, ...]:
    """The measures that an indicator is computed from."""
    if indicator.numerator == "ikm":
        return (*(index for pair in _UNSUR_INDEX for index in pair), INDEX[indicator.denominator])
    return INDEX[indicator.numerator], INDEX[indicator.denominator]


def _part(indicator: Indicator, balance: Balance, scheme: Scheme) -> IndicatorScore:
    n = balance[INDEX[indicator.denominator]]
    value = value_of(indicator, balance, scheme.skm_weight)
    enough = value is not None and n >= indicator.min_n
    return IndicatorScore(indicator, value, capaian_of(indicator, value) if enough and value is not None else None, n)


def hundredths(value: Fraction) -> int:
    """The edge: a percentage rounds half-up to 2 decimals, here as an integer of hundredths."""
    return half_up(value.numerator * 100, value.denominator)


def mutu(ikm_value: Fraction) -> str:
    """The SKM grade of an index rounded to 2 decimals: A from 88.31, B from 76.61, C from 65.00, else D."""
    ikm_hundredths = hundredths(ikm_value)
    return next((grade for grade, least in (("A", 8831), ("B", 7661), ("C", 6500)) if ikm_hundredths >= least), "D")


def band(capaian: Fraction) -> str:
    """The band of a capaian: from 91 sangat tinggi, 76 tinggi, 66 sedang, 51 rendah, else sangat rendah."""
    capaian_hundredths = hundredths(capaian)
    return next((name for name, least in BANDS if capaian_hundredths >= 100 * least), BANDS[-1][0])
