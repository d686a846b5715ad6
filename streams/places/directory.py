"""The data directory of an embedded Neraca: who may use it, and what lies in it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from projections.store.generations_sqlite import Generations, sqlite_engine
from streams.places.tokens import TokenStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from projections.store.store import Store
    from streams.journal.journal import Kept as JournalKept

FIRST_FIXED: Final = (3, 51, 3)
"""The first SQLite without the WAL-reset corruption bug of 3.7.0 to 3.51.2."""


class InUse(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """Another process holds the data directory."""


class NoDatabase(Exception):  # noqa: N818 - an answer to the operator
    """The database that is named cannot be used; the message says why, without a secret."""


class InFile(NamedTuple):
    """A journal kept in a file of SQLite."""

    path: Path

    @property
    def shown(self) -> str:
        """The file."""
        return str(self.path)

    @property
    def environment(self) -> dict[str, str]:
        """How the event store's library finds it."""
        return {"PERSISTENCE_MODULE": "streams.journal.sqlite:JournalFactory", "SQLITE_DBNAME": str(self.path)}

    def exists(self) -> bool:
        """Whether there is such a file."""
        return self.path.exists()


class Kept(Protocol):
    """The generations of balances, wherever they are kept."""

    def current(self) -> tuple[int, Store] | None:
        """The generation served, or ``None`` when there is none of this version."""
        ...

    def begin(self) -> tuple[int, Store]:
        """A new, empty generation, served by nobody yet."""
        ...

    def flip(self, generation: int, finish: Callable[[], object] = ..., *, undivided: bool = ...) -> None:
        """Serve a generation from now on, once ``finish`` has caught it up."""
        ...

    def sweep(self, keep: int) -> None:
        """Remove older generations."""
        ...


class Place(Protocol):
    """Where a Neraca keeps journal, balances and tokens: a directory, or a database."""

    @property
    def shown(self) -> str:
        """How it is named to people; no secret."""
        ...

    @property
    def journal(self) -> JournalKept:
        """Where the journal is."""
        ...

    @property
    def away(self) -> tuple[type[Exception], ...]:
        """What reading raises while it cannot be reached for a moment."""
        ...

    def generations(self) -> Kept:
        """The generations of balances."""
        ...

    def token_store(self) -> TokenStore:
        """The tokens; made if missing."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Be the one process that folds here. Raises: ``InUse``."""
        ...

    def rebuilding(self) -> AbstractContextManager[None]:
        """What a rebuild holds for its length. Raises: ``InUse``."""
        ...

    def told(self) -> tuple[list[str], dict[str, str]]:
        """The options, and the settings, by which another process of the program is told of it."""
        ...


class DataDirectory:
    """What lies under ``--data``."""

    away: tuple[type[Exception], ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shown = str(path)
        self.journal = InFile(path / "journal.sqlite")
        self.tokens = path / "tokens.sqlite"

    def generations(self) -> Generations:
        """The generations of balances."""
        return Generations(self.path / "balances")

    def token_store(self) -> TokenStore:
        """The tokens; made if missing."""
        self.path.mkdir(parents=True, exist_ok=True)
        return TokenStore(sqlite_engine(self.tokens))

    def rebuilding(self) -> AbstractContextManager[None]:
        """A rebuild needs the directory alone: its files are not shared."""
        return self.locked()

    def told(self) -> tuple[list[str], dict[str, str]]:
        """The options, and the settings, by which another process of the program is told of it."""
        return ["--data", str(self.path)], {}

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


def serving(generations: Kept) -> tuple[int, Store]:
    """The generation served; a new one where there is none of this version, asked for anew so that its guard stands."""
    current = generations.current()
    if current is None:
        number, fresh = generations.begin()
        fresh.engine.dispose()
        generations.flip(number)
        current = generations.current()
    assert current is not None, "just flipped"  # noqa: S101 - for the type checker
    return current


def sqlite_warning(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str | None:
    """A sentence when a SQLite build, by default this one, has the WAL-reset bug."""
    if version >= FIRST_FIXED or version in ((3, 50, 7), (3, 44, 6)):
        return None
    return (
        f"SQLite {'.'.join(map(str, version))} has the WAL-reset bug (3.7.0 to 3.51.2): rare corruption when several "
        "connections write and checkpoint at once. Neraca writes through one connection; a Python built with "
        "SQLite 3.51.3 or later avoids it."
    )
