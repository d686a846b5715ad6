"""The data directory of an embedded Neraca: who may use it, and what lies in it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FIRST_FIXED: Final = (3, 51, 3)
"""The first SQLite without the WAL-reset corruption bug of 3.7.0 to 3.51.2."""


class InUse(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """Another process holds the data directory."""


class DataDirectory:
    """Paths under ``--data``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = path / "journal.sqlite"
        self.balances = path / "balances"
        self.tokens = path / "tokens.sqlite"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the directory alone; it is created if missing. Raises: ``InUse``, naming the process that holds it."""
        self.path.mkdir(parents=True, exist_ok=True)
        with (self.path / "lock").open("a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.seek(0)
                message = (
                    f"{self.path}: another neraca (process {lock.read().strip() or 'unknown'}) is using this directory"
                )
                raise InUse(message) from None
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield


def sqlite_warning(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str | None:
    """A sentence when a SQLite build, by default this one, has the WAL-reset bug."""
    if version >= FIRST_FIXED or version in ((3, 50, 7), (3, 44, 6)):
        return None
    return (
        f"SQLite {'.'.join(map(str, version))} has the WAL-reset bug (3.7.0 to 3.51.2): rare corruption when several "
        "connections write and checkpoint at once. Neraca writes through one connection; a Python built with "
        "SQLite 3.51.3 or later avoids it."
    )
