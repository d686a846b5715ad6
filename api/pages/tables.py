"""A table of a page for a spreadsheet: `?csv=` of the page answers with it. Each page hands over its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from domain.clock import HOUR_US
from domain.score.scorecard import Rank

if TYPE_CHECKING:
    from api.pages.csv import Cell
    from domain.score.scorecard import Scorecard

LISTED: Final = 50
"""The rows of a paged list that a page shows at once: a token may name more than anybody reads."""
Row = tuple["Cell", ...]


class Table(Struct, frozen=True):
    """A head and its rows; for a longer list, the cursor of the rest and, if it is another, the page that lists it."""

    head: Sequence[str]
    rows: Sequence[Row]
    rest: str | None = None
    page: tuple[str, ...] = ()


Tables = Mapping[str, Callable[[], Table]]
"""Tables by name, each made when it is asked for."""


def rank_cells(card: Scorecard) -> tuple[Cell, Cell]:
    """The best and the worst rank of a scorecard; empty cells without a rank."""
    return (card.rank.best, card.rank.worst) if isinstance(card.rank, Rank) else (None, None)


def hours(length_us: int | None) -> Cell:
    """Hours in two decimals, rounded down."""
    return None if length_us is None else Decimal(length_us * 100 // HOUR_US).scaleb(-2)
