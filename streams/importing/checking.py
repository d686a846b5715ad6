"""The checks of a mapping: each fault names the file, the key, and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from streams.importing.fields import FIELDS, TIME, is_moment
from streams.importing.formats import ISO, Pattern, zone_in
from streams.importing.words import ZONE_MINUTES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from pathlib import Path


class MappingError(ValueError):
    """A mapping cannot be used, or not with this file: the message names the file, the key and what was expected."""


class Named(Protocol):
    """The keys of a mapping that name fields."""

    @property
    def fields(self) -> Mapping[str, object]:
        """The fields with columns."""
        ...

    @property
    def values(self) -> Mapping[str, object]:
        """The fields with replacements."""
        ...

    @property
    def dates(self) -> Sequence[str]:
        """The fields that hold days."""
        ...

    @property
    def fixed(self) -> Mapping[str, object]:
        """The fields with one value."""
        ...


def fault(path: Path | str, key: str, expectation: str) -> MappingError:
    """The error of a key."""
    return MappingError(f"{path}: {key}: expected {expectation}")


def check_source(path: Path | str, kind: str, source: str) -> None:
    """The kind is one that a row can state, and the source has a name."""
    if kind not in FIELDS:
        raise fault(path, "kind", f"one of {', '.join(FIELDS)}; got {kind!r}")
    if not source.strip():
        raise fault(path, "source", "the name of the sending system, such as /import/loket")


def check_form(path: Path | str, delimiter: str, times: Sequence[str], zone: str | None) -> None:
    """The delimiter is one character, each format of time names a moment, and the zone is one."""
    if len(delimiter) != 1 or delimiter in '\r\n" ':
        raise fault(path, "delimiter", f"one character; got {delimiter!r}")
    if not times:
        raise fault(path, "times", "at least one format")
    for pattern in times:
        if pattern != ISO:
            _check_pattern(path, pattern)
    if zone is not None:
        zone_of(zone, path)


def _check_pattern(path: Path | str, pattern: str) -> None:
    literal_and_right = zone_in(pattern)
    if literal_and_right is not None:
        literal, right = literal_and_right
        reads = literal.casefold() in ZONE_MINUTES or any(sign in literal for sign in "+-\u2212")
        remedy = f"{right!r}, which reads the zone" if reads else f"{right!r} and an offset such as +07:00 in the cells"
        passes = f"{pattern!r} passes over {literal!r}, and its times would be taken as local"
        raise fault(path, "times", f"{remedy}; {passes}")
    try:
        Pattern(pattern)
    except ValueError:
        expectation = "'iso', or a strptime format of a date, alone or with hours and minutes (%H or %I %p), no %Z"
        zone = ": %z reads Z, UTC, GMT, WIB, WITA, WIT and offsets" if "%Z" in pattern else ""
        raise fault(path, "times", f"{expectation}{zone}; got {pattern!r}") from None


def check_fields(
    path: Path | str, kind: str, columns: Mapping[str, tuple[str, ...]], constants: Mapping[str, str]
) -> None:
    """Each field exists in the kind and is filled once, and each required field is filled."""
    fields = FIELDS[kind]
    all_names = {*fields.required, *fields.optional, TIME}
    for field in (*columns, *constants):
        root, dot, inner = field.partition(".")
        if root not in all_names or bool(dot and inner) != (root in fields.tables):
            raise fault(path, field, f"a field of {kind}: {', '.join(sorted(all_names))}")
    for field, names in columns.items():
        if field in constants:
            raise fault(path, field, "a column or a fixed value, not both")
        if not names or not all(names):
            raise fault(path, f"fields.{field}", "the name of a column, or of several")
    for field in sorted(set(fields.required) - columns.keys() - constants.keys()):
        raise fault(path, field, f"a column or a fixed value, as {kind} requires it: give it with --set {field}=…")
    if not columns:
        raise fault(path, "fields", "at least one column")


def check_names(path: Path | str, flat: Mapping[str, object], keys: Named) -> None:
    """Each key that names a field names one of the mapping."""
    for name in keys.values:
        if name not in flat and name not in keys.fields:
            raise fault(path, f"values.{name}", "the name of a field in [fields]")
    for name in keys.dates:
        if not is_moment(name) or (name not in flat and name not in keys.fixed):
            moments = ", ".join(filter(is_moment, flat)) or "none"
            raise fault(path, "dates", f"fields of this mapping that are times ({moments}); got {name!r}")


def occurred(path: Path | str, kind: str, with_value: AbstractSet[str]) -> str:
    """The event's own time is field ``time`` where it is filled, else the instant that the kind requires."""
    for field in (TIME, FIELDS[kind].occurrence):
        if field in with_value:
            return field
    raise fault(path, "fields.time", "the column that says when it happened: give one, or --set time=…")


def zone_of(name: str, path: Path | str | None = None) -> ZoneInfo:
    """A time zone by its name. Raises: ``MappingError``."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        place = "" if path is None else f"{path}: "
        message = f"{place}zone: expected a name such as Asia/Jakarta; got {name!r}"
        raise MappingError(message) from None
