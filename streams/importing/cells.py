"""The cells of a file's rows, as text: CSV or NDJSON, either with gzip, or the first sheet of a workbook.

Events are not known here. A row that breaks the form of its file is refused under its number, and the next one is read.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Final, NoReturn

from streams.importing.lines import CUT, Record, Records
from streams.importing.mapping import Mapping, MappingError, is_moment, is_whole_number
from streams.importing.opening import Opened, ReadError, opened
from streams.importing.sheet import read_sheet

NumberedCells = tuple[int, Sequence[str] | str]
IsRow = Callable[[Sequence[str]], bool]

_NDJSON: Final = frozenset({".ndjson", ".jsonl"})
_XLSX: Final = ".xlsx"
_HEADINGS_WITHIN: Final = 10
"""The headings of a sheet stand in one of its first rows: titles often stand above them."""
_DIGITS_MOST: Final = 18
_DELIMITERS: Final = ";,\t|"


class MalformedError(ValueError):
    """A row, or one of its cells, breaks the form that its file or its mapping promises."""


def read_cells(path: Path, mapping: Mapping, is_row: IsRow = bool) -> Iterator[NumberedCells]:
    """Each data row's number, and the cells of the mapping's columns in order of `uses`, or the reason to refuse it.

    NDJSON by the name (``.ndjson``, ``.jsonl``), a workbook by ``.xlsx``, else CSV. Numbers count from 1: data rows of CSV
    and of a sheet, without header and blank lines; lines of NDJSON. ``is_row`` tells whether cells are plainly a row.
    Raises: ``ReadError``; ``MappingError`` before the first row, for a column that the file lacks.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    form = suffixes[-2:-1] if suffixes[-1:] == [".gz"] else suffixes[-1:]
    if suffixes[-1:] == [_XLSX]:
        yield from _sheet(path, mapping)
        return
    number = 0
    reader = _ndjson if _NDJSON.intersection(form) else _csv
    with opened(path) as file:
        for number, cells in reader(file, mapping, is_row):
            yield number, cells
        file.check(number)


def _csv(file: Opened, mapping: Mapping, is_row: IsRow) -> Iterator[NumberedCells]:
    records = Records(file.text(mapping.encoding), mapping.delimiter)
    rows = iter(records)
    header = _header(file, rows, mapping.delimiter)
    picker = Picker(file.path, header, mapping)
    records.is_cut = lambda: file.broken
    records.width, records.telling = picker.width, picker.telling
    records.is_row = lambda cells: isinstance(choice := picker.pick(cells), tuple) and is_row(choice)
    for number, record in enumerate(rows, 1):
        yield number, record.fault if record.cells is None else picker.pick(record.cells)


def _header(file: Opened, rows: Iterator[Record], delimiter: str) -> list[str]:
    """The first row; a line such as ``sep=;``, by which Excel is told the delimiter, is read over."""
    first = next(rows, None)
    if first is not None and first.cells is not None:
        line = delimiter.join(first.cells).casefold()
        if line.startswith("sep=") and len(line) <= len("sep=;"):
            first = next(rows, None)
    file.check(0)
    if first is None:
        raise ReadError(file.path, 0, "no header line")
    if first.cells is None:
        raise ReadError(file.path, 0, first.fault)
    return list(first.cells)


class Picker:
    """Takes the cells of a mapping's columns out of a row. Raises: ``MappingError`` for a column the header lacks."""

    def __init__(self, path: Path, header: list[str], mapping: Mapping) -> None:
        for column, key in mapping.uses().items():
            if header.count(column) != 1:
                raise _lacking(path, header, column, key, mapping)
        places = [header.index(column) for column in mapping.uses()]
        self.telling = frozenset(
            header.index(column)
            for field, columns in mapping.columns.items()
            for column in columns
            if is_moment(field) or is_whole_number(field)
        )
        self.width = len(header)
        self._least = max(places) + 1
        # The first place is repeated at the end: of a single place, itemgetter would return the cell, not a tuple.
        self._pick = itemgetter(*places, places[0])

    def pick(self, cells: Sequence[str]) -> tuple[str, ...] | str:
        """The cells in use, or the reason to refuse a row.

        Blank cells beyond the header do no harm, and neither does a row that ends after its last cell in use.
        """
        number = len(cells)
        if number != self.width:
            extra = any(cell.strip() for cell in cells[self.width :])
            if extra or number < self._least:
                return f"{number} cells, and {self.width} in the header"
        choice: tuple[str, ...] = self._pick(cells)
        return choice


def _lacking(path: Path, header: list[str], column: str, key: str, mapping: Mapping) -> Exception:
    if column not in header and any(ord(letter) in range(0xDC80, 0xDD00) for letter in "".join(header)):
        reason = 'its header is not UTF-8: save the file as UTF-8, or write encoding = "windows-1252" in the mapping'
        return ReadError(path, 0, reason)
    number = "no column" if column not in header else f"{header.count(column)} columns"
    hint = ""
    if len(header) == 1:
        delimiter = max(_DELIMITERS, key=header[0].count)
        hint = f"; its cells seem to be parted by {delimiter!r}" if delimiter in header[0] else ""
    expectation = f"expected one for {key} of {mapping.file}; got {header!r:.500}{hint}"
    return MappingError(f"{path}: {number} {column!r}, {expectation}")


def _ndjson(file: Opened, mapping: Mapping, _is_row: IsRow) -> Iterator[NumberedCells]:
    columns = list(mapping.uses())
    file.check_text("utf-8")
    lines = iter(file.bytes)
    first = next(lines, b"").removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(chain([first], lines), 1):
        if line.strip():
            try:
                if file.broken and not line.endswith(b"\n"):
                    raise MalformedError(CUT)  # noqa: TRY301 - a line has one place that answers its faults
                row = _object(line)
                yield number, [_cell(column, row.get(column)) for column in columns]
            except MalformedError as reason:
                yield number, str(reason)


def _sheet(path: Path, mapping: Mapping) -> Iterator[NumberedCells]:
    rows = read_sheet(path, mapping.sheet)
    above = list(islice(rows, _HEADINGS_WITHIN))
    if not above:
        raise ReadError(path, 0, "no headings: the sheet is empty")
    uses = mapping.uses()
    heading = next((number for number, row in enumerate(above) if uses.keys() <= set(row.cells)), 0)
    picker = Picker(path, above[heading].cells, mapping)
    for number, row in enumerate(chain(above[heading + 1 :], rows), 1):
        cells = [*row.cells, *[""] * (picker.width - len(row.cells))]
        yield number, picker.pick(cells)


def _object(line: bytes) -> dict[str, object]:
    """The JSON object of a line; none of its keys may occur twice."""
    try:
        row = json.loads(
            line.decode(), object_pairs_hook=_unique, parse_constant=_no_number, parse_float=Decimal, parse_int=_whole
        )
    except (ValueError, RecursionError) as error:
        message = f"not a JSON object: {error}"
        raise MalformedError(message) from None
    if isinstance(row, dict):
        return row
    message = "not a JSON object"
    raise MalformedError(message)


def _cell(column: str, value: object) -> str:
    """A value as a cell: text verbatim, a whole number as its digits, null or a missing key as an empty cell."""
    if value is None:
        return ""
    if isinstance(value, Decimal) and value.adjusted() < _DIGITS_MOST and value == value.to_integral_value():
        return str(int(value))
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value)
    message = f"{column}: neither text nor a whole number"
    raise MalformedError(message)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    row = dict(pairs)
    if len(row) == len(pairs):
        return row
    message = "a key occurs twice"
    raise ValueError(message)


def _no_number(text: str) -> NoReturn:
    message = f"{text} is no JSON number"
    raise ValueError(message)


def _whole(text: str) -> str:
    """A whole number keeps its digits, however many."""
    return text
