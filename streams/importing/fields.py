"""The fields of each kind that a row of a file can state, and how their cells are read."""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, get_origin

from msgspec import structs
from msgspec.structs import FieldInfo

from domain.events.kinds import KINDS, Kind
from domain.events.submitted import types_in
from domain.intake.checks import is_instant

TIME: Final = "time"
_TABLE: Final = dict[str, int]


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
    return frozenset(str if get_origin(type_) is Literal else type_ for type_ in types_in(field.type))


def _fields_of(kind: Kind) -> Fields | None:
    """The fields of a kind that cells can fill; ``None`` where one that it requires is no text and no number."""
    declarations = [(field.encode_name, field.required, _types(field)) for field in structs.fields(kind.submitted)]
    cells = [(name, is_required, types) for name, is_required, types in declarations if types <= {str, int, _TABLE}]
    if sum(is_required for _, is_required, _ in cells) < sum(is_required for _, is_required, _ in declarations):
        return None
    return Fields(
        tuple(name for name, is_required, _ in cells if is_required),
        tuple(name for name, is_required, _ in cells if not is_required),
        frozenset(name for name, _, types in cells if types & {int, _TABLE}),
        frozenset(name for name, _, types in cells if _TABLE in types),
    )


FIELDS: Final = {name: fields for name, kind in KINDS.items() if (fields := _fields_of(kind)) is not None}
"""The kinds that a row can state: neither reversals nor schemes, whose data no cell can hold."""
_WHOLE_IDENTITIES: Final = {
    name: tuple(field for field in fields.required if field != "reason") for name, fields in FIELDS.items()
}
"""By kind the fields that identify a row without a natural key."""
_WHOLE_NUMBERS: Final = frozenset(name for fields in FIELDS.values() for name in fields.whole_numbers)


def is_moment(field: str) -> bool:
    """True if a field's cells are read by the mapping's formats of time, and written with an offset."""
    return field == TIME or is_instant(field)


def is_whole_number(field: str) -> bool:
    """A whole number is an integer on the wire, in any notation of the file."""
    return root_of(field) in _WHOLE_NUMBERS


def root_of(field: str) -> str:
    """The field that a dotted name lies in."""
    return field.partition(".")[0]


def identity_of(kind: Kind, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields by which a fact or a note is known again, whatever else it says.

    They are those of the natural key that applies; of a task its dinas, ASN, name and completion.
    """
    key = next((key.fields for key in kind.natural_keys if key.applies(data)), None)
    return key or _WHOLE_IDENTITIES[kind.name]
