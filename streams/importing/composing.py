"""The event that a row states: its cells as the fields of the mapping, under an id made of what it is about."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from domain.clock import instant_of
from domain.events.kinds import KINDS
from domain.events.names import type_of
from domain.intake.checks import is_date
from streams.importing.cells import MalformedError
from streams.importing.columns import AmbiguousError, Column
from streams.importing.fields import TIME, is_moment, is_whole_number
from streams.importing.formats import ISO, Iso, Pattern
from streams.importing.identity import Naming
from streams.importing.mapping import Mapping, MappingError
from streams.importing.moments import Moment, OpenDay, aware, chosen, moment_of, open_day, written
from streams.importing.numbers import whole_number
from streams.importing.sheet import holds

_SHOWN: Final = 80
_POINT: Final = "."
_SHEET: Final = Iso(days=True)
"""The form in which a workbook's dates come."""
_NOT_UTF8: Final = "a cell that the mapping uses is not UTF-8"


class _Field(NamedTuple):
    """The information with which a field is filled: its name, its place in the data, and the cells it is made of."""

    name: str
    table: str
    key: str
    places: tuple[int, ...]
    values: dict[str, str]
    required: bool
    is_moment: bool
    is_number: bool


class Composer:
    """The events of rows. Raises: ``MappingError`` for a fixed value that cannot be read."""

    def __init__(self, mapping: Mapping, zone: tzinfo) -> None:
        self._mapping = mapping
        self._zone = zone
        self._place = {column: place for place, column in enumerate(mapping.uses())}
        self._fields = [self._field(name) for name in mapping.columns]
        self._columns = {name: self._column(name) for name in (*mapping.columns, *mapping.fixed) if is_moment(name)}
        self._unsettled = [field for field in self._fields if field.name in self._columns]
        self._dates = self._column(TIME)
        constants = [self._field(name) for name in mapping.fixed]
        self._fixed_moments = {field.name: self._fixed_moment(field) for field in constants if field.is_moment}
        self._fixed = [(field, self._fixed_value(field)) for field in constants if not field.is_moment]
        self._naming = Naming(mapping.kind)
        self._is_rule = KINDS[mapping.kind].role == "rule"

    def see(self, cells: Sequence[str]) -> bool:
        """Take a row into account before any is read: it may show how a column writes its times. False once none shows more."""
        for field in self._unsettled:
            if text := self._text(field, cells):
                _see(self._columns[field.name], text)
        self._unsettled = [field for field in self._unsettled if not self._columns[field.name].is_settled]
        return bool(self._unsettled)

    def findings(self) -> Iterator[str]:
        """A sentence on each column whose cells, taken together, look like days."""
        for field in self._fields:
            column = self._columns.get(field.name)
            if column is None or field.name in self._mapping.dates:
                continue
            name = " and ".join(self._mapping.columns[field.name])
            if column.holds_midnights:
                remedy = f'dates = ["{field.name}"] in {self._mapping.file} reads them as days'
                yield f"{name}: all times are midnight. If they are days, {remedy}"
            elif column.holds_days and column.midnights:
                yield f"{name}: it holds days and midnights alone, so that its midnights are read as days too"

    def is_row(self, cells: Sequence[str]) -> bool:
        """True if cells are plainly a row: nothing required is blank but a completion, and some time or number is read."""
        count = 0
        for field in self._fields:
            text = self._text(field, cells).strip()
            if not text and field.required and self._mapping.skip_without not in self._mapping.columns[field.name]:
                return False
            column = self._columns.get(field.name)
            if text and column is not None:
                if column.first(text) is None:
                    return False
                count += 1
            elif text and field.is_number:
                if not _is_number(text, self._mapping.decimal):
                    return False
                count += 1
        return count > 0 or not any(field.is_moment or field.is_number for field in self._fields)

    def skipped(self, cells: Sequence[str]) -> str | None:
        """The reason to skip a row: its cell of ``skip_without`` is blank, as it stands or by ``[values]``."""
        name = self._mapping.skip_without
        if name is None:
            return None
        blank = not cells[self._place[name]].strip()
        for field in self._fields:
            if field.places == (self._place[name],):
                blank = blank or not self._text(field, cells)
        return f"{name}: empty" if blank else None

    def event(self, cells: Sequence[str]) -> tuple[dict[str, object], str | None, OpenDay | None]:
        """The CloudEvent of a row, the id that the former version would have given to it, and its day that is open.

        Raises: ``MalformedError`` with the field.
        """
        texts = [(field, self._required_text(field, cells)) for field in self._fields]
        moments = dict(self._fixed_moments)
        former = {name: moment.usual.isoformat() for name, moment in moments.items()}
        for field, text in texts:
            if text and field.is_moment:
                moments[field.name], former[field.name] = self._moment(field, text)
        texts_of_times = _spelt(moments)
        data = self._data(texts, texts_of_times)
        before = data if former == texts_of_times else self._data(texts, former)
        mapping = self._mapping
        time = texts_of_times[mapping.occurred]
        try:
            old_id = self._naming.former_id(before, former.get(mapping.occurred))
            own_id = old_id if self._is_rule else self._naming.id_of(data, time, moments, self._named(cells, moments))
        except UnicodeEncodeError:
            raise MalformedError(_NOT_UTF8) from None
        event: dict[str, object] = {
            "specversion": "1.0",
            "type": type_of(mapping.kind),
            "source": mapping.source,
            "id": own_id,
            "time": time,
            "data": data,
        }
        return event, None if self._is_rule else old_id, open_day(mapping.kind, moments)

    def _data(self, texts: Sequence[tuple[_Field, str]], texts_of_times: dict[str, str]) -> dict[str, Any]:
        """The data of an event, with its times as they are spelt."""
        data: dict[str, Any] = {}
        for field, value in self._fixed:
            _put(data, field, value)
        for name in self._fixed_moments:
            data[name] = texts_of_times[name]
        for field, text in texts:
            if text:
                _put(data, field, texts_of_times[field.name] if field.is_moment else self._value(field, text))
        if self._mapping.occurred == TIME:
            data.pop(TIME, None)
        return data

    def _named(self, cells: Sequence[str], moments: dict[str, Moment]) -> dict[str, object]:
        """The values of the columns, or of the fields, that the mapping names as the identity of a row."""
        identity: dict[str, object] = {}
        for name in self._mapping.identity:
            field = next((field for field in self._fields if field.name == name or self._is_column(field, name)), None)
            if field is None:
                identity[name] = cells[self._place[name]].strip() if name in self._place else self._mapping.fixed[name]
            elif field.name in moments:
                identity[name] = instant_of(moments[field.name].usual)
            else:
                identity[name] = self._text(field, cells).strip()
        return identity

    def _is_column(self, field: _Field, name: str) -> bool:
        return self._mapping.columns[field.name] == (name,)

    def _column(self, field: str) -> Column:
        days = field in self._mapping.dates
        times = self._mapping.times
        return Column([Iso(days) if name == ISO else Pattern(name) for name in times], times)

    def _field(self, name: str) -> _Field:
        mapping = self._mapping
        table, _, key = name.rpartition(".")
        places = tuple(self._place[column] for column in mapping.columns.get(name, ()))
        return _Field(name, table, key, places, mapping.values.get(name, {}), *_kept(mapping, name))

    def _fixed_moment(self, field: _Field) -> Moment:
        try:
            return self._moment(field, self._mapping.fixed[field.name].strip())[0]
        except MalformedError as reason:
            raise self._as_fixed(reason) from None

    def _fixed_value(self, field: _Field) -> object:
        try:
            return self._value(field, self._mapping.fixed[field.name])
        except MalformedError as reason:
            raise self._as_fixed(reason) from None

    def _as_fixed(self, reason: MalformedError) -> MappingError:
        return MappingError(f"{self._mapping.file}: {reason}, as a fixed value")

    def _text(self, field: _Field, cells: Sequence[str]) -> str:
        """A row's text for a field, verbatim; empty when any of its cells is blank."""
        if len(field.places) == 1:
            text = cells[field.places[0]]
        else:
            parts = [cells[place] for place in field.places]
            odd = next((part for part in parts if holds(part) != "text"), None)
            if odd is not None:
                return odd
            text = "" if any(not part.strip() for part in parts) else self._mapping.join.join(parts)
        if field.values:
            text = field.values.get(text, field.values.get(text.strip(), text))
        return text if text and not text.isspace() else ""

    def _required_text(self, field: _Field, cells: Sequence[str]) -> str:
        text = self._text(field, cells)
        if type(text) is not str:
            _check_kind(field, text)
        if text or not field.required:
            return text
        hint = "; of merged cells only the first holds a text" if any(type(cell) is not str for cell in cells) else ""
        message = f"{field.name}: required, and empty in {' or '.join(self._mapping.columns[field.name])}{hint}"
        raise MalformedError(message)

    def _value(self, field: _Field, text: str) -> object:
        if field.is_number:
            try:
                return whole_number(text.strip(), _POINT if holds(text) == "number" else self._mapping.decimal)
            except ValueError as error:
                message = f"{field.name}: {error}"
                raise MalformedError(message) from None
        if is_date(field.name):
            statement = _SHEET.read(text) if holds(text) == "moment" else self._dates.first(text.strip())
            return statement.moment.date().isoformat() if statement is not None and statement.day else str(text)
        return text

    def _moment(self, field: _Field, text: str) -> tuple[Moment, str]:
        """The moment of a cell, and its text as the former version wrote it."""
        column = self._columns[field.name]
        try:
            of_sheet = holds(text) == "moment"
            text = text.strip()
            first = _SHEET.read(text) if of_sheet else column.first(text)
            statement = first if of_sheet or column.has_one_format else column.read(text)
            if first is not None and statement is not None:
                is_day = statement.day or field.name in self._mapping.dates or column.holds_days
                moment = moment_of(field.name, statement, self._zone, is_day=is_day)
                return moment, aware(first.moment, self._zone).isoformat()
            message = f"{text[:_SHOWN]!r} is not a time of the form {' or '.join(self._mapping.times)}"
        except AmbiguousError as error:
            message = f"{text[:_SHOWN]!r} is one time by {error}, and another by the other; its column shows neither"
        except ValueError:
            message = f"{text[:_SHOWN]!r} lies outside the calendar"
        message = f"{field.name}: {message}"
        raise MalformedError(message)


def _see(column: Column, text: str) -> None:
    """Let a column take a cell into account; a date of a workbook shows nothing of formats."""
    if holds(text) != "moment":
        column.see(text.strip())
    elif (statement := _SHEET.read(text)) is not None:
        column.count(statement)


def _check_kind(field: _Field, text: str) -> None:
    """Refuse a cell of a workbook that is no value, or a number or a date where a text must stand."""
    kind, place = holds(text), getattr(text, "place", "")
    if kind == "fault":
        message = f"{field.name}: cell {place}: {text}"
    elif kind == "text" or field.is_number or field.is_moment or (kind == "moment" and is_date(field.name)):
        return
    elif kind == "moment":
        message = f"{field.name}: cell {place} holds a date, not a text: format the column as text and paste it again"
    else:
        reason = "of which Excel keeps 15 digits and no leading zero: format the column as text and paste it again"
        message = f"{field.name}: cell {place} holds a number, {reason}"
    raise MalformedError(message)


def _kept(mapping: Mapping, name: str) -> tuple[bool, bool, bool]:
    return mapping.requires(name), is_moment(name), is_whole_number(name)


def _spelt(moments: dict[str, Moment]) -> dict[str, str]:
    """The times of a row as text."""
    try:
        return {name: written(moment) for name, moment in chosen(moments).items()}
    except (ValueError, OverflowError):
        message = f"{' or '.join(moments)}: lies outside the calendar"
        raise MalformedError(message) from None


def _is_number(text: str, decimal: str | None) -> bool:
    try:
        whole_number(text, decimal)
    except ValueError:
        return False
    return True


def _put(data: dict[str, Any], field: _Field, value: object) -> None:
    if field.table:
        data.setdefault(field.table, {})[field.key] = value
    else:
        data[field.key] = value
