"""The figures a replay comes to: one program prints them as JSON, another one decodes them.

The auditor prints a ``Replayed``; a server that runs the auditor in another process reads it back. The JSON form leaves out
the parts that were not asked for.
"""

from msgspec import Struct

from domain.score.scorecard import Scorecard


class StateAt(Struct, frozen=True):
    """The state of a journal at one position: its digest, and the scorecard of each dinas."""

    position: int
    digest: str
    dinas: dict[str, Scorecard]


class RecordedBetween(Struct, frozen=True):
    """The number of entries of each kind recorded between two ends: those that affect one dinas, and those that affect all."""

    dinas: dict[str, dict[str, int]]
    every: dict[str, int]


class Difference(Struct, frozen=True):
    """One digest line that differs between two sides; ``None`` for a side that has no such line.

    An account or a file that both sides know is one difference, with the line of each side.
    """

    kept: str | None
    replayed: str | None


class DigestComparison(Struct, frozen=True):
    """Digest lines that were kept, beside those replayed: the digest of the kept ones, the number of differences, the first."""

    digest: str
    differs: int
    first: tuple[Difference, ...]


class Replayed(StateAt, frozen=True, omit_defaults=True):
    """The state at the end of a replay; where asked for, an earlier state, the entries between, and a comparison."""

    then: StateAt | None = None
    between: RecordedBetween | None = None
    against: DigestComparison | None = None
