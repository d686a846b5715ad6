"""A mapping of a file's columns to one kind of event, written in TOML and checked before a row is read.

Refuses a key, a field or a time format it does not know, and a required field that nothing fills: a misspelt name must
stop the import, not thin it out.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, Self

import msgspec

from streams.importing import checking
from streams.importing.checking import MappingError, fault
from streams.importing.fields import FIELDS, is_moment, is_whole_number, root_of
from streams.importing.formats import ISO

__all__ = ["FIELDS", "Mapping", "MappingError", "is_moment", "is_whole_number"]


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The keys of a mapping file, as its author writes them. `docs/reference/mapping.md` shows each with an example."""

    kind: str
    source: str
    fields: dict[str, str | list[str] | dict[str, str]]
    fixed: dict[str, str | int] = {}
    values: dict[str, dict[str, str]] = {}
    times: list[str] = msgspec.field(default_factory=lambda: [ISO])
    zone: str | None = None
    dates: list[str] = []
    identity: list[str] = []
    blank: list[str] = []
    skip_without: str | None = None
    one_per: str | None = None
    join: str = "/"
    delimiter: str = ","
    decimal: Literal[".", ","] | None = None
    encoding: Literal["utf-8", "utf-16", "windows-1252"] = "utf-8"
    sheet: str | None = None


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
    zone: str | None
    dates: frozenset[str]
    identity: tuple[str, ...]
    skip_without: str | None
    one_per: str | None
    join: str
    delimiter: str
    decimal: str | None
    encoding: str
    sheet: str | None

    @classmethod
    def load(cls, path: Path | str, overrides: dict[str, str] | None = None) -> Self:
        """A mapping file is usable whole or not at all; ``overrides`` replace what it says of a field, or the source.

        Raises: ``MappingError``.
        """
        keys = _parse(path)
        settings = dict(overrides or {})
        for name, text in settings.items():
            if not text.strip():
                raise fault(path, f"--set {name}", "a value after the '='")
        source = settings.pop("source", keys.source)
        flat = dict(_flat(keys))
        columns = {field: names for field, names in flat.items() if field not in settings}
        constants = {field: str(value) for field, value in keys.fixed.items()} | settings
        checking.check_source(path, keys.kind, source)
        checking.check_form(path, keys.delimiter, keys.times, keys.zone)
        checking.check_fields(path, keys.kind, columns, constants)
        checking.check_names(path, flat, keys)
        plain = {name: getattr(keys, name) for name in _AS_WRITTEN}
        return cls(
            file=str(path),
            source=source,
            columns=columns,
            fixed=constants,
            values={field: _replaced(keys, field) for field in columns},
            times=tuple(keys.times),
            occurred=checking.occurred(path, keys.kind, columns.keys() | constants.keys()),
            dates=frozenset(keys.dates),
            identity=tuple(keys.identity),
            **plain,
        )

    def uses(self) -> dict[str, str]:
        """Every column a file must have, and the first key of the mapping that names it."""
        uses: dict[str, str] = {}
        for field, names in self.columns.items():
            for column in names:
                uses.setdefault(column, f"fields.{field}")
        for column in self.identity:
            if column not in self.columns and column not in self.fixed:
                uses.setdefault(column, "identity")
        if self.skip_without is not None:
            uses.setdefault(self.skip_without, "skip_without")
        if self.one_per is not None:
            uses.setdefault(self.one_per, "one_per")
        return uses

    def requires(self, field: str) -> bool:
        """Without a required field, or without its time, a row states no event."""
        return field in FIELDS[self.kind].required or field == self.occurred


_AS_WRITTEN: Final = ("kind", "zone", "skip_without", "one_per", "join", "delimiter", "decimal", "encoding", "sheet")


def _replaced(keys: Written, field: str) -> dict[str, str]:
    """The texts of a field's cells, and what to read for them."""
    own = keys.values.get(field) or keys.values.get(root_of(field), {})
    return dict.fromkeys(keys.blank, "") | own


def _parse(path: Path | str) -> Written:
    try:
        return msgspec.convert(tomllib.loads(Path(path).read_text(encoding="utf-8-sig")), Written)
    except OSError as error:
        message = f"{path}: expected a mapping: {error.strerror or error}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: expected TOML: {error}"
    except msgspec.ValidationError as error:
        message = f"{path}: {error}"
    raise MappingError(message)


def _flat(keys: Written) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every field with the columns it is made of, the fields of a table under their dotted names."""
    for field, spec in keys.fields.items():
        if isinstance(spec, dict):
            yield from ((f"{field}.{inner}", (column,)) for inner, column in spec.items())
        else:
            yield field, (spec,) if isinstance(spec, str) else tuple(spec)
