"""A mapping of a file's columns to one kind of event, written in TOML and checked before a row is read.

Refuses a key, a field or a time format it does not know, and a required field that nothing fills: a misspelt name must
stop the import, not thin it out.
"""

import tomllib
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self, get_origin

import msgspec
from msgspec import structs
from msgspec.structs import FieldInfo

from domain.events.kinds import KINDS, Kind
from domain.events.submitted import types_in
from domain.intake.checks import is_instant

TIME: Final = "time"
ISO: Final = "iso"
_TABLE: Final = dict[str, int]
_SAMPLE: Final = datetime(2001, 12, 31, 23, 45, tzinfo=UTC)


class Fields(NamedTuple):
    """The fields of a kind that the cells of a row can fill, in the order in which the kind declares them."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    whole_numbers: frozenset[str]
    tables: frozenset[str]

    @property
    def occurrence(self) -> str:
        """The field that is also the event's own time; ``time``, which must then have a column, in a kind without one."""
        return next(filter(is_instant, self.required), TIME)


def _types(field: FieldInfo) -> frozenset[object]:
    """The types that a value of a field may have; a closed list of texts is text."""
    return frozenset(str if get_origin(one) is Literal else one for one in types_in(field.type))


def _fields_of(kind: Kind) -> Fields | None:
    """The fields of a kind that cells can fill; ``None`` where one that it requires is no text and no number."""
    declared = [(field.encode_name, field.required, _types(field)) for field in structs.fields(kind.submitted)]
    cells = [(name, required, types) for name, required, types in declared if types <= {str, int, _TABLE}]
    if sum(required for _, required, _ in cells) < sum(required for _, required, _ in declared):
        return None
    return Fields(
        tuple(name for name, required, _ in cells if required),
        tuple(name for name, required, _ in cells if not required),
        frozenset(name for name, _, types in cells if types & {int, _TABLE}),
        frozenset(name for name, _, types in cells if _TABLE in types),
    )


FIELDS: Final = {name: fields for name, kind in KINDS.items() if (fields := _fields_of(kind)) is not None}
"""The kinds that a row can state: neither reversals nor schemes, whose data no cell can hold."""
_WHOLE_NUMBERS: Final = frozenset(name for fields in FIELDS.values() for name in fields.whole_numbers)


class MappingError(ValueError):
    """A mapping cannot be used, or not with this file: the message names the file, the key and what was expected."""


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a mapping file, as its author writes them.

    ``[fields]``: of each field its column, or several, put together with ``join``; of ``unsur`` a table of columns.
    Field ``time`` is the event's own time; left out, it is that of completion, of receipt, of a pause. A blank cell
    leaves its field out. ``[fixed]``: of each field one text for all rows. ``[values.FIELD]``: texts of cells and what
    to read for them. ``times``: formats tried in order, ``iso`` (ISO 8601, with or without an offset) or those of
    ``strptime``. ``skip_without``: a column without which a row is no event. ``one_per``: a column of whose values each
    makes one event, by its first row. ``delimiter``: of CSV.
    """

    kind: str
    source: str
    fields: dict[str, str | list[str] | dict[str, str]]
    fixed: dict[str, str | int] = {}
    values: dict[str, dict[str, str]] = {}
    times: list[str] = msgspec.field(default_factory=lambda: [ISO])
    skip_without: str | None = None
    one_per: str | None = None
    join: str = "/"
    delimiter: str = ","


class Mapping(msgspec.Struct, frozen=True):
    """The fields that a row of a file states.

    ``columns`` and ``fixed`` are keyed by field, ``unsur.waktu`` for a field inside another; ``values`` too, and hold
    what replaces a cell's text. ``occurred`` is the field that is the event's own time. The rest is as written.
    """

    file: str
    kind: str
    source: str
    columns: dict[str, tuple[str, ...]]
    fixed: dict[str, str]
    values: dict[str, dict[str, str]]
    times: tuple[str, ...]
    occurred: str
    skip_without: str | None
    one_per: str | None
    join: str
    delimiter: str

    @classmethod
    def load(cls, path: Path | str, overrides: dict[str, str] | None = None) -> Self:
        """A mapping file is usable whole or not at all; ``overrides`` replace what it says of a field, or the source.

        Raises: ``MappingError``.
        """
        written = _parse(path)
        given = dict(overrides or {})
        for name, text in given.items():
            if not text.strip():
                raise _error(path, f"--set {name}", "a value after the '='")
        source = given.pop("source", written.source)
        flat = dict(_flat(written))
        columns = {field: names for field, names in flat.items() if field not in given}
        fixed = {field: str(value) for field, value in written.fixed.items()} | given
        _check_keys(path, written, source)
        _check_fields(path, written.kind, columns, fixed)
        for name in written.values:
            if name not in flat and name not in written.fields:
                raise _error(path, f"values.{name}", "the name of a field in [fields]")
        return cls(
            file=str(path),
            kind=written.kind,
            source=source,
            columns=columns,
            fixed=fixed,
            values={field: written.values.get(field) or written.values.get(_root(field), {}) for field in columns},
            times=tuple(written.times),
            occurred=_occurred(path, written.kind, columns.keys() | fixed.keys()),
            skip_without=written.skip_without,
            one_per=written.one_per,
            join=written.join,
            delimiter=written.delimiter,
        )

    def uses(self) -> dict[str, str]:
        """Every column a file must have, and the first key of the mapping that names it."""
        used: dict[str, str] = {}
        for field, names in self.columns.items():
            for column in names:
                used.setdefault(column, f"fields.{field}")
        if self.skip_without is not None:
            used.setdefault(self.skip_without, "skip_without")
        if self.one_per is not None:
            used.setdefault(self.one_per, "one_per")
        return used

    def requires(self, field: str) -> bool:
        """Without a required field, or without its time, a row states no event."""
        return field in FIELDS[self.kind].required or field == self.occurred


def is_moment(field: str) -> bool:
    """True if a field's cells are read by the mapping's formats of time, and written with an offset."""
    return field == TIME or is_instant(field)


def is_whole_number(field: str) -> bool:
    """A whole number is an integer on the wire, in any notation of the file."""
    return _root(field) in _WHOLE_NUMBERS


def _root(field: str) -> str:
    return field.partition(".")[0]


def _error(path: Path | str, key: str, expected: str) -> MappingError:
    return MappingError(f"{path}: {key}: expected {expected}")


def _parse(path: Path | str) -> _Written:
    try:
        return msgspec.convert(tomllib.loads(Path(path).read_text(encoding="utf-8-sig")), _Written)
    except OSError as error:
        message = f"{path}: expected a mapping: {error.strerror or error}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: expected TOML: {error}"
    except msgspec.ValidationError as error:
        message = f"{path}: {error}"
    raise MappingError(message)


def _flat(written: _Written) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every field with the columns it is made of, the fields of a table under their dotted names."""
    for field, spec in written.fields.items():
        if isinstance(spec, dict):
            yield from ((f"{field}.{inner}", (column,)) for inner, column in spec.items())
        else:
            yield field, (spec,) if isinstance(spec, str) else tuple(spec)


def _check_keys(path: Path | str, written: _Written, source: str) -> None:
    if written.kind not in FIELDS:
        raise _error(path, "kind", f"one of {', '.join(FIELDS)}; got {written.kind!r}")
    if not source.strip():
        raise _error(path, "source", "the name of the sending system, such as /import/loket")
    if len(written.delimiter) != 1 or written.delimiter in '\r\n" ':
        raise _error(path, "delimiter", f"one character; got {written.delimiter!r}")
    if not written.times:
        raise _error(path, "times", "at least one format")
    for pattern in written.times:
        if pattern != ISO and not _names_a_moment(pattern):
            expected = "'iso', or a strptime format of a date, alone or with hours and minutes (%H or %I %p), no %Z"
            raise _error(path, "times", f"{expected}; got {pattern!r}")


def _check_fields(path: Path | str, kind: str, columns: dict[str, tuple[str, ...]], fixed: dict[str, str]) -> None:
    """Each field exists in the kind and is filled once, and each required field is filled."""
    fields = FIELDS[kind]
    known = {*fields.required, *fields.optional, TIME}
    for field in (*columns, *fixed):
        root, dot, inner = field.partition(".")
        if root not in known or bool(dot and inner) != (root in fields.tables):
            raise _error(path, field, f"a field of {kind}: {', '.join(sorted(known))}")
    for field, names in columns.items():
        if field in fixed:
            raise _error(path, field, "a column or a fixed value, not both")
        if not names or not all(names):
            raise _error(path, f"fields.{field}", "the name of a column, or of several")
    for field in sorted(set(fields.required) - columns.keys() - fixed.keys()):
        raise _error(path, field, f"a column or a fixed value, as {kind} requires it: give it with --set {field}=…")
    if not columns:
        raise _error(path, "fields", "at least one column")


def _occurred(path: Path | str, kind: str, filled: AbstractSet[str]) -> str:
    """The event's own time is field ``time`` where it is filled, else the instant that the kind requires."""
    for field in (TIME, FIELDS[kind].occurrence):
        if field in filled:
            return field
    raise _error(path, "fields.time", "the column that says when it happened: give one, or --set time=…")


def _names_a_moment(pattern: str) -> bool:
    """A format is usable if it reads back what it writes: %I without %p would lose the afternoons in silence."""
    if "%Z" in pattern:
        return False
    try:
        read = datetime.strptime(_SAMPLE.strftime(pattern), pattern).replace(tzinfo=UTC)
    except ValueError:
        return False
    return read in {_SAMPLE, _SAMPLE.replace(hour=0, minute=0)}
