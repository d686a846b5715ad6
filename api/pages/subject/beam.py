"""The beam of a score: an axis that has room for it, the zones of the bands, and the places of its peers.

Every zone is a band of `domain.score.scoring`, so the name under a score is the band that the page states.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.pages.drawing import BEYOND, TARGET
from domain.score.scoring import BANDS

if TYPE_CHECKING:
    from collections.abc import Sequence

LOWS: Final = (Decimal(70), Decimal(30), Decimal(0))
HIGHS: Final = (Decimal(110), Decimal(130))
"""The ends that an axis may have, the nearest first. Without a cap a score has no upper bound: one above lies beyond."""
INSET: Final = Decimal(3)
"""The axis ends so far from the edges of the picture, in percent of its width: there is room for a dot at its end."""
NEAR: Final = Decimal(12)
"""A text whose mark is so near to an edge, in percent of the width, begins or ends there."""
NARROW: Final = Decimal("0.2")
"""A zone with a smaller share of the axis is named on wide screens alone, unless the score is in it."""


class Zone(Struct, frozen=True):
    """A band on the axis: where it begins, and the middle of what is drawn of it, in percent of the picture's width.

    ``cut`` is empty for the first zone drawn, which begins before the axis or with it; ``own`` is true of the zone that
    the score is in.
    """

    band: str
    least: int
    cut: str
    middle: str
    own: bool
    narrow: bool


class Beam(Struct, frozen=True):
    """A score on its axis; places are in percent of the picture's width.

    ``side`` is the side from which the texts at the dot run; ``beyond`` is the sign of a score above the axis.
    """

    low: int
    high: int
    x: str
    side: str
    beyond: str
    target: str
    zones: tuple[Zone, ...]
    peers: tuple[str, ...]


def beam(value: Decimal | None, peers: Sequence[Decimal], band: str) -> Beam | None:
    """The beam of a score in a band, beside the scores of its peers; none without a score."""
    if value is None:
        return None
    least, most = min((value, *peers)), max((value, *peers))
    low = next((end for end in LOWS if end <= least), LOWS[-1])
    high = next((end for end in HIGHS if end >= most), HIGHS[-1])

    def place(figure: Decimal) -> Decimal:
        share = (max(min(figure, high), low) - low) / (high - low)
        return INSET + share * (100 - 2 * INSET)

    x = place(value)
    side = "begin" if x < NEAR else "end" if x > 100 - NEAR else ""
    beyond = BEYOND if value > high else ""
    zones, end = [], high
    for name, limit in BANDS:
        start = max(Decimal(limit), low)
        if start < end:
            middle, cut = f"{place((start + end) / 2):.2f}", f"{place(start):.2f}" if limit > low else ""
            zones.append(Zone(name, limit, cut, middle, name == band, (end - start) / (high - low) < NARROW))
            end = start
    places = tuple(f"{place(peer):.2f}" for peer in peers)
    return Beam(int(low), int(high), f"{x:.2f}", side, beyond, f"{place(TARGET):.2f}", tuple(reversed(zones)), places)
