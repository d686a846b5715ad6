"""Facts recorded in a PostgreSQL journal at a steady pace, through the intake service; a process of its own.

It says "recording" when it begins. At the end it writes when each fact was acknowledged, its partition and its position.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import msgspec

from benchmarks.city import City
from benchmarks.harness import ZONE, submissions
from benchmarks.scaled.ground import PARTITIONS
from domain.fold.partition import partition_of
from neraca.__main__ import settle_memory
from neraca.wiring import now_us
from projections.ports import LOCAL, Accepted
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.database import Database

if TYPE_CHECKING:
    from benchmarks.city import Event

BATCH: Final = 100
AHEAD: Final = 2000
"""How many facts are ready beforehand: a counter's own work is not measured."""
Note = tuple[float, int, int]


def record(intake: IntakeService, supply: list[Event], per_second: int, seconds: float) -> list[Note]:
    """Batches at their time, each acknowledged before the next; when, and where each fact lies."""
    notes: list[Note] = []
    beginning, futures = time.monotonic(), 0
    while (duration := time.monotonic() - beginning) < seconds and futures < len(supply):
        if futures > duration * per_second:
            time.sleep(futures / per_second - duration)
        batch = supply[futures : futures + BATCH]
        outcomes = intake.submit(submissions(batch), LOCAL)
        now = time.monotonic()
        for event, outcome in zip(batch, outcomes, strict=True):
            assert isinstance(outcome, Accepted), outcome
            if "dinas" in event["data"]:
                notes.append((now, partition_of(event["data"]["dinas"], PARTITIONS), outcome.receipt.position))
        futures += len(batch)
    return notes


def main(url: str, per_second: str, seconds: str, path: str) -> None:
    """Record for some seconds."""
    journal = Journal.open(Database(url).journal, ZONE, now_us())
    intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), now_us)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=6)
    count = int(int(per_second) * float(seconds)) + AHEAD
    supply = list(City(41, f"l{time.time_ns()}").facts(count, start=start, span=timedelta(days=3)))
    settle_memory()
    print("recording", flush=True)
    notes = record(intake, supply, int(per_second), float(seconds))
    Path(path).write_bytes(msgspec.json.encode(notes))
    print("recorded", flush=True)
    intake.close()
    journal.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
