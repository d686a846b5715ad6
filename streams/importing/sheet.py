"""The rows of a sheet, as cells of text; those in which Excel holds something else know it, and where they stand.

A date is a number with a date's format; an id must be text, since Excel keeps no more than fifteen digits of a number and
no zero before it.
"""

import re
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self

from streams.importing.opening import ReadError
from streams.importing.workbook import Style, Workbook, workbook

ROWS_MOST: Final = 100_000
COLUMNS_MOST: Final = 16_384
_DAY_MS: Final = 86_400_000
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_LEAP_1900: Final = 60
"""The number of 29 February 1900, a day that Excel counts and the calendar has not."""
_PLAIN: Final = Style(date=False, time=False)

Holds = Literal["number", "moment", "fault"]


class SheetCell(str):
    """A cell that holds no text; ``holds`` is what Excel keeps in it, ``place`` its name in the sheet, such as C5."""

    __slots__ = ("holds", "place")
    holds: Holds
    place: str

    @classmethod
    def of(cls, text: str, holds: Holds, place: str) -> Self:
        """A cell. The text of a ``moment`` is ISO 8601, of a ``fault`` the reason to refuse it."""
        cell = cls(text)
        cell.holds = holds
        cell.place = place
        return cell


def holds(text: str) -> Holds | Literal["text"]:
    """The thing that a cell holds: of any file but a workbook, text."""
    return text.holds if isinstance(text, SheetCell) else "text"


class SheetRow(NamedTuple):
    """The cells of one row, from column A on."""

    number: int
    """Its number in the sheet."""
    cells: list[str]


def read_sheet(path: Path, sheet_name: str | None) -> Iterator[SheetRow]:
    """The rows of a sheet that hold anything. Raises: ``ReadError``."""
    with workbook(path, sheet_name) as book:
        reading = _Reading(book)
        for _ in book.parse(reading.begin, reading.end, reading.text):
            while reading.rows:
                yield reading.rows.popleft()


class _Reading:
    """The state of reading a sheet: the row and the cell under way, and the rows that are complete."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self.rows: deque[SheetRow] = deque()
        self._count = 0
        self._row = 0
        self._cells: list[str] = []
        self._column = 0
        self._type = ""
        self._style = _PLAIN
        self._inside = False
        self._aid = False
        self._formula = False
        self._pieces: list[str] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._cells, self._column = [], 0
        elif name == "c":
            self._begin_cell(attributes)
        elif name == "f":
            self._formula = True
        elif name == "rPh":
            self._aid = True
        self._inside = name in ("v", "t") and not self._aid

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        match = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = _column(match[1]) if match else self._column + 1
        if self._column > COLUMNS_MOST:
            raise ReadError(self._book.package.path, self._count, f"more than {COLUMNS_MOST:,} columns")
        self._type = attributes.get("t", "n")
        style = int(attributes.get("s", "0"))
        self._style = self._book.styles[style] if style < len(self._book.styles) else _PLAIN
        self._formula = False
        self._pieces.clear()

    def text(self, text: str) -> None:
        """Characters, of which only those of a value count."""
        if self._inside:
            self._pieces.append(text)

    def end(self, name: str) -> None:
        """An element ends."""
        self._inside = False
        if name == "rPh":
            self._aid = False
        elif name == "c":
            cell = self._cell("".join(self._pieces))
            if cell:
                self._cells.extend([""] * (self._column - 1 - len(self._cells)))
                self._cells.append(cell)
        elif name == "row" and any(cell.strip() for cell in self._cells):
            self._count += 1
            if self._count > ROWS_MOST:
                raise ReadError(
                    self._book.package.path, self._count - 1, f"more than {ROWS_MOST:,} rows: save it as CSV"
                )
            self.rows.append(SheetRow(self._row, self._cells))

    def _cell(self, value: str) -> str:
        place = f"{_letters(self._column)}{self._row}"
        if not value:
            missing = "a formula whose value is not stored: open the file in Excel and save it, or paste values"
            return SheetCell.of(missing, "fault", place) if self._formula else ""
        kind = self._type
        if kind == "s":
            number = int(value)
            is_there = 0 <= number < len(self._book.texts)
            return self._book.texts[number] if is_there else SheetCell.of("no such text", "fault", place)
        if kind in ("str", "inlineStr"):
            return value
        if kind == "d":
            return SheetCell.of(value, "moment", place)
        if kind in ("e", "b"):
            return SheetCell.of(value, "fault" if kind == "e" else "number", place)
        return self._number(value, place)

    def _number(self, value: str, place: str) -> SheetCell:
        if not self._style.date:
            reason = "a time of day without a date"
            return SheetCell.of(reason, "fault", place) if self._style.time else SheetCell.of(value, "number", place)
        moment = moment_of_serial(float(value), begins_1904=self._book.begins_1904)
        if moment is None:
            return SheetCell.of(f"{value} is no day of Excel's calendar", "fault", place)
        bare = not self._style.time and moment.time() == datetime.min.time()
        return SheetCell.of(moment.date().isoformat() if bare else moment.isoformat(), "moment", place)


def moment_of_serial(serial: float, *, begins_1904: bool) -> datetime | None:
    """The local time of a day's number, to the millisecond, beyond which Excel keeps none; ``None`` for no day."""
    try:
        first = datetime(1904, 1, 1) if begins_1904 else datetime(1899, 12, 31)  # noqa: DTZ001 - a cell names no zone
        if not begins_1904 and int(serial) == _LEAP_1900:
            return None
        days = serial - 1 if serial > _LEAP_1900 and not begins_1904 else serial
        if serial < (0 if begins_1904 else 1):
            return None
        return first + timedelta(milliseconds=round(days * _DAY_MS))
    except (OverflowError, ValueError):
        return None


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
