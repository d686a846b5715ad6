"""Watches a stack from its database: the journal's head, the position of each source, and how long one did not move."""

from __future__ import annotations

import threading
import time
from typing import Final, NamedTuple

import psycopg

LOOK_S: Final = 0.2


class Seen(NamedTuple):
    """The state of the database at one moment: the journal's head, and the position of each source of balances."""

    at: float
    head: int
    positions: dict[str, int]
    stopped: dict[str, str]

    def beyond(self, position: int) -> bool:
        """True if every source that has not stopped is folded beyond a position."""
        return all(reached_to > position for source, reached_to in self.positions.items() if source not in self.stopped)


class Watch(threading.Thread):
    """Looks five times a second, and measures how long a source with something to fold did not move."""

    def __init__(self, database_url: str) -> None:
        super().__init__(name="chaos-watch", daemon=True)
        self._url = database_url
        self._ending = threading.Event()
        self._since: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()
        self.last: Seen | None = None
        self.still_s = 0.0
        self.still = ""

    def run(self) -> None:
        """Look until the end is signalled."""
        while not self._ending.is_set():
            try:
                with psycopg.connect(
                    self._url,
                    autocommit=True,
                    connect_timeout=2,
                    application_name="chaos watch",
                    options="-c statement_timeout=5000",
                ) as db:
                    while not self._ending.wait(LOOK_S):
                        self._note(self._look(db))
            except psycopg.Error:
                self.begin()
                self._ending.wait(LOOK_S)

    def _look(self, db: psycopg.Connection[tuple[object, ...]]) -> Seen:
        at = time.monotonic()
        generation = db.execute("SELECT generation FROM neraca.generations WHERE served").fetchone()
        assert generation is not None, "a generation is served"
        rows = db.execute(
            f"SELECT source, position, stopped FROM neraca_{generation[0]}.sources".encode()  # noqa: S608 - our own schema
        ).fetchall()
        head = db.execute("SELECT max(notification_id) FROM neraca.neraca_events").fetchone()
        assert head is not None, "a journal has a head"
        positions = {str(source): int(str(position)) for source, position, _ in rows}
        return Seen(at, int(str(head[0])), positions, {str(row[0]): str(row[2]) for row in rows if row[2] is not None})

    def _note(self, sight: Seen) -> None:
        with self._lock:
            for source, position in sight.positions.items():
                before = self._since.get(source)
                if before is None or position != before[0] or position >= sight.head or source in sight.stopped:
                    self._since[source] = position, sight.at
                elif sight.at - before[1] > self.still_s:
                    self.still_s, self.still = sight.at - before[1], source
            self.last = sight

    def begin(self) -> None:
        """Forget earlier looks: times without progress are counted anew."""
        with self._lock:
            self._since.clear()

    def stillest(self) -> tuple[float, str]:
        """The longest time without progress of any source since the last call."""
        with self._lock:
            stillness = self.still_s, self.still
            self.still_s, self.still = 0.0, ""
            return stillness

    def close(self) -> None:
        """End."""
        self._ending.set()
        self.join(10)
