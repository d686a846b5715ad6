"""A counter's emitter: keeps events until acknowledged, sends them again over a bad network, never twice in effect.

With an outbox file nothing is lost when the counter's machine loses power: an event is on its disk before it is sent.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from streams.emitting.http import Client, NotNow, NotTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

BATCH: Final = 500
FIRST_WAIT_S: Final = 0.2
LONGEST_WAIT_S: Final = 10.0


class Tally(Struct):
    """What became of the events emitted."""

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
        """The oldest events that wait."""
        return list(
            self._db.execute("SELECT number, line FROM outbox WHERE refused IS NULL ORDER BY number LIMIT ?", [BATCH])
        )

    def settle(self, numbers: Iterable[int], refused: dict[int, str]) -> None:
        """Acknowledged events leave; refused ones stay with their problem, and are not sent again."""
        with self._db:
            self._db.executemany("UPDATE outbox SET refused=? WHERE number=?", [(why, n) for n, why in refused.items()])
            self._db.executemany("DELETE FROM outbox WHERE number=?", [(n,) for n in numbers if n not in refused])

    def pending(self) -> int:
        """How many events wait."""
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
        self._patience_s = patience_s
        self.tally = Tally()

    def drain(self) -> bool:
        """Send until nothing waits; false when the network stays down for longer than the patience."""
        wait_s, down_since = FIRST_WAIT_S, None
        while batch := self._outbox.batch():
            try:
                self._send(batch)
                wait_s, down_since = FIRST_WAIT_S, None
            except NotNow as error:
                now = time.monotonic()
                down_since = down_since or now
                if now - down_since + wait_s > self._patience_s:
                    self._say(f"not acknowledged: {error}")
                    return False
                time.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        return True

    def _send(self, batch: list[tuple[int, bytes]]) -> None:
        answer = self._client.send([line for _, line in batch])
        refused = {}
        for each in answer.rejected:
            number = batch[each["index"]][0]
            refused[number] = msgspec.json.encode(each["problem"]).decode()
            self._say(
                f"refused: {batch[each['index']][1].decode(errors='replace')[:200]}: {each['problem'].get('detail')}"
            )
        self._outbox.settle([number for number, _ in batch], refused)
        self.tally.accepted += answer.accepted
        self.tally.duplicates += answer.duplicates
        self.tally.refused += len(refused)


def emit(lines: Iterable[bytes], emitter: Emitter, outbox: Outbox) -> bool:
    """Emit events as they come: what has arrived is sent while more is awaited. True when all were acknowledged.

    Raises: ``NotTaken`` when the intake refuses whole requests (a bad token, say); what waits stays in the outbox.
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


__all__ = ["Emitter", "NotTaken", "Outbox", "Tally", "emit"]
