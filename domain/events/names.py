"""The spelling of a kind as the CloudEvents ``type`` of its events, ``neraca.<kind>.v1``, and its reading.

Nothing else in the project puts this together or cuts it apart.
"""

import re
from typing import Final

_PREFIX: Final = "neraca."
_VERSION: Final = "1"
_SUFFIX: Final = f".v{_VERSION}"
_TYPE: Final = re.compile(r"neraca\.([a-z-]+)\.v(\d+)", re.ASCII)


def type_of(kind: str) -> str:
    """The type of a kind's events, in the version this code writes."""
    return f"{_PREFIX}{kind}{_SUFFIX}"


def kind_of(type_: str) -> str:
    """The kind that a type names; a version other than this code's stays part of it."""
    return type_.removeprefix(_PREFIX).removesuffix(_SUFFIX)


def other_version(type_: str) -> tuple[str, str] | None:
    """The kind and the version of a well-formed type that is of another version than this code's."""
    match = _TYPE.fullmatch(type_)
    return None if match is None or match[2] == _VERSION else (match[1], match[2])
