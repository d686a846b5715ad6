"""Generations of balances on SQLite: a file each, and a pointer to the generation that is served.

A rebuild fills a new file beside the live one. Then the pointer is replaced in one step; no file in use is replaced.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Engine, create_engine, event

from projections.store.private import make_directory, make_file, write_private
from projections.store.store import Store
from projections.store.version import PROJECTION_VERSION


class Pointer(Struct, frozen=True):
    """The served generation, and the version of the projection that folded it."""

    generation: int
    version: int


def sqlite_engine(path: Path) -> Engine:
    """An engine whose transactions each see one snapshot. A lost tail is folded again, so NORMAL is durable enough."""
    make_file(path)
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: object) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-16384")
        # Transactions write the same pages again and again, so the WAL is checkpointed after 32 MB, not after 4.
        connection.execute("PRAGMA wal_autocheckpoint=8000")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401 - a SQLAlchemy connection
        connection.exec_driver_sql("BEGIN")

    return engine


class Generations:
    """The generations under one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        make_directory(directory)

    def current(self) -> tuple[int, Store] | None:
        """The generation served, or ``None`` when there is none of this version."""
        try:
            pointer = msgspec.json.decode((self._directory / "current").read_bytes(), type=Pointer)
        except FileNotFoundError:
            return None
        if pointer.version != PROJECTION_VERSION or not self._path(pointer.generation).exists():
            return None
        store = Store(sqlite_engine(self._path(pointer.generation)))
        store.complete()
        return pointer.generation, store

    def begin(self) -> tuple[int, Store]:
        """A new, empty generation, not served yet."""
        numbers = [int(path.stem.split("-")[1]) for path in self._directory.glob("generation-*.sqlite")]
        generation = max(numbers, default=0) + 1
        store = Store(sqlite_engine(self._path(generation)))
        store.create()
        return generation, store

    def flip(
        self,
        generation: int,
        finish: Callable[[], object] = lambda: None,
        *,
        undivided: bool = True,  # noqa: ARG002 - in a file all is folded as one
    ) -> None:
        """Serve a generation from now on, once ``finish`` has caught it up. The change survives a power cut."""
        finish()
        write_private(self._directory / "current", msgspec.json.encode(Pointer(generation, PROJECTION_VERSION)))

    def sweep(self, keep: int) -> None:
        """Remove the files of every other generation; call it when nobody reads them."""
        for path in self._directory.glob("generation-*"):
            if path.stem.split(".")[0] != f"generation-{keep}":
                path.unlink(missing_ok=True)

    def _path(self, generation: int) -> Path:
        return self._directory / f"generation-{generation}.sqlite"
