"""Searching the journal in SQL: the lines that may match, by their type and by texts in them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from domain.events.kinds import OPENED_TYPE, REVERSAL_TYPES, RULE_TYPES

if TYPE_CHECKING:
    from projections.ports import LineSearch


def index_name(name: str, types: str) -> str:
    """The ending of a partial index's name: an index over another list of types gets another name, and is made anew."""
    return f"{name}_{hashlib.sha256(types.encode()).hexdigest()[:8]}"


RARE_TYPES: Final = frozenset({*REVERSAL_TYPES, *RULE_TYPES, OPENED_TYPE})
"""Types of which a journal holds few: an index of their own finds them in all of it."""
RARE_LIST: Final = ", ".join(f"'{topic}'" for topic in sorted(RARE_TYPES))
RARE_INDEX: Final = index_name("rare", RARE_LIST)
RUN: Final = 50_000
"""The most positions one search scans without an index: some 50 ms."""
_LONGEST: Final = 1000
"""A longer text is searched for by its beginning; databases limit the length of a pattern."""


def is_rare(search: LineSearch) -> bool:
    """True if the index of rare types answers a search."""
    return bool(search.types) and RARE_TYPES.issuperset(search.types)


def condition(search: LineSearch, matches: str, mark: str) -> tuple[str, list[str]]:
    """A search as a condition in SQL, and the values of its marks.

    ``matches`` compares a line with the pattern at one ``mark``. The condition repeats the index's list of rare types:
    databases use a partial index only for a query that implies its condition.
    """
    parts, values = list[str](), list[str]()
    if search.types:
        parts.append(f"topic IN ({', '.join([mark] * len(search.types))})")
        values += search.types
        if is_rare(search):
            parts.append(f"topic IN ({RARE_LIST})")
    for group in search.texts:
        parts.append(f"({' OR '.join([matches] * len(group))})")
        values += map(_pattern, group)
    return " AND ".join(["TRUE", *parts]), values


def _pattern(text: str) -> str:
    pattern = text[:_LONGEST].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{pattern}%"
