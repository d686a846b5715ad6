"""Journals prepared once and kept between runs: recorded through the real intake, exported by the real command."""

from __future__ import annotations

import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from benchmarks.city import City, rules
from benchmarks.measure import WORK
from domain.intake.wire import Submission, read_submission
from neraca.wiring import now_us
from projections.ports import LOCAL, Accepted
from streams.intake.recording import Policy
from streams.intake.service import IntakeService
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable

ZONE: Final = "Asia/Jakarta"
ROOT: Final = Path(__file__).parent.parent
MILLION: Final = 1_000_000


def command(*words: str) -> list[str]:
    """The real command line, run from anywhere."""
    return [sys.executable, "-m", "neraca", *words]


def submissions(events: Iterable[dict[str, object]]) -> list[Submission]:
    """Events as the intake's door hands them on."""
    return [read_submission(event) for event in events]


def record(journal: Journal, events: Iterable[dict[str, object]], batch: int = 1000) -> None:
    """Record events through the real intake; each must be accepted."""
    intake = IntakeService(journal, Policy(ZoneInfo(ZONE)), now_us)
    supply = iter(events)
    try:
        while chunk := submissions(islice(supply, batch)):
            refused = [outcome for outcome in intake.submit(chunk, LOCAL) if not isinstance(outcome, Accepted)]
            assert not refused, refused[0]
    finally:
        intake.close()


def data_directory(count: int) -> DataDirectory:
    """A data directory whose journal holds the rules and ``count`` facts."""
    data = DataDirectory(WORK / f"data-{count}")
    done = data.path / "prepared"
    if not done.exists():
        data.path.mkdir(parents=True, exist_ok=True)
        for left in data.path.glob("journal.sqlite*"):
            left.unlink()
        print(f"preparing a journal of {count:,} facts in {data.path}", flush=True)
        journal = Journal.open(data.journal, ZONE, now_us())
        record(journal, rules())
        record(journal, City(7).facts(count))
        journal.close()
        done.touch()
    return data


def exported_journal(count: int) -> Path:
    """The same journal as `neraca export` writes it."""
    data, path = data_directory(count), WORK / f"journal-{count}.ndjson"
    if not path.exists():
        part = path.with_suffix(".part")
        subprocess.run(command("export", "--data", str(data.path), "--journal", str(part)), check=True)
        part.rename(path)
    return path
