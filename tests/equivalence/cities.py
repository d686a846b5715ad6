"""Two cities' public files imported through the command line, and every way in which their figures can be asked for."""

import csv
import gzip
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pytest

from domain.clock import instant_of
from domain.score.scorecard import Scorecard
from neraca.wiring import live_balances
from projections.reading.reader import Reader, Snapshot
from streams.following.follower import catch_up
from streams.journal.journal import Journal
from streams.places.directory import DataDirectory

ROOT: Final = Path(__file__).parents[2]
PROCESSES: Final = (ROOT / "../shared/data/processes").resolve()
BOSTON, RECEIPT = PROCESSES / "boston311_2015H1_dev.csv.gz", PROCESSES / "receipt.csv.gz"
BPIC_1, BPIC_3 = PROCESSES / "BPIC15_1.csv.gz", PROCESSES / "BPIC15_3.csv.gz"
NOW: Final = datetime(2026, 11, 24, 5, tzinfo=UTC)
"""When the figures are asked for; every file lies years behind it."""
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def rows(path: Path) -> list[dict[str, str]]:
    """A file as anybody reads it, without the project."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def neraca(*words: str | Path) -> str:
    """A command as an operator gives it, in a process of its own; what it prints."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
    process = subprocess.run(
        [sys.executable, "-m", "neraca", *words],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def as_json(card: Scorecard) -> dict[str, Any]:
    """A scorecard as JSON."""
    plain: dict[str, Any] = msgspec.json.decode(_ENCODER.encode(card))
    return plain


class City:
    """A data directory into which files are imported; the tests that need a file are left out where it is missing."""

    def __init__(self, folder: Path, zone: str) -> None:
        self.folder = folder
        self.zone = zone

    def take(self, path: Path, example: str, *options: str | Path) -> str:
        """Import a file by a shipped example; return the last line, with the outcome of its rows."""
        if not path.is_file():
            pytest.skip(f"public data is not here: {path}")
        words = (
            "import",
            path,
            "--map",
            ROOT / "examples" / example,
            "--data",
            self.folder,
            "--zone",
            self.zone,
            *options,
        )
        return neraca(*words).strip().splitlines()[-1]

    @contextmanager
    def serving(self) -> Iterator[Snapshot]:
        """Fold the journal into the generation served, and read it from there."""
        data = DataDirectory(self.folder)
        journal = Journal.read_only(data.journal)
        live = live_balances(data, journal)
        try:
            catch_up(journal, live.store)
            with Reader(live, ZoneInfo(self.zone), lambda: instant_of(NOW)).snapshot() as snapshot:
                yield snapshot
        finally:
            live.store.engine.dispose()
            journal.close()

    def digest(self) -> str:
        """The digest served."""
        with self.serving() as snapshot:
            return snapshot.digest()

    def export(self) -> Path:
        """The journal as exported."""
        path = self.folder.with_suffix(".ndjson")
        neraca("export", "--data", self.folder, "--journal", path)
        return path

    def replayed(self, *options: str | Path) -> dict[str, Any]:
        """The output of the auditor's replay of the data directory or of an export."""
        words = options or ("--data", self.folder)
        answer: dict[str, Any] = msgspec.json.decode(neraca("replay", *words))
        return answer
