"""The board: all dinas in groups that can be compared, with their indicators and twelve months, and the overdue files."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Final, Self

from msgspec import Struct

from api.pages.bare import bare_city
from api.pages.board.feed import feed
from api.pages.drawing import TARGET, Dot, Indicator, covered_weight, dot, has_taps, indicators_of, rank_text, taps_of
from api.pages.links import anchor_of
from api.pages.page import AddressedPage
from api.pages.sentences import name_of
from api.pages.tables import Table, rank_cells
from api.pages.trends import Scale, Spark, scale_of, spark, trends

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from api.pages.bare import Bare
    from api.pages.board.feed import Item
    from api.pages.csv import Cell
    from api.pages.page import PageQuery
    from api.pages.periods import Chosen
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import Scorecard, Standing
    from projections.reading.reader import Snapshot

OVERDUE_SHOWN: Final = 8


class Row(Struct, frozen=True):
    """A dinas on the board."""

    anchor: str
    name: str
    card: Scorecard
    indicators: tuple[Indicator, ...]
    rank: str
    dot: Dot | None
    missing: str
    taps: str
    spark: Spark | None


class Group(Struct, frozen=True):
    """Dinas that are ranked among themselves, or not at all; ``title`` gives the reason for a group of their own."""

    title: str
    rows: tuple[Row, ...]


class Overdue(Struct, frozen=True):
    """A dinas with open files that are past their standard."""

    id: str
    name: str
    overdue: int
    open: int


class Board(Struct, frozen=True):
    """Groups of rows, the scales of the whole city, and the overdue files."""

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
    bare: Bare | None
    left_out: int
    """The services of all dinas that the public's figures leave out, the tasks of a dinas counted as one."""


class BoardPage(AddressedPage, frozen=True):
    """The board, and the entries recorded last."""

    template: ClassVar[str] = "board.html"
    shared: ClassVar[bool] = True

    board: Board
    feed: tuple[Item, ...] | None
    stream: dict[str, str] | None
    """The question of the stream that the page follows, an empty one for the running month, whatever month that comes to
    be; none for a period that does not run: its board stands."""

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The board in the period of an address."""
        snapshot, words, period = query.snapshot, query.words, query.period
        address = {"period": period.name} if "period" in query.parameters else {}
        stream = address | ({"follow": "1"} if address else {}) if query.chosen.live else None
        return cls(board(snapshot, query.chosen, words), feed(snapshot, query.lines, words, query.chosen), stream)

    def tables(self, words: Words) -> Tables:
        """The board."""
        return {"board": lambda: _table(self.board, words)}


def board(snapshot: Snapshot, choice: Chosen, words: Words) -> Board:
    """Every dinas, ranked within its covered set."""
    period = choice.period
    scheme, standings, months = snapshot.scheme(period), snapshot.dinas(period), trends(snapshot, period)
    scale = scale_of(value for values in months.values() for value in values)
    last = f"{period.year:04d}-{period.last:02d}" == choice.current.name
    lines = {dinas: spark(values, scale, words, running=last) for dinas, values in months.items()}
    rows = tuple(
        _row(snapshot, card, scheme, words, lines.get(card.subject.id)) for card in snapshot.ranking(standings, period)
    )
    groups = tuple(
        Group(_title(group, covered_set, words), group)
        for covered_set, group in ((key, tuple(run)) for key, run in groupby(rows, key=_covered_set))
    )
    sides = Counter((value > TARGET) - (value < TARGET) for row in rows if (value := row.card.iku.value) is not None)
    heads = rows[0].indicators if rows else ()
    weights = ", ".join(f"{head.name} {words.weight(head.line.weight)}" for head in heads)
    overdue = _overdue(snapshot, standings)
    bare = bare_city(snapshot, standings, choice)
    left_out = sum(map(len, snapshot.services_left_out(period).values()))
    counts = len(rows), sides[-1], sides[0], sides[1]
    return Board(groups, heads, scheme, weights, *counts, overdue, scale, bare, left_out)


def _row(snapshot: Snapshot, card: Scorecard, scheme: Scheme, words: Words, months: Spark | None) -> Row:
    parts = indicators_of(card, scheme, words)
    missing, taps = "", taps_of(card, parts, words)
    if card.iku.value is None:
        missing = ", ".join(filter(None, (_with_data(parts, words), _missing(parts, words), taps)))
    return Row(
        anchor_of(card.subject.id),
        name_of(snapshot, card.subject.id),
        card,
        parts,
        rank_text(card, words),
        dot(card.iku.value),
        missing,
        taps,
        months,
    )


def _with_data(parts: tuple[Indicator, ...], words: Words) -> str:
    """The indicators with enough data of a subject that has no score."""
    return ", ".join(
        words("board.known", name=part.short, value=words.percent(part.line.capaian), n=words.number(part.line.n))
        for part in parts
        if part.ok
    )


def _missing(parts: tuple[Indicator, ...], words: Words) -> str:
    """The data that each indicator without enough of it has, and the number it needs."""
    return ", ".join(
        words("board.missing", unit=part.unit, n=words.number(part.line.n), least=words.number(part.min_n))
        if (part.line.n or 0) < part.min_n
        else words("board.missing_unsur", name=part.name)
        for part in parts
        if not part.ok
    )


def _covered_set(row: Row) -> tuple[str, ...] | None:
    """The indicators that a ranked row rests on; none for a row without a score."""
    return None if row.card.iku.value is None else tuple(part.id for part in row.indicators if part.ok)


def _title(rows: tuple[Row, ...], covered_set: tuple[str, ...] | None, words: Words) -> str:
    if covered_set is None:
        return words("board.not_enough")
    missing = [part.name for part in rows[0].indicators if part.id not in covered_set]
    if not missing:
        return ""
    share = words.share(covered_weight(rows[0].card))
    return words("board.apart", missing=", ".join(missing), covered=share)


def _overdue(snapshot: Snapshot, standings: list[Standing]) -> tuple[Overdue, ...]:
    """The dinas with the most overdue files, these first."""
    late = [standing for standing in standings if standing.permits_open_overdue]
    late.sort(key=lambda standing: -standing.permits_open_overdue)
    return tuple(
        Overdue(
            standing.subject.id,
            name_of(snapshot, standing.subject.id),
            standing.permits_open_overdue,
            standing.permits_open,
        )
        for standing in late[:OVERDUE_SHOWN]
    )


def _table(board: Board, words: Words) -> Table:
    head = (
        words("csv.rank_best"),
        words("csv.rank_worst"),
        "id",
        words("board.agency"),
        words("board.score"),
        *(column for indicator in board.heads for column in (indicator.name, f"n {indicator.unit}")),
        *((words("csv.impression"), words("csv.taps")) if has_taps(board.heads) else ()),
        words("subject.covered"),
        words("board.open"),
        words("board.overdue"),
    )
    return Table(head, [_cells(row) for group in board.groups for row in group.rows])


def _cells(row: Row) -> tuple[Cell, ...]:
    card = row.card
    return (
        *rank_cells(card),
        card.subject.id,
        row.name,
        card.iku.value,
        *_parts(row.indicators),
        *(_taps(card) if has_taps(row.indicators) else ()),
        sum(part.line.weight for part in row.indicators if part.ok),
        card.counts.permits_open,
        card.counts.permits_open_overdue,
    )


def _taps(card: Scorecard) -> tuple[Cell, Cell]:
    overall = card.overall
    return overall.value if overall.state == "ok" else None, overall.n


def _parts(indicators: Sequence[Indicator]) -> Iterator[Cell]:
    for part in indicators:
        yield from (part.line.capaian, part.line.n)
