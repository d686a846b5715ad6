"""The version of a projection: a hash of all that decides the stored form, so that nobody can forget to raise it.

Balances of another version are left alone; the journal is folded anew.
"""

import hashlib
from collections.abc import Mapping
from typing import Final, get_type_hints

from msgspec import Struct
from msgspec.structs import fields

from domain.canonical import canonical
from domain.fold.blocks import LEAST, Block, Given, Run, Taken
from domain.fold.casefiles import CaseFile, ReceivedFile
from domain.fold.cells import Cell, MonthState, Stream, Waiting
from domain.fold.ratings import CLOSED_AFTER
from domain.measures import MEASURES
from projections.store.schema import METADATA

_RATINGS: Final[Mapping[str, type[Struct]]] = {
    "month of ratings": MonthState,
    "cell": Cell,
    "stream": Stream,
    "run": Run,
    "rating given": Given,
    "rating taken out": Taken,
    "block": Block,
    "waiting": Waiting,
}
"""The stored forms of ratings, each by a name that stays when the class is named otherwise."""
MEANING: Final = 1
"""Raised by hand when a measure counts something else under its old name; a test then demands it."""


def stored_form() -> dict[str, object]:
    """All that decides the stored form of an entry, and so what can be read back: measures, tables, case files, ratings.

    Indexes are left out: they change how fast an answer is found, and a store adds those it lacks.
    """
    return {
        "meaning": MEANING,
        "measures": MEASURES,
        "tables": {
            name: [[str(column.name), str(column.type), bool(column.primary_key)] for column in table.columns]
            for name, table in METADATA.tables.items()
        },
        "case file": _fields_of(CaseFile),
        "receipt": [[name, _without_names(type_)] for name, type_ in get_type_hints(ReceivedFile).items()],
        "ratings": {name: _fields_of(form) for name, form in _RATINGS.items()},
        "block": [LEAST, CLOSED_AFTER.days],
    }


def _fields_of(form: type[Struct]) -> list[list[str]]:
    """The fields of a struct in their order, by which some are stored."""
    return [[field.name, _without_names(field.type)] for field in fields(form)]


def _without_names(type_: object) -> str:
    """A type as written; a class of ours by its definition, since its name is not stored."""
    text = repr(type_)
    forms: dict[str, type] = {"receipt": ReceivedFile, **_RATINGS}
    for name, form in forms.items():
        text = text.replace(f"<class '{_name_of(form)}'>", name).replace(_name_of(form), name)
    return text


def _name_of(form: type) -> str:
    return f"{form.__module__}.{form.__qualname__}"


_NUMBERED: Final = {"9245548c0a3c945861400c81bcee2891d4059cde13ef40f0e8991ef3acfa6596": 2}
"""The form that was numbered by hand before versions were derived: its balances open without a new fold."""


def version_of(form: Mapping[str, object]) -> int:
    """The version of a stored form: 28 bits of its hash, which every database's integer holds."""
    name = hashlib.sha256(canonical(form)).hexdigest()
    return _NUMBERED.get(name, int(name[:7], 16))


PROJECTION_VERSION: Final = version_of(stored_form())
