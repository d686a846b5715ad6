"""The outbox: a counter's events in order, on its disk before they are sent, until the intake has acknowledged each.

An event that is refused for now waits with its problem and is sent again; one that is refused for good stays with its
problem until somebody sends it anew.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY, line BLOB NOT NULL, refused TEXT, held TEXT)"
)
_FRESH: Final = "refused IS NULL AND held IS NULL"
_HELD: Final = "refused IS NULL AND held IS NOT NULL"


class Kept(NamedTuple):
    """An event that was refused, and its problem."""

    line: bytes
    problem: dict[str, Any]


class Outbox:
    """Events not yet acknowledged, in order; kept in a file, or in memory without one.

    A thread may put events while another sends them.
    """

    def __init__(self, path: Path | None) -> None:
        self.is_durable = path is not None
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(_TABLE)
        columns = {name for _, name, *_ in self._db.execute("PRAGMA table_info(outbox)")}
        if "held" not in columns:  # of a former version
            self._db.execute("ALTER TABLE outbox ADD COLUMN held TEXT")
        self._db.commit()

    def put(self, lines: Iterable[bytes]) -> None:
        """Keep events, durably, before any is sent."""
        with self._lock, self._db:
            self._db.executemany("INSERT INTO outbox (line) VALUES (?)", [(line,) for line in lines])

    def fresh(self, most: int) -> list[tuple[int, bytes]]:
        """The numbers and lines of the oldest events that were refused by nobody."""
        return self._read(_FRESH, 0, most)

    def held(self, after: int, most: int) -> list[tuple[int, bytes]]:
        """The numbers and lines of the oldest events that were refused for now, after a number."""
        return self._read(_HELD, after, most)

    def _read(self, condition: str, after: int, most: int) -> list[tuple[int, bytes]]:
        query = f"SELECT number, line FROM outbox WHERE {condition} AND number > ? ORDER BY number LIMIT ?"  # noqa: S608 - our own conditions
        with self._lock:
            return list(self._db.execute(query, [after, most]))

    def settle(
        self, numbers: Iterable[int], refusals: dict[int, dict[str, Any]], rows_waiting: dict[int, dict[str, Any]]
    ) -> None:
        """Remove acknowledged events; one that was refused, for good or for now, stays with its problem."""
        acknowledgements = [(number,) for number in numbers if number not in refusals and number not in rows_waiting]
        with self._lock, self._db:
            for column, problems in (("refused", refusals), ("held", rows_waiting)):
                rows = [(msgspec.json.encode(problem).decode(), number) for number, problem in problems.items()]
                self._db.executemany(f"UPDATE outbox SET {column}=? WHERE number=?", rows)  # noqa: S608 - our own names
            self._db.executemany("DELETE FROM outbox WHERE number=?", acknowledgements)

    def problem(self, number: int) -> dict[str, Any] | None:
        """The problem for which an event is held; ``None`` if it is not."""
        with self._lock:
            row = self._db.execute("SELECT held FROM outbox WHERE number=?", [number]).fetchone()
        return None if row is None or row[0] is None else msgspec.json.decode(row[0], type=dict[str, Any])

    def refused(self) -> Iterator[Kept]:
        """The events that were refused for good."""
        return self._with_problems("SELECT line, refused FROM outbox WHERE refused IS NOT NULL ORDER BY number")

    def waiting(self) -> Iterator[Kept]:
        """The events that were refused for now."""
        return self._with_problems(f"SELECT line, held FROM outbox WHERE {_HELD} ORDER BY number")  # noqa: S608 - our own

    def _with_problems(self, query: str) -> Iterator[Kept]:
        with self._lock:
            rows = self._db.execute(query).fetchall()
        return (Kept(line, msgspec.json.decode(problem, type=dict[str, Any])) for line, problem in rows)

    def retry(self) -> int:
        """Let the events that were refused for good wait again, in their old places; their number."""
        with self._lock, self._db:
            return self._db.execute("UPDATE outbox SET refused=NULL, held=NULL WHERE refused IS NOT NULL").rowcount

    def pending(self) -> int:
        """The number of events that wait, those refused for now among them."""
        with self._lock:
            (number,) = self._db.execute("SELECT COUNT(*) FROM outbox WHERE refused IS NULL").fetchone()
        return int(number)

    def close(self) -> None:
        """Close the file."""
        self._db.close()
