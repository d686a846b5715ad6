"""The shape of data: every field that is missing, unknown or of another type, each by the pointer to its very place.

A decoder stops at the first wrong value, and names none below a key of its sender's choosing; so where one refuses, the
data are walked here beside their types.
"""

from functools import cache
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import Struct

from domain.events.submitted import types_in
from domain.refusal import Fault, pointer

REQUIRED: Final = "is required"
UNKNOWN: Final = "is no field of this kind"


def shape_faults(value: object, kind_struct: object, at: str) -> list[Fault]:
    """Every fault of the shape of a JSON value that should be of a type; none if a decoder takes it."""
    if isinstance(kind_struct, type) and issubclass(kind_struct, Struct):
        return _struct_faults(value, kind_struct, at) if isinstance(value, dict) else _own_faults(value, dict, at)
    origin, inner = get_origin(kind_struct), get_args(kind_struct)
    if origin is dict and isinstance(value, dict):
        return [fault for name, part in value.items() for fault in shape_faults(part, inner[1], pointer(at, name))]
    if origin is tuple and isinstance(value, list):
        return [fault for index, part in enumerate(value) for fault in shape_faults(part, inner[0], f"{at}/{index}")]
    return _own_faults(value, kind_struct, at)


def _struct_faults(value: dict[str, Any], kind_struct: type[Struct], at: str) -> list[Fault]:
    fields, faults = _fields(kind_struct), list[Fault]()
    faults += [Fault(pointer(at, name), REQUIRED) for name, (_, needs) in fields.items() if needs and name not in value]
    faults += [Fault(pointer(at, name), UNKNOWN) for name in value if name not in fields]
    for name, (type_, _) in fields.items():
        if name in value:
            faults += shape_faults(value[name], type_, pointer(at, name))
    return faults


@cache
def _fields(kind_struct: type[Struct]) -> dict[str, tuple[object, bool]]:
    """The fields of a struct by their names on the wire: the type of each, and whether it is required."""
    return {field.encode_name: (_one_type(field.type), field.required) for field in msgspec.structs.fields(kind_struct)}


def _one_type(annotation: object) -> object:
    """The type of a value that may be left out; of several, as they stand."""
    types = types_in(annotation)
    return next(iter(types)) if len(types) == 1 and type(None) not in get_args(annotation) else annotation


def _own_faults(value: object, kind_struct: Any, at: str) -> list[Fault]:  # noqa: ANN401 - any annotation
    """The fault of a value by itself, in the decoder's words."""
    try:
        msgspec.convert(value, kind_struct)
    except msgspec.ValidationError as error:
        detail = str(error).partition(" - at `")[0]
        return [Fault(at, detail[0].lower() + detail[1:])]
    return []
