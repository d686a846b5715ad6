"""The state of a dinas's month of ratings between two entries: its cells, and in each the blocks that wait."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec import Struct, field

from domain.fold.blocks import Run, Values, number_of
from domain.fold.postings import Amounts

KINDS: Final = (False, True)
"""Ratings by unsur, and one-tap ratings: blocks of the one hold none of the other."""


class Change(NamedTuple):
    """The effect of an entry on a cell: ``sign`` 1 gives a rating and -1 takes one out; ``first``: it is first recorded here."""

    service: str
    name: str
    asn: str
    values: Values
    sign: int
    first: bool

    @property
    def is_tap(self) -> bool:
        """True for an answer to a single question."""
        return len(self.values) == 1


class Stream(Struct, array_like=True):
    """The blocks of one kind in a cell: the whole one that waits for the next, the open one, and how many are published."""

    number: int = 1
    """The number of the open block."""
    blocks: int = 0
    whole: Run | None = None
    open: Run = field(default_factory=lambda: Run([], []))

    @property
    def runs(self) -> Iterator[tuple[int, Run]]:
        """The runs that wait, with their numbers."""
        if self.whole is not None:
            yield self.number - 1, self.whole
        yield self.number, self.open


class Cell(Struct, array_like=True):
    """A service in a month: its blocks by unsur and by one tap, and the sum of those that are published."""

    surveys: Stream = field(default_factory=Stream)
    taps: Stream = field(default_factory=Stream)
    published: Amounts = ()

    def stream(self, *, is_tap: bool) -> Stream:
        """The blocks of one kind."""
        return self.taps if is_tap else self.surveys

    @property
    def shown(self) -> Amounts:
        """The sum that is served of it: none while what makes good for a block that was taken out still waits.

        Until then the other blocks hold reversals of ratings that are in none of them. To leave blocks out is always safe.
        """
        runs = [run for stream in (self.surveys, self.taps) for _, run in stream.runs]
        is_due = any(amount > 0 for run in runs for item in run.taken for _, amount in item.amounts or ())
        return () if is_due else self.published


class Waiting(Struct, frozen=True):
    """The ratings that stand and wait to be published, and the reversals of published ratings that wait."""

    ratings: int = 0
    reversals: int = 0

    def __add__(self, other: "Waiting") -> "Waiting":
        """The sum of two."""
        return Waiting(self.ratings + other.ratings, self.reversals + other.reversals)


class MonthState(Struct, array_like=True):
    """All that is kept of a dinas's month: its cells by service, the sum of its joint blocks, and whether it has closed."""

    cells: dict[str, Cell] = field(default_factory=dict)
    joint: Amounts = ()
    closed: bool = False
    day: str = ""
    """The local day of the newest change."""
    then: Waiting = Waiting()
    """The ratings and reversals that waited when that day began."""
    changes: int = 0
    """The number of changes so far."""

    def naming(self, asn: str) -> int:
        """The ratings that wait and name an ASN, less the reversals of published ones that wait."""
        runs = [run for cell in self.cells.values() for stream in (cell.surveys, cell.taps) for _, run in stream.runs]
        ratings = sum(rating.asn == asn for run in runs for rating in run.given)
        reversals = [item.amounts for run in runs for item in run.taken if item.asn == asn]
        return ratings + sum(-1 if amounts is None else number_of(amounts) for amounts in reversals)
