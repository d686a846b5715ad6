"""The data directory of an embedded Neraca: its files, and the lock that lets one process use it."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from projections.store.generations_sqlite import Generations, sqlite_engine
from projections.store.private import ensure_private, make_directory, make_file
from streams.places.location import InUse
from streams.places.security import SecurityStore
from streams.places.tokens import TokenStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path


SECURITY: Final = "security.sqlite"
OWN: Final = (
    "journal.sqlite",
    "tokens.sqlite",
    SECURITY,
    "balances",
    "lock",
    "link",
    "secret",
    "demo.json",
    "latihan.json",
)
"""The beginnings of the names of all that a directory holds."""


class JournalFile(NamedTuple):
    """A journal in a file of SQLite."""

    path: Path

    @property
    def label(self) -> str:
        """The file's name for people."""
        return str(self.path)

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which the event store's library finds the journal; its file is this account's alone from the first."""
        make_directory(self.path.parent)
        make_file(self.path)
        return {"PERSISTENCE_MODULE": "streams.journal.sqlite:JournalFactory", "SQLITE_DBNAME": str(self.path)}

    def exists(self) -> bool:
        """True if there is such a file."""
        return self.path.exists()


class DataDirectory:
    """The directory named by ``--data``."""

    unavailable: tuple[type[Exception], ...] = ()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.label = str(path)
        self.journal = JournalFile(path / "journal.sqlite")
        self.tokens = path / "tokens.sqlite"

    def ensure_private(self) -> None:
        """See that no other account of the machine reaches the directory. Raises: ``NotPrivate``."""
        ensure_private(self.path, OWN)

    def generations(self) -> Generations:
        """The generations of balances."""
        return Generations(self.path / "balances")

    def token_store(self) -> TokenStore:
        """The tokens; made if missing."""
        make_directory(self.path)
        return TokenStore(sqlite_engine(self.tokens))

    def security_log(self) -> SecurityStore:
        """The security log; made if missing."""
        make_directory(self.path)
        return SecurityStore(sqlite_engine(self.path / SECURITY))

    def rebuilding(self) -> AbstractContextManager[None]:
        """The lock that a rebuild holds: the same one, since files are not shared. Raises: ``InUse``."""
        return self.locked()

    def for_subprocess(self) -> tuple[list[str], dict[str, str]]:
        """The options and the settings that name this directory to another process of the program."""
        return ["--data", str(self.path)], {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that uses the directory; it is created if missing. Raises: ``InUse``, naming the other process."""
        make_directory(self.path)
        make_file(self.path / "lock")
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
