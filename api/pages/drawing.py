"""Marks drawn from scorecards: bars, dots on an axis, and indicators with their bars.

Every figure is one that the API serves; only the place of a mark on its scale is computed here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.http.withheld import is_withheld
from domain.score.scorecard import Rank
from domain.score.scoring import OVERALL_LEAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.pages.words import Words
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import IndicatorLine, Scorecard

TARGET: Final = Decimal(100)
BAR_REACH: Final = Decimal(20)
"""The largest distance from its target that a bar can show; beyond, it is full."""
AXIS: Final = (Decimal(70), Decimal(110))
TAPS: Final = "overall_n"
"""The measure that counts the answers by one tap."""
BELOW, BEYOND = "‹", "›"


class Bar(Struct, frozen=True):
    """The tip of the scales: a rectangle from the target in the middle, to the left or right. In percent of its width."""

    x: str
    width: str
    under: bool


class Dot(Struct, frozen=True):
    """A place on the board's axis from 70 to 110, in percent; ``beyond`` is the end outside of which it lies."""

    x: str
    beyond: str = ""


class Indicator(Struct, frozen=True):
    """One indicator as drawn."""

    id: str
    name: str
    short: str
    unit: str
    line: IndicatorLine
    min_n: int
    is_ikm: bool
    measure: str
    bar: Bar | None
    withheld: bool = False

    @property
    def ok(self) -> bool:
        """True if it has enough data to enter the IKU."""
        return self.line.capaian is not None


def bar(capaian: Decimal | None) -> Bar | None:
    """A capaian as a bar; none without a capaian."""
    if capaian is None:
        return None
    gap = max(min(capaian - TARGET, BAR_REACH), -BAR_REACH)
    width = abs(gap) / (2 * BAR_REACH) * 100
    return Bar(f"{50 - width if gap < 0 else Decimal(50):.2f}", f"{width:.2f}", gap < 0)


def dot(value: Decimal | None) -> Dot | None:
    """A score on the board's axis; a score beyond it is drawn at its end, with a sign."""
    if value is None:
        return None
    low, high = AXIS
    x = (max(min(value, high), low) - low) / (high - low) * 100
    return Dot(f"{x:.2f}", BELOW if value < low else BEYOND if value > high else "")


def indicators_of(card: Scorecard, scheme: Scheme, words: Words) -> tuple[Indicator, ...]:
    """The indicators of a card as drawn, in the order of the scheme."""
    return tuple(
        Indicator(
            indicator.id,
            words.named("indicator", indicator.id),
            _short(indicator.id, words),
            words.named("unit", indicator.denominator),
            line,
            indicator.min_n,
            indicator.numerator == "ikm",
            indicator.denominator,
            bar(line.capaian),
            withheld=is_withheld(card, line),
        )
        for indicator, line in zip(scheme.indicators, card.indicators, strict=True)
    )


def weighs_taps(scheme: Scheme) -> bool:
    """True if a scheme has an indicator of the answers by one tap."""
    return any(indicator.denominator == TAPS for indicator in scheme.indicators)


def has_taps(parts: Sequence[Indicator]) -> bool:
    """True if answers by one tap stand beside a survey: the scheme has satisfaction, and does not weigh them."""
    return any(part.is_ikm for part in parts) and all(part.measure != TAPS for part in parts)


def taps_of(card: Scorecard, parts: tuple[Indicator, ...], words: Words) -> str:
    """The answers by one tap beside the survey: a figure of their own, from the least sample on.

    Empty where there are none, and where they do not stand.
    """
    overall = card.overall
    if not overall.n or not has_taps(parts):
        return ""
    if overall.state == "insufficient":
        return words("board.taps_few", n=words.number(overall.n), least=words.number(OVERALL_LEAST))
    return words("board.taps", value=words.share_of(overall.value), n=words.number(overall.n))


def _short(indicator: str, words: Words) -> str:
    short = words.named("indicator_short", indicator)
    return words.named("indicator", indicator) if short == indicator else short


def rank_text(card: Scorecard, words: Words) -> str:
    """``2``, or ``2–3`` if values are equal; a dash without a rank."""
    return words.range(card.rank.best, card.rank.worst) if isinstance(card.rank, Rank) else "–"


def covered_weight(card: Scorecard) -> Decimal:
    """The weight of the indicators with enough data."""
    return sum((line.weight for line in card.indicators if line.capaian is not None), Decimal(0))
