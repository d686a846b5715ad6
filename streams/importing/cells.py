"""The rows of a file on disk, as text: CSV or NDJSON, either with gzip, read as a stream.

Events are not known here. A row that breaks the form of its file is refused under its number, and the next one is read.
"""

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, Final, NoReturn, cast

from streams.importing.mapping import Mapping, MappingError

NumberedCells = tuple[int, Sequence[str] | str]

_NDJSON: Final = frozenset({".ndjson", ".jsonl"})


class ReadError(Exception):
    """A file cannot be read any further; ``row`` is the number of the last row that was read."""

    def __init__(self, path: Path, row: int, reason: object) -> None:
        super().__init__(f"{path}: cannot be read after row {row}: {reason}")
        self.row = row


class MalformedError(ValueError):
    """A row, or one of its cells, breaks the form that its file or its mapping promises."""


def read_cells(path: Path, mapping: Mapping) -> Iterator[NumberedCells]:
    """Each data row's number, and the cells of the mapping's columns in order of `uses`, or the reason to refuse it.

    NDJSON by the name (``.ndjson``, ``.jsonl``), else CSV. Numbers count from 1: data rows of CSV, without its header
    and blank lines; lines of NDJSON. Raises: ``ReadError``; ``MappingError`` before the first row, for a column CSV
    lacks.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    zipped = suffixes[-1:] == [".gz"]
    named = suffixes[-2:-1] if zipped else suffixes[-1:]
    read = _ndjson if _NDJSON.intersection(named) else _csv
    number = 0
    try:
        with cast("BinaryIO", gzip.open(path)) if zipped else path.open("rb") as file:
            for number, cells in read(path, file, mapping):
                yield number, cells
    except (OSError, EOFError, zlib.error) as error:
        raise ReadError(path, number, getattr(error, "strerror", None) or error) from error


def _csv(path: Path, file: BinaryIO, mapping: Mapping) -> Iterator[NumberedCells]:
    # A byte that is not UTF-8 becomes a lone surrogate, so that it harms only rows that have one in a cell in use.
    text = io.TextIOWrapper(file, "utf-8-sig", "surrogateescape", newline="")
    # Strict: otherwise an open quote would silently swallow the following rows into one cell.
    reader = csv.reader(text, delimiter=mapping.delimiter, strict=True)
    try:
        header = next(reader)
    except StopIteration:
        raise ReadError(path, 0, "no header line") from None
    except csv.Error as error:
        raise ReadError(path, 0, error) from error
    pick = _picker(path, header, mapping)
    number = 0
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            number += 1
            yield number, f"line {reader.line_num}: {error}"
            continue
        if row:
            number += 1
            yield number, pick(row) if len(row) == len(header) else f"{len(row)} cells, and {len(header)} in the header"


def _picker(path: Path, header: list[str], mapping: Mapping) -> Callable[[list[str]], tuple[str, ...]]:
    for column, key in mapping.uses().items():
        if header.count(column) != 1:
            number = "no column" if column not in header else f"{header.count(column)} columns"
            message = f"{path}: {number} {column!r}, expected one for {key} of {mapping.file}; got {header!r:.500}"
            raise MappingError(message)
    places = [header.index(column) for column in mapping.uses()]
    # The first place is repeated at the end: of a single place, itemgetter would return the cell, not a tuple.
    return itemgetter(*places, places[0])


def _ndjson(_path: Path, file: BinaryIO, mapping: Mapping) -> Iterator[NumberedCells]:
    columns = list(mapping.uses())
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                row = _object(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
                yield number, [_cell(column, row.get(column)) for column in columns]
            except MalformedError as reason:
                yield number, str(reason)


def _object(line: bytes) -> dict[str, object]:
    """The JSON object of a line; none of its keys may occur twice."""
    try:
        row = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_no_number)
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
