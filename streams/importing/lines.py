"""The rows of CSV, each with its lines: a quote that is left open costs its own row, and none after it.

A row that breaks the form of CSV ends with its first line, and reading goes on at the next one. The same holds of a cell that
spans lines which read as rows of their own: its quote was closed by the quote of another row.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
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
        self.ended = False
        """True once the text has been asked for a line beyond its last one."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._text, "")
        self.ended = not line
        if self.ended:
            raise StopIteration
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

    ``width`` is the number of cells that a row of several lines must have, once the header is known, and ``telling`` the
    places of its cells that are times or numbers. ``is_row`` tells whether cells are plainly a row of this file, and
    ``is_cut`` whether the text broke off at the place that has been reached.
    """

    def __init__(self, text: Iterable[str], delimiter: str) -> None:
        self._lines = _Lines(iter(text))
        self._delimiter = delimiter
        # Strict: otherwise an open quote would silently swallow the following rows into one cell.
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        self.width = 0
        self.telling: AbstractSet[int] = frozenset()
        self.is_row: Callable[[Sequence[str]], bool] = bool
        self.is_cut: Callable[[], bool] = bool

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
            breaks_off = lines.taken[-1][-1] not in "\r\n" or (lines.ended and fault)
            if breaks_off and self.is_cut() and not (fault and any(map(self._is_row, lines.taken[1:]))):
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
        """The reason to break up a row of several lines; empty if they are one row.

        The lines between may read as rows of their own; or the first line is a whole row if its open quote is left out, and
        either a time or a number stands behind the quote, or the last line reads as a row too. A long note is none of these.
        """
        if self.width and len(cells) != self.width:
            return f"{len(cells)} cells over several lines: a quote is left open"
        first = self._cells(_without_open_quote(texts[0], self._delimiter))
        behind = len(self._cells(texts[0]))
        is_whole = len(first) == self.width and self.is_row(first)
        is_told = is_whole and any(place >= behind and first[place].strip() for place in self.telling)
        if is_told or any(map(self._is_row, texts[1:-1])) or (is_whole and self._is_row(texts[-1])):
            return "a quote is left open, and lines after it read as rows of their own"
        return ""

    def _is_row(self, line: str) -> bool:
        return self.is_row(self._cells(line))

    def _cells(self, line: str) -> list[str]:
        """The cells of a line by itself; of one that cannot be read, none."""
        try:
            return next(csv.reader([line], delimiter=self._delimiter), [])
        except csv.Error:
            return []


def _without_open_quote(line: str, delimiter: str) -> str:
    """A line without the quote that it leaves open."""
    place, size, opening = 0, len(line), -1
    while place < size:
        if line[place] == '"':
            opening = place
            place += 1
            while place < size and (line[place] != '"' or line[place : place + 2] == '""'):
                place += 2 if line[place] == '"' else 1
            if place >= size:
                return line[:opening] + line[opening + 1 :]
        following = line.find(delimiter, place)
        place = size if following < 0 else following + 1
    return line
