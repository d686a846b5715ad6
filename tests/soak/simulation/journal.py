"""The simulated journal: real lines, recorded once and repeated for several dinas, at positions that may jump."""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from domain.events.entries import decode
from domain.fold.ledger import Ledger
from domain.fold.partition import dinas_of, partition_of
from domain.fold.postings import Posting, postings_of
from tests.journal.folding import HISTORY
from tests.serving import Assembled

if TYPE_CHECKING:
    from collections.abc import Sequence

JOURNAL: Final = "simulated"
DINAS: Final = 8
TURNS: Final = 12


class Line(NamedTuple):
    """A line, and the dinas whose partition it belongs to; ``None`` for the rulebook."""

    line: bytes
    dinas: str | None


@cache
def recorded_lines() -> tuple[Line, ...]:
    """Lines as a real intake records them: facts, notes, corrections, retractions, rules; each time of another dinas."""
    with tempfile.TemporaryDirectory(prefix="neraca-simulation-") as folder, Assembled(Path(folder)) as neraca:
        neraca.record(*HISTORY)
        lines = [line for _, line in neraca.journal.lines(0, len(HISTORY) + 1)]
    lines = [
        line.replace(b"disdukcapil", b"dinas-%d" % (turn % DINAS)).replace(b"dpmptsp", b"dinas-%d" % (turn * 3 % DINAS))
        for turn in range(TURNS)
        for line in lines
    ]
    return tuple(Line(line, dinas_of(decode(line))) for line in lines)


class SimulatedJournal:
    """A journal that grows. Its entries never change."""

    id = JOURNAL

    def __init__(self, partitions: int, page_most: int) -> None:
        self._partitions = partitions
        self._page_most = page_most
        self._positions: list[int] = []
        self._lines: list[Line] = []
        self.of_partition: list[list[int]] = [[] for _ in range(partitions)]
        """The positions that each partition must apply, once each."""

    def add(self, line: Line, *, jump: int = 0) -> None:
        """Add an entry; the ``jump`` positions before it stay empty, as after a transaction that was undone."""
        position = self.head() + 1 + jump
        self._positions.append(position)
        self._lines.append(line)
        if line.dinas is not None:
            self.of_partition[partition_of(line.dinas, self._partitions)].append(position)

    def head(self) -> int:
        """The position of the last entry."""
        return self._positions[-1] if self._positions else 0

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """Up to ``limit`` positions and lines after a position, in order; fewer where pages are to be small."""
        start = bisect_right(self._positions, after)
        end = len(self._positions) if stop is None else bisect_right(self._positions, stop)
        positions = range(start, min(end, start + limit, start + self._page_most))
        return [(self._positions[index], self._lines[index].line) for index in positions]

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        return {at: self._lines[bisect_right(self._positions, at) - 1].line for at in positions}

    def counted(self, until: int) -> Ledger:
        """All balances up to a position, counted from zero: each line's postings, as often as the line occurs."""
        ledger = Ledger()
        for line, times in Counter(self._lines[: bisect_right(self._positions, until)]).items():
            ledger.post(
                Posting(posting.account, tuple((index, amount * times) for index, amount in posting.amounts))
                for posting in postings_of(decode(line.line))
            )
        return ledger
