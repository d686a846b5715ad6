"""Listens to a database's notices in a thread of its own, and polls beside: a notice may be lost with its connection."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from streams.places.database import Database

POLL_S: Final = 0.5
LOG: Final = logging.getLogger("neraca.listening")


class Listener:
    """Calls ``look`` after each notice of some channels, and at least every ``POLL_S``; never twice at once.

    ``waits`` is told why it cannot look, and ``None`` once it can.
    """

    def __init__(
        self, database: Database, channels: Sequence[str], look: Callable[[], None],
        waits: Callable[[str | None], None],
    ) -> None:  # fmt: skip
        self._database = database
        self._channels = channels
        self._look = look
        self._waits = waits
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="neraca-listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        said = False
        while not self._ending.is_set():
            try:
                with self._database.connect("listening") as db:
                    for channel in self._channels:
                        db.execute(f"LISTEN {channel}".encode())
                    said = False
                    self._follow(db)
            except Exception as error:  # noqa: BLE001 - the database is away: look on, more slowly, and say so once
                if not said:
                    LOG.warning("not listening: %s", str(error).strip())
                said = True
                self._waits(str(error).strip())
                self._ending.wait(POLL_S)

    def _follow(self, db: psycopg.Connection[tuple[object, ...]]) -> None:
        while not self._ending.is_set():
            self._look()
            self._waits(None)
            began = time.monotonic()
            for _ in db.notifies(timeout=POLL_S, stop_after=1):
                pass
            if time.monotonic() - began < POLL_S:
                for _ in db.notifies(timeout=0):  # what came meanwhile is seen by the same look
                    pass
