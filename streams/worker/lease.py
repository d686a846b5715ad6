"""Worker leases: the newest process started under a name owns it; the previous owner is fenced off, and waits until it is free.

The lease lasts as long as the connection on which it was acquired.
"""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import psycopg

from streams.places.location import NoDatabase

if TYPE_CHECKING:
    from pathlib import Path

_NAMES: Final = 730_553
"""The class of the advisory locks that the owners of names hold."""
_KEEPALIVES: Final = (
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
"""A machine that lost its power is noticed within half a minute, and its name is free."""
WAIT_S: Final = 1.0
LOG: Final = logging.getLogger("neraca.worker")
Db = psycopg.Connection[tuple[Any, ...]]


def acquire(db: Db, name: str, directory: Path) -> int:
    """Own a name for as long as ``db`` is open; the epoch, greater than that of every process that owned it before.

    ``directory`` is the supervisor's. Its first process takes the name at once; a later one waits when the name was taken
    since. Raises: ``NoDatabase``.
    """
    file = directory / "holder"
    later = file.exists()
    if not later:
        file.write_text(uuid4().hex, encoding="ascii")
    holder = file.read_text(encoding="ascii")
    try:
        for setting in _KEEPALIVES:
            db.execute(setting.encode())
        if later:
            _await(db, name, holder)
        db.execute("SELECT pg_advisory_lock_shared(%s, hashtext(%s))", (_NAMES, name))
        return next_epoch(db, name, holder)
    except psycopg.OperationalError as error:
        message = f"the name {name}: {str(error).strip()}"
        raise NoDatabase(message) from error


def may_take(owner: str | None, holder: str, *, owner_lives: bool) -> bool:
    """True if a holder may take a name again: nobody took it since, or no process of its new holder is alive."""
    return owner in (None, holder) or not owner_lives


def next_epoch(db: Db, name: str, holder: str) -> int:
    """Give a name to a holder; its epoch."""
    row = db.execute(
        "INSERT INTO neraca.workers AS held VALUES (%s, 1, %s) "
        "ON CONFLICT (name) DO UPDATE SET epoch = held.epoch + 1, holder = excluded.holder RETURNING epoch",
        (name, holder),
    ).fetchone()
    assert row is not None, "an insertion that returns"  # noqa: S101 - for the type checker
    return int(row[0])


def _await(db: Db, name: str, holder: str) -> None:
    """Wait while the name is another holder's, and a process of it lives; end together with the supervisor."""
    parent, has_warned = os.getppid(), False
    while True:
        row = db.execute("SELECT holder FROM neraca.workers WHERE name = %s", (name,)).fetchone()
        free = db.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (_NAMES, name)).fetchone()
        owner_lives = free is None or not free[0]
        if may_take(None if row is None else row[0], holder, owner_lives=owner_lives):
            return
        if not has_warned:
            LOG.warning("another process took the name %s; waiting until nobody has it", name)
        has_warned = True
        time.sleep(WAIT_S)
        if os.getppid() != parent:
            raise SystemExit(0)
