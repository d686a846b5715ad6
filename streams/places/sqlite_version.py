"""The SQLite build: a warning when it has the WAL-reset bug."""

from __future__ import annotations

import sqlite3
from typing import Final

FIRST_FIXED: Final = (3, 51, 3)
"""The first SQLite without the WAL-reset corruption bug of 3.7.0 to 3.51.2."""
BACKPORTED: Final = ((3, 50, 7), (3, 44, 6))
"""Earlier versions that received the correction too."""


def sqlite_warning(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str | None:
    """A warning when a SQLite build, by default this one, has the WAL-reset bug."""
    if version >= FIRST_FIXED or version in BACKPORTED:
        return None
    return (
        f"SQLite {'.'.join(map(str, version))} has the WAL-reset bug (3.7.0 to 3.51.2): rare corruption when several "
        "connections write and checkpoint at once. Neraca writes through one connection; a Python built with "
        "SQLite 3.51.3 or later avoids it."
    )
