"""A worker whose fold can be hung from outside, as if its task were stuck: only a watchdog sees it.

    python -m tests.soak.chaos.hang --name NAME

If the file that NERACA_FAULT_HANG names exists, the next fold deletes it and never returns. All else is the product's.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from neraca.__main__ import parser
from neraca.cluster import database_journal, database_of, kafka_of, watched_balances
from streams.worker.fold import PartitionFold
from streams.worker.lease import acquire
from streams.worker.parts import parts_of
from streams.worker.shell import run
from streams.worker.supervisor import Supervisor

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from streams.worker.fold import Counts, Record

HANG: Final = "NERACA_FAULT_HANG"


class Hanging(PartitionFold):
    """A fold with its state and all, but for the moment at which it hangs."""

    def __init__(self, fold: PartitionFold) -> None:
        self.__dict__ = fold.__dict__

    def fold(self, records: Iterable[Record]) -> Counts:
        """Fold, or never return; without records there would be nothing to hang over."""
        batch = list(records)
        if batch and _told_to_hang():
            threading.Event().wait()
        return super().fold(batch)


def _told_to_hang() -> bool:
    try:
        Path(os.environ[HANG]).unlink()
    except FileNotFoundError:
        return False
    return True


def _now_us() -> int:
    return time.time_ns() // 1000


def _fold(options: argparse.Namespace) -> None:
    database, kafka = database_of(options), kafka_of(options)
    with (
        database_journal(database, options.zone, _now_us, strict=False) as journal,
        database.connected(f"worker {options.name}") as standing,
    ):
        watched_balances(database, journal)
        database.share_folding(standing)
        epoch = acquire(standing, options.name, Path(options.alone))
        parts = parts_of(database, journal, kafka, options, epoch)
        print(f"Neraca worker {options.name} folds, until it is hung", flush=True)
        run(replace(parts, fold=Hanging(parts.fold)))


def main() -> int:
    """Supervise, as ``neraca worker`` does, or be the process that folds."""
    words = sys.argv[1:]
    options = parser().parse_args(["worker", *words])
    if not options.alone:
        with tempfile.TemporaryDirectory(prefix="neraca-worker-") as directory:
            return Supervisor([sys.executable, "-m", "tests.soak.chaos.hang", *words, "--alone", directory]).run()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    _fold(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
