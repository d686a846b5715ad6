"""A counter's emitter: it keeps events until they are acknowledged, and sends them again over a bad network.

A repeat counts once, since the intake recognises it. With an outbox file nothing is lost when the counter's machine loses
power: an event is on its disk before it is sent.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from streams.emitting.client import Client, NotNow
from streams.retrying import PATIENT, Retrying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

BATCH: Final = 500


class Tally(Struct):
    """The number of events emitted, by their outcome."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    pending: int = 0


class Outbox:
    """Events not yet acknowledged, in order; kept in a file, or in memory without one."""

    def __init__(self, path: Path | None) -> None:
        self._db = sqlite3.connect(":memory:" if path is None else path, check_same_thread=False)
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS outbox (number INTEGER PRIMARY KEY, line BLOB NOT NULL, refused TEXT)"
        )
        self._db.commit()

    def put(self, lines: Iterable[bytes]) -> None:
        """Keep events, durably, before any is sent."""
        with self._db:
            self._db.executemany("INSERT INTO outbox (line) VALUES (?)", [(line,) for line in lines])

    def batch(self) -> list[tuple[int, bytes]]:
        """The oldest waiting events."""
        return list(
            self._db.execute("SELECT number, line FROM outbox WHERE refused IS NULL ORDER BY number LIMIT ?", [BATCH])
        )

    def settle(self, numbers: Iterable[int], refused: dict[int, str]) -> None:
        """Remove acknowledged events; a refused one stays with its problem, and is not sent again."""
        with self._db:
            self._db.executemany("UPDATE outbox SET refused=? WHERE number=?", [(why, n) for n, why in refused.items()])
            self._db.executemany("DELETE FROM outbox WHERE number=?", [(n,) for n in numbers if n not in refused])

    def pending(self) -> int:
        """The number of waiting events."""
        (number,) = self._db.execute("SELECT COUNT(*) FROM outbox WHERE refused IS NULL").fetchone()
        return int(number)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class Emitter:
    """Sends an outbox to an intake."""

    def __init__(self, outbox: Outbox, client: Client, say: Callable[[str], None], *, patience_s: float) -> None:
        self._outbox = outbox
        self._client = client
        self._say = say
        self._retrying = Retrying(NotNow, PATIENT, patience_s=patience_s)
        self.tally = Tally()

    def drain(self) -> bool:
        """Send until nothing waits; false when the network stays down longer than the patience."""
        try:
            while self._retrying.call(self._send_batch):
                pass
        except NotNow as error:
            self._say(f"not acknowledged: {error}")
            return False
        return True

    def _send_batch(self) -> bool:
        """Send the oldest waiting events; false when there are none."""
        batch = self._outbox.batch()
        if not batch:
            return False
        answer = self._client.send([line for _, line in batch])
        refused = {}
        for rejection in answer.rejected:
            (number, line), problem = batch[rejection["index"]], rejection["problem"]
            refused[number] = msgspec.json.encode(problem).decode()
            self._say(f"refused: {line.decode(errors='replace')[:200]}: {problem.get('detail')}")
        self._outbox.settle([number for number, _ in batch], refused)
        self.tally.accepted += answer.accepted
        self.tally.duplicates += answer.duplicates
        self.tally.refused += len(refused)
        return True


def emit(lines: Iterable[bytes], emitter: Emitter, outbox: Outbox) -> bool:
    """Emit events as they arrive, without waiting for the last one. True when all were acknowledged.

    Raises: ``NotTaken`` when the intake refuses whole requests (a bad token, say); waiting events stay in the outbox.
    """
    arrived: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=_feed, args=(lines, arrived), daemon=True).start()
    more, sent = True, emitter.drain()
    while more:
        group, more = _gather(arrived)
        outbox.put(group)
        if sent or not more:
            sent = emitter.drain()
    emitter.tally.pending = outbox.pending()
    return sent


def _feed(lines: Iterable[bytes], arrived: queue.SimpleQueue[bytes | None]) -> None:
    for line in lines:
        if line.strip():
            arrived.put(line.strip())
    arrived.put(None)


def _gather(arrived: queue.SimpleQueue[bytes | None]) -> tuple[list[bytes], bool]:
    group: list[bytes] = []
    line = arrived.get()
    while line is not None:
        group.append(line)
        if len(group) >= BATCH:
            return group, True
        try:
            line = arrived.get_nowait()
        except queue.Empty:
            return group, True
    return group, False
