"""`python -m benchmarks.kafka [NAME …] [--facts N] [--write]`: measure on servers of its own, and print the table of ratios."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.__main__ import HEAD, head_commit
from benchmarks.kafka.ground import standing
from local.local_kafka import POM, Unfetched
from local.local_postgres import programs
from local.local_server import Missing
from neraca.__main__ import settle_memory

if TYPE_CHECKING:
    from benchmarks.measure import Figure

NAMES: Final = ("worker", "relay", "live", "append", "rebuild", "storage")
FACTS: Final = 300_000
BASELINE: Final = Path(__file__).parents[1] / "BASELINE-kafka.md"


def machine() -> str:
    """What the figures were measured on."""
    said = subprocess.run([programs() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    kafka = POM.read_text(encoding="utf-8").partition("<kafka.version>")[2].partition("<")[0]
    return (
        f"Python {platform.python_version()}, PostgreSQL {said.split()[2]}, Kafka {kafka}, {os.cpu_count()} cores, "
        f"{platform.machine()}"
    )


def written(table: str, facts: int) -> str:
    """The baseline as committed."""
    return (
        "# Baseline on PostgreSQL and Kafka\n\nRatios count; rates are the machine's. What each means is in "
        f"[README.md](README.md).\n\n{datetime.now(UTC).date().isoformat()}, commit {head_commit()}, {machine()}, "
        f"{facts:,} facts.\n\n{table}\n"
    )


def main() -> int:
    """Run what was named, or all; 1 when a goal is missed, 2 when a server is not installed."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.kafka", description=__doc__)
    words.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    words.add_argument("--facts", type=int, default=FACTS, help="how many facts the journal holds (%(default)s)")
    words.add_argument("--write", action="store_true", help=f"write {BASELINE.name}")
    options = words.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        words.error(f"no such benchmark: {', '.join(sorted(unknown))}; they are {', '.join(NAMES)}")
    settle_memory()
    figures: list[Figure] = []
    try:
        with standing(options.facts) as ground:
            for name in options.names or NAMES:
                print(f"measuring {name} …", file=sys.stderr, flush=True)
                figures += importlib.import_module(f"benchmarks.kafka.{name}").run(ground)
    except (Missing, Unfetched) as reason:
        print(f"left out: {reason}", file=sys.stderr)
        return 2
    table = "\n".join([HEAD, *(figure.row() for figure in figures)])
    print(table)
    if options.write:
        BASELINE.write_text(written(table, options.facts))
    return 0 if all(figure.reached for figure in figures if figure.goal) else 1


if __name__ == "__main__":
    sys.exit(main())
