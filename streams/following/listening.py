"""Listens to a database's notices in a thread of its own, and polls beside: a notice may be lost with its connection."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from streams.retrying import PROMPT, Interrupted, Retrying

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import psycopg

    from streams.places.database import Database

POLL_S: Final = 0.5
LOG: Final = logging.getLogger("neraca.listening")


class Listener:
    """Calls ``look`` after each notice of some channels, and at least every ``POLL_S``; never twice at once.

    ``waits`` receives the reason why it cannot look, and ``None`` once it can.
    """

    def __init__(
        self,
        database: Database,
        channels: Sequence[str],
        look: Callable[[], None],
        waits: Callable[[str | None], None],
    ) -> None:
        self._database = database
        self._channels = channels
        self._look = look
        self._waits = waits
        self._ending = threading.Event()
        self._retrying = Retrying(Exception, PROMPT, on_failure=self._failed, pause=self._ending.wait)
        self._thread = threading.Thread(target=self._run, name="neraca-listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        with suppress(Interrupted):
            self._retrying.call(self._listen)

    def _failed(self, error: Exception, count: int) -> None:
        """Log the first failure of a row only."""
        if count == 1:
            LOG.warning("not listening: %s", str(error).strip())
        self._waits(str(error).strip())

    def _listen(self) -> None:
        with self._database.connect("listening") as db:
            for channel in self._channels:
                db.execute(f"LISTEN {channel}".encode())
            self._retrying.well()
            while not self._ending.is_set():
                self._look()
                self._waits(None)
                self._await_notice(db)

    def _await_notice(self, db: psycopg.Connection[tuple[object, ...]]) -> None:
        began = time.monotonic()
        for _ in db.notifies(timeout=POLL_S, stop_after=1):
            pass
        if time.monotonic() - began < POLL_S:
            for _ in db.notifies(timeout=0):  # the next look covers every notice that has come by now
                pass
