"""The rows of CSV, each with its lines: a quote that is left open costs its own row, and none after it.

A row that breaks the form of CSV ends with its first line, and reading goes on at the next one. The same holds of a cell that
spans lines which read as rows of their own: its quote was closed by the quote of another row.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

CUT: Final = "the file breaks off within this row"


class Record(NamedTuple):
    """The cells of a row, or the reason to refuse it."""

    line: int
    """The number of its first line, from 1."""
    cells: Sequence[str] | None
    fault: str = ""


class _Lines:
    """The lines of a text, with their numbers; lines that were taken can be given back."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0
        """The number of the last line taken."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._text)
        self.number += 1
        self.taken.append(line)
        return line

    def keep_first(self) -> None:
        """Give back every line taken but the first."""
        following = self.taken[1:]
        self._again.extendleft(reversed(following))
        self.number -= len(following)
        del self.taken[1:]


class Records:
    """The rows of a text of CSV, its header first.

    ``fits`` tells whether a row has as many cells as it must have, ``is_row`` whether cells are plainly a row of this file.
    """

    def __init__(self, text: Iterable[str], delimiter: str) -> None:
        self._lines = _Lines(iter(text))
        self._delimiter = delimiter
        # Strict: otherwise an open quote would silently swallow the following rows into one cell.
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        self.fits: Callable[[Sequence[str]], bool] = bool
        self.is_row: Callable[[Sequence[str]], bool] = bool
        self.is_cut: Callable[[], bool] = bool
        """Tells whether the text broke off at the place that has been reached."""

    def __iter__(self) -> Iterator[Record]:
        """Blank lines are no rows."""
        lines = self._lines
        while True:
            lines.taken.clear()
            first = lines.number + 1
            try:
                cells = next(self._reader)
                fault = self._swallowed(lines.taken, cells) if len(lines.taken) > 1 else ""
            except StopIteration:
                return
            except csv.Error as error:
                fault = str(error)
            cut = lines.taken[-1][-1] not in "\r\n" and self.is_cut()
            if cut and not any(map(self._is_row, lines.taken[1:])):
                yield Record(first, None, f"line {first}: {CUT}")
            elif fault:
                yield self._broken(first, fault)
            elif cells:
                yield Record(first, cells)

    def _broken(self, first: int, fault: str) -> Record:
        last = self._lines.number
        self._lines.keep_first()
        where = f"line {first}" if last == first else f"lines {first} to {last}"
        goes_on = "" if last == first else f"; it is refused, and reading goes on at line {first + 1}"
        return Record(first, None, f"{where}: {fault}{goes_on}")

    def _swallowed(self, texts: Sequence[str], cells: Sequence[str]) -> str:
        """The reason to break up a row of several lines; empty if they are one row."""
        if not self.fits(cells):
            return f"{len(cells)} cells over several lines: a quote is left open"
        between = any(map(self._is_row, texts[1:-1]))
        # The last line of a long note may look like a row too, but then the first line is none without its quote.
        ends = self._is_row(texts[-1]) and self._is_row(texts[0], with_quotes=False)
        return "a quote is left open, and lines after it read as rows of their own" if between or ends else ""

    def _is_row(self, line: str, *, with_quotes: bool = True) -> bool:
        cells_of = partial(csv.reader, [line], delimiter=self._delimiter)
        reader = cells_of() if with_quotes else cells_of(quoting=csv.QUOTE_NONE)
        try:
            cells = next(reader, [])
        except csv.Error:
            return False
        return bool(cells) and self.is_row(cells)
