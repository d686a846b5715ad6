"""A worker's name. Who starts under it takes it, and fences off who had it; from whom it was taken waits until nobody has it."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import psycopg

from streams.places.directory import NoDatabase

if TYPE_CHECKING:
    from pathlib import Path

_NAMES: Final = 730_553
"""The class of the advisory locks that processes share by the name they have."""
_ALIVE: Final = ("SET tcp_keepalives_idle = 10", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3")
"""A machine that lost its power is noticed within half a minute, and its name is free."""
WAIT_S: Final = 1.0
LOG: Final = logging.getLogger("neraca.worker")
Db = psycopg.Connection[tuple[Any, ...]]


def claimed(db: Db, name: str, directory: Path) -> int:
    """Take a name for as long as ``db`` stands; the epoch, greater than that of every process that had the name before.

    ``directory`` is the supervisor's. Its first process takes the name at once; a later one finds out whether it was
    taken since, and then waits. Raises: ``NoDatabase``.
    """
    file = directory / "holder"
    later = file.exists()
    if not later:
        file.write_text(uuid4().hex, encoding="ascii")
    holder = file.read_text(encoding="ascii")
    try:
        for setting in _ALIVE:
            db.execute(setting.encode())
        if later:
            _await(db, name, holder)
        db.execute("SELECT pg_advisory_lock_shared(%s, hashtext(%s))", (_NAMES, name))
        return next_epoch(db, name, holder)
    except psycopg.OperationalError as error:
        message = f"the name {name}: {str(error).strip()}"
        raise NoDatabase(message) from error


def next_epoch(db: Db, name: str, holder: str) -> int:
    """The name is this holder's from now on; its epoch."""
    row = db.execute(
        "INSERT INTO neraca.workers AS held VALUES (%s, 1, %s) "
        "ON CONFLICT (name) DO UPDATE SET epoch = held.epoch + 1, holder = excluded.holder RETURNING epoch",
        (name, holder),
    ).fetchone()
    assert row is not None, "an insertion that returns"  # noqa: S101 - for the type checker
    return int(row[0])


def _await(db: Db, name: str, holder: str) -> None:
    """Wait while the name is another's and a process of it lives; end with a supervisor that is gone."""
    parent, said = os.getppid(), False
    while True:
        row = db.execute("SELECT holder FROM neraca.workers WHERE name = %s", (name,)).fetchone()
        free = db.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (_NAMES, name)).fetchone()
        if row is None or row[0] == holder or (free is not None and free[0]):
            return
        if not said:
            LOG.warning("another process took the name %s; waiting until nobody has it", name)
        said = True
        time.sleep(WAIT_S)
        if os.getppid() != parent:
            raise SystemExit(0)
