"""What the pages draw of scorecards: indicators with their bars, and the board of all dinas.

No figure is made here that the API does not serve, but for the place of a mark on its scale.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.http.withheld import is_withheld
from api.pages.trends import Scale, Spark, scale_of, spark, trends
from domain.measures import INDEX
from domain.score.scorecard import Rank

if TYPE_CHECKING:
    from api.pages.words import Words
    from domain.periods import Period
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import IndicatorLine, Scorecard, Standing
    from projections.reading.reader import Snapshot

TARGET: Final = Decimal(100)
BAR_REACH: Final = Decimal(20)
"""How far from its target a bar tells differences apart; beyond, it is full."""
AXIS: Final = (Decimal(70), Decimal(110))
BELOW, BEYOND = "‹", "›"
OVERDUE_SHOWN: Final = 8


class Bar(Struct, frozen=True):
    """The tip of the scales: a rectangle that begins or ends at the target in the middle. In percent of its width."""

    x: str
    width: str
    under: bool


class Dot(Struct, frozen=True):
    """A place on the axis from 70 to 110, in percent; ``beyond`` says which end it lies outside of."""

    x: str
    beyond: str = ""


class Indicator(Struct, frozen=True):
    """One indicator as drawn; ``weight`` and ``covered`` give its contribution."""

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
        """Enough data to enter the IKU."""
        return self.line.capaian is not None


class Row(Struct, frozen=True):
    """A dinas on the board."""

    anchor: str
    name: str
    card: Scorecard
    indicators: tuple[Indicator, ...]
    rank: str
    dot: Dot | None
    missing: str
    spark: Spark | None


class Group(Struct, frozen=True):
    """Dinas that are ranked among themselves, or not at all; ``title`` says why they stand apart."""

    title: str
    rows: tuple[Row, ...]


class Overdue(Struct, frozen=True):
    """A dinas whose open files are past their standard."""

    id: str
    name: str
    overdue: int
    open: int


class Board(Struct, frozen=True):
    """The board: groups of rows, the city's scales, and what is overdue."""

    groups: tuple[Group, ...]
    heads: tuple[Indicator, ...]
    scheme: Scheme
    weights: str
    size: int
    below: int
    at: int
    above: int
    overdue: tuple[Overdue, ...]
    scale: Scale


def bar(capaian: Decimal | None) -> Bar | None:
    """A capaian as a bar; none where there is no capaian."""
    if capaian is None:
        return None
    gap = max(min(capaian - TARGET, BAR_REACH), -BAR_REACH)
    width = abs(gap) / (2 * BAR_REACH) * 100
    return Bar(f"{50 - width if gap < 0 else Decimal(50):.2f}", f"{width:.2f}", gap < 0)


def dot(value: Decimal | None) -> Dot | None:
    """A score on the axis; at its end, with a sign, when it lies beyond."""
    if value is None:
        return None
    low, high = AXIS
    x = (max(min(value, high), low) - low) / (high - low) * 100
    return Dot(f"{x:.2f}", BELOW if value < low else BEYOND if value > high else "")


def indicators_of(card: Scorecard, scheme: Scheme, words: Words) -> tuple[Indicator, ...]:
    """A card's indicators as drawn, in the order of the scheme."""
    return tuple(
        Indicator(
            said.id, words.named("indicator", said.id), _short(said.id, words), words.named("unit", said.denominator),
            line, said.min_n, said.numerator == "ikm", said.denominator, bar(line.capaian),
            withheld=is_withheld(card, line, scheme),
        )
        for said, line in zip(scheme.indicators, card.indicators, strict=True)
    )  # fmt: skip


def _short(indicator: str, words: Words) -> str:
    short = words.named("indicator_short", indicator)
    return words.named("indicator", indicator) if short == indicator else short


def rank_text(card: Scorecard, words: Words) -> str:
    """``2``, or ``2–3`` where values are equal; a dash without a rank."""
    return words.range(card.rank.best, card.rank.worst) if isinstance(card.rank, Rank) else "–"


def _known(parts: tuple[Indicator, ...], words: Words) -> str:
    """What is known of a subject that has no score: the indicators with enough data."""
    return ", ".join(
        words("board.known", name=part.short, value=words.percent(part.line.capaian), n=words.number(part.line.n))
        for part in parts if part.ok
    )  # fmt: skip


def missing_of(parts: tuple[Indicator, ...], words: Words) -> str:
    """What each insufficient indicator has, and how much it needs."""
    return ", ".join(
        words("board.missing", unit=part.unit, n=words.number(part.line.n), least=words.number(part.min_n))
        if part.line.n < part.min_n else words("board.missing_unsur", name=part.name)
        for part in parts if not part.ok
    )  # fmt: skip


def covered_weight(card: Scorecard) -> Decimal:
    """The weight of the indicators with enough data."""
    return sum((line.weight for line in card.indicators if line.capaian is not None), Decimal(0))


def name_of(snapshot: Snapshot, dinas: str) -> str:
    """The name a dinas is registered under, else its id."""
    return snapshot.rulebook.dinas_name(dinas) or dinas


def anchor_of(dinas: str) -> str:
    """A row's name on its page: an id may hold anything, an anchor may not."""
    return f"d-{hashlib.sha256(dinas.encode()).hexdigest()[:12]}"


def board(snapshot: Snapshot, period: Period, words: Words, running: str) -> Board:
    """Every dinas, ranked within its covered set; ``running`` names the current month."""
    scheme, standings, months = snapshot.scheme(period), snapshot.dinas(period), trends(snapshot, period)
    scale = scale_of(value for values in months.values() for value in values)
    last = f"{period.year:04d}-{period.last:02d}" == running
    lines = {dinas: spark(values, scale, words, running=last) for dinas, values in months.items()}
    rows = tuple(
        _row(snapshot, card, scheme, words, lines.get(card.subject.id)) for card in snapshot.ranking(standings, period)
    )
    groups = tuple(
        Group(_title(found, covered, words), found)
        for covered, found in ((key, tuple(run)) for key, run in groupby(rows, key=_covered_set))
    )
    sides = Counter((value > TARGET) - (value < TARGET) for row in rows if (value := row.card.iku.value) is not None)
    heads = rows[0].indicators if rows else ()
    weights = ", ".join(f"{head.name} {words.weight(head.line.weight)}" for head in heads)
    overdue = _overdue(snapshot, standings)
    return Board(groups, heads, scheme, weights, len(rows), sides[-1], sides[0], sides[1], overdue, scale)


def _row(snapshot: Snapshot, card: Scorecard, scheme: Scheme, words: Words, months: Spark | None) -> Row:
    parts = indicators_of(card, scheme, words)
    missing = (
        "" if card.iku.value is not None else ", ".join(filter(None, (_known(parts, words), missing_of(parts, words))))
    )
    return Row(
        anchor_of(card.subject.id), name_of(snapshot, card.subject.id), card, parts,
        rank_text(card, words), dot(card.iku.value), missing, months,
    )  # fmt: skip


def _covered_set(row: Row) -> tuple[str, ...] | None:
    """What a ranked row rests on; nothing for the rows without a score."""
    return None if row.card.iku.value is None else tuple(part.id for part in row.indicators if part.ok)


def _title(rows: tuple[Row, ...], covered: tuple[str, ...] | None, words: Words) -> str:
    if covered is None:
        return words("board.not_enough")
    missing = [part.name for part in rows[0].indicators if part.id not in covered]
    if not missing:
        return ""
    share = words.share(covered_weight(rows[0].card))
    return words("board.apart", missing=", ".join(missing), covered=share)


def _overdue(snapshot: Snapshot, standings: list[Standing]) -> tuple[Overdue, ...]:
    late = sorted((s for s in standings if s.permits_open_overdue), key=lambda s: -s.permits_open_overdue)
    return tuple(
        Overdue(s.subject.id, name_of(snapshot, s.subject.id), s.permits_open_overdue, s.permits_open)
        for s in late[:OVERDUE_SHOWN]
    )


def speed_cap(scheme: Scheme) -> str:
    """The cap under which a scheme sums the capaian of permits, as in its measure's name; 120 where it sums none."""
    sums = (said.numerator for said in scheme.indicators if said.numerator.startswith("capaian_sum_"))
    return next(sums, "capaian_sum_120").removeprefix("capaian_sum_")


def amount(balance: list[int], measure: str) -> int:
    """One measure of a balance."""
    return balance[INDEX[measure]]
