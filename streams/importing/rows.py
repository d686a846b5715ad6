"""The file importer: rows, in a stream, become CloudEvents by a mapping.

It names each event by the content of its row, so that a file read again gives the same events. It refuses only rows that
it cannot turn into an event; whether a fact is acceptable is for the intake to decide.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec

from domain.events.names import type_of
from streams.importing.cells import MalformedError, ReadError, read_cells
from streams.importing.mapping import ISO, TIME, Mapping, MappingError, is_moment, is_whole_number

__all__ = ["Mapping", "MappingError", "ReadError", "Row", "read_rows"]

_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode
_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_SHOWN: Final = 80


class Row(NamedTuple):
    """The result of a data row: an event, a reason to refuse it, or a reason to skip it; exactly one of the three.

    ``number`` is the number of the row in its file, from 1; of a case that has many rows, that of the first.
    """

    number: int
    event: dict[str, object] | None
    refusal: str | None
    skipped: str | None


def read_rows(path: Path, mapping: Mapping, zone: str) -> Iterator[Row]:
    """The rows of a file in its order; the same file, mapping and zone give the same events under the same ids.

    Of the rows that share a ``one_per`` only the first counts. Memory grows only with distinct events and cases.
    Raises: ``MappingError`` before the first row, for a column the file lacks; ``ReadError``.
    """
    columns = list(mapping.uses())
    event_of = _Composer(mapping, _zone(zone)).event
    case = None if mapping.one_per is None else columns.index(mapping.one_per)
    completion = None if mapping.skip_without is None else columns.index(mapping.skip_without)
    seen: set[str] = set()
    for number, cells in read_cells(Path(path), mapping):
        if isinstance(cells, str):
            yield Row(number, None, cells, None)
            continue
        if case is not None:
            if cells[case] in seen:
                continue
            if not _blank(cells[case]):
                seen.add(cells[case])
            else:
                yield Row(number, None, f"{mapping.one_per}: empty, and one event is made of each", None)
                continue
        if completion is not None and _blank(cells[completion]):
            yield Row(number, None, None, f"{mapping.skip_without}: empty")
            continue
        try:
            yield Row(number, event_of(cells), None, None)
        except MalformedError as reason:
            yield Row(number, None, str(reason), None)


class _Field(NamedTuple):
    """One field of a kind, and the columns it is made of; ``table`` is the field that contains it, if any."""

    name: str
    table: str
    key: str
    places: tuple[int, ...]
    values: dict[str, str]
    verbatim: bool
    required: bool


class _Composer:
    """Makes the event of a row, and counts identical rows, since they are separate facts."""

    def __init__(self, mapping: Mapping, zone: ZoneInfo) -> None:
        self._mapping = mapping
        self._zone = zone
        self._stated: dict[bytes, int] = {}
        self._place = {column: place for place, column in enumerate(mapping.uses())}
        self._fields = [self._field(name) for name in mapping.columns]
        self._fixed = [(field := self._field(name), self._fixed_value(field)) for name in mapping.fixed]

    def event(self, cells: Sequence[str]) -> dict[str, object]:
        """The CloudEvent of a row, named by the hash of its content and its number among identical rows.

        Raises: ``MalformedError`` with the field.
        """
        data: dict[str, object] = {}
        for field, value in self._fixed:
            _put(data, field, value)
        for field in self._fields:
            text = self._text(field, cells)
            if text:
                _put(data, field, text if field.verbatim else self._value(field, text))
        mapping = self._mapping
        time = data.pop(TIME) if mapping.occurred == TIME else data[mapping.occurred]
        return {
            "specversion": "1.0",
            "type": type_of(mapping.kind),
            "source": mapping.source,
            "id": self._id(data, time),
            "time": time,
            "data": data,
        }

    def _field(self, name: str) -> _Field:
        mapping = self._mapping
        table, _, key = name.rpartition(".")
        places = tuple(self._place[column] for column in mapping.columns.get(name, ()))
        verbatim = not is_moment(name) and not is_whole_number(name)
        return _Field(name, table, key, places, mapping.values.get(name, {}), verbatim, mapping.requires(name))

    def _fixed_value(self, field: _Field) -> object:
        text = self._mapping.fixed[field.name]
        try:
            return text if field.verbatim else self._value(field, text)
        except MalformedError as reason:
            message = f"{self._mapping.file}: {reason}, as a fixed value"
            raise MappingError(message) from None

    def _text(self, field: _Field, cells: Sequence[str]) -> str:
        """A row's text for a field, verbatim; empty when any of its cells is blank."""
        if len(field.places) == 1:
            text = cells[field.places[0]]
        else:
            parts = [cells[place] for place in field.places]
            text = "" if any(map(_blank, parts)) else self._mapping.join.join(parts)
        if field.values:
            text = field.values.get(text, text)
        if not _blank(text):
            return text
        if not field.required:
            return ""
        message = f"{field.name}: required, and empty in {' or '.join(self._mapping.columns[field.name])}"
        raise MalformedError(message)

    def _value(self, field: _Field, text: str) -> object:
        text = text.strip()
        if is_moment(field.name):
            return self._instant(field, text)
        if _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        message = f"{field.name}: {text[:_SHOWN]!r} is not a whole number"
        raise MalformedError(message)

    def _instant(self, field: _Field, text: str) -> str:
        """A time without an offset is local: the first one when it occurs twice, by the offset before the gap when never.

        Both are ``fold=0`` of PEP 495. Digits beyond the microsecond are dropped.
        """
        for pattern in self._mapping.times:
            try:
                moment = _iso(text) if pattern == ISO else datetime.strptime(text, pattern)  # noqa: DTZ007 - local, see below
            except ValueError:
                continue
            return (moment.replace(tzinfo=self._zone) if moment.tzinfo is None else moment).isoformat()
        message = f"{field.name}: {text[:_SHOWN]!r} is not a time of the form {' or '.join(self._mapping.times)}"
        raise MalformedError(message)

    def _id(self, data: dict[str, object], time: object) -> str:
        try:
            content = _ENCODE({"kind": self._mapping.kind, "data": data, "time": time})
        except UnicodeEncodeError:
            message = "a cell that the mapping uses is not UTF-8"
            raise MalformedError(message) from None
        digest = hashlib.sha256(content).digest()[:16]
        occurrence = self._stated.get(digest, 0) + 1
        self._stated[digest] = occurrence
        return f"{digest.hex()}-{occurrence}"


def _put(data: dict[str, object], field: _Field, value: object) -> None:
    if field.table:
        cast("dict[str, object]", data.setdefault(field.table, {}))[field.key] = value
    else:
        data[field.key] = value


def _blank(text: str) -> bool:
    return not text or text.isspace()


def _iso(text: str) -> datetime:
    """ISO 8601 with a time of day: a bare date is no moment, and a mapping that means midnight must give a format."""
    if text[10:11] in {"T", "t", " "}:
        return datetime.fromisoformat(text.upper())
    message = "no time of day"
    raise ValueError(message)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = f"zone: expected a name such as Asia/Jakarta; got {name!r}"
        raise MappingError(message) from None
