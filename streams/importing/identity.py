"""The ids of events that are made of rows: by what a row is about, not by all that it says or by how it is spelt.

The former version named an event by all of its content. The id that it would have given is made too, so that a row which was
recorded then is known again.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from domain.clock import instant_of
from domain.events.kinds import KINDS
from streams.importing.fields import TIME, identity_of
from streams.importing.moments import Moment

_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


class Naming:
    """Names the events of one file, row by row; identical rows of a kind without a natural key get numbers of their own."""

    def __init__(self, kind: str) -> None:
        self._kind = KINDS[kind]
        self._numbers: dict[bytes, int] = {}
        self._former: dict[bytes, int] = {}

    def id_of(
        self, data: Mapping[str, Any], time: object, moments: Mapping[str, Moment], columns: Mapping[str, object]
    ) -> str:
        """The id of a row; ``named`` holds the values of the columns by which the mapping identifies it, if it does so.

        Raises: ``UnicodeEncodeError`` for text that is not UTF-8.
        """
        values = {name: _value(name, value, moments) for name, value in data.items()}
        fields = ("dinas",) if columns else identity_of(self._kind, data)
        about = {name: values[name] for name in fields if name in values}
        identity = _digest({"kind": self._kind.name, "about": about, "named": dict(columns)})
        number = 1
        if self._kind.natural_key(data) is None and self._kind.role == "fact":
            content = _digest({"identity": identity.hex(), "data": values, "time": _value(TIME, time, moments)})
            number = self._numbers[content] = self._numbers.get(content, 0) + 1
        return f"{identity.hex()}-{number}"

    def former_id(self, data: Mapping[str, Any], time: object) -> str:
        """The id by the rule of the former version: the hash of all that a row says, and its number among equal ones."""
        digest = _digest({"kind": self._kind.name, "data": data, "time": time})
        number = self._former[digest] = self._former.get(digest, 0) + 1
        return f"{digest.hex()}-{number}"


def _value(name: str, value: object, moments: Mapping[str, Moment]) -> object:
    """A value as it enters an id: an instant as its number, text without white space around it."""
    moment = moments.get(name)
    if moment is not None:
        return instant_of(moment.usual)
    return value.strip() if isinstance(value, str) else value


def _digest(content: object) -> bytes:
    return hashlib.sha256(_ENCODE(content)).digest()[:16]
