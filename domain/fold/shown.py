"""The cells that the public is shown: of a dinas, a service and a month, its permits or tasks from ten on.

A figure of a dinas for the public is the sum of the cells that are shown, so that no difference of figures of one reading
tells of a cell that is left out. Ratings have a rule of their own (`domain/fold/blocks.py`).
"""

from typing import Final

from domain.fold.ledger import Balance
from domain.fold.postings import (
    CAPAIAN_N,
    CAPAIAN_SQUARES,
    CAPAIAN_SUMS,
    ELAPSED_US,
    ON_TIME,
    PERMITS,
    REJECTED,
    WITH_STANDARD,
    Amounts,
)
from domain.measures import INDEX, MEASURES

LEAST: Final = 10
"""The smallest denominator of a cell's permits or tasks that the public is shown."""
_TASKS: Final = INDEX["tasks"]
_CAPAIAN: Final = (*CAPAIAN_SUMS, *CAPAIAN_SQUARES)
_TIMED: Final = (ON_TIME, CAPAIAN_N, *_CAPAIAN)
_DUE: Final = (INDEX["tasks_on_time"],)
_RESTS: Final = {
    PERMITS: (WITH_STANDARD, REJECTED, ELAPSED_US, *_TIMED),
    WITH_STANDARD: _TIMED,
    CAPAIAN_N: _CAPAIAN,
    _TASKS: (INDEX["tasks_with_due"], INDEX["tasks_self_reported"], *_DUE),
    INDEX["tasks_with_due"]: _DUE,
}
"""The measures that rest on each denominator: they are shown with it, and left out with it."""
DENOMINATORS: Final = tuple(MEASURES[index] for index in _RESTS)
"""The names of the denominators."""


def is_small(amount: int) -> bool:
    """True of a denominator over which nothing is shown: from one to nine."""
    return 0 < amount < LEAST


def left_out(cell: Balance) -> Amounts:
    """The amounts of a cell that the public is not shown: those over a denominator from one to nine."""
    indexes: set[int] = set()
    for denominator, rest in _RESTS.items():
        if is_small(cell[denominator]):
            indexes.update((denominator, *rest))
    return tuple((index, cell[index]) for index in sorted(indexes) if cell[index])
