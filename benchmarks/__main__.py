"""Measure one process or many, `python -m benchmarks embedded|scaled [NAME …]`, and print the table of ratios."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import Figure, Size
from local.local_kafka import POM, Unfetched
from local.local_postgres import programs
from local.local_server import Missing
from neraca.__main__ import settle_memory

HERE: Final = Path(__file__).parent
NAMES: Final = {
    "embedded": ("append", "rebuild", "replay", "reads", "visible", "memory", "pages", "watchers", "crowd", "grown"),
    "scaled": ("worker", "relay", "live", "append", "rebuild", "storage"),
}
"""The benchmarks of each folder, in the order in which they run."""
HEAD: Final = "| measured | value | goal | reached | how |\n|---|---|---|---|---|"


def head_commit() -> str:
    """The commit that is checked out, as git names it."""
    words = ["git", "rev-parse", "--short", "HEAD"]
    result = subprocess.run(words, cwd=HERE, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def machine(folder: str) -> str:
    """The programs and the machine that figures were measured on."""
    stores = f"SQLite {sqlite3.sqlite_version}"
    if folder == "scaled":
        postgres = subprocess.run(
            [programs() / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout.split()[2]
        kafka = POM.read_text(encoding="utf-8").partition("<kafka.version>")[2].partition("<")[0]
        stores = f"PostgreSQL {postgres}, Kafka {kafka}"
    return f"Python {platform.python_version()}, {stores}, {os.cpu_count()} cores, {platform.machine()}"


def baseline(folder: str, table: str, size: Size) -> str:
    """The baseline as committed."""
    return (
        f"# Baseline: {folder}\n\nRatios count; seconds and rates are the machine's. The meaning of each is in "
        f"[README.md](../README.md).\n\n{datetime.now(UTC).date().isoformat()}, commit {head_commit()}, {machine(folder)}, "
        f"share {size.share:g}.\n\n{table}\n"
    )


def measured(folder: str, names: list[str], size: Size) -> list[Figure]:
    """The figures of some benchmarks. Raises: ``Missing``, ``Unfetched`` when a server is not installed."""
    figures: list[Figure] = []
    with ExitStack() as ending:
        subject: Any = size
        if folder == "scaled":
            subject = ending.enter_context(importlib.import_module("benchmarks.scaled.ground").standing(size))
        for name in names:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            figures += importlib.import_module(f"benchmarks.{folder}.{name}").run(subject)
    return figures


def main(words: list[str] | None = None) -> int:
    """Run some benchmarks, or all of a folder; 1 when a goal is missed, 2 when a server is not installed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("folder", choices=NAMES, help="one process, or many over PostgreSQL and Kafka")
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(map(", ".join, NAMES.values())))
    parser.add_argument("--share", type=float, default=1.0, help="the share of the documented size (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write BASELINE.md of the folder")
    options = parser.parse_args(words)
    unknown = set(options.names) - set(NAMES[options.folder])
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; choose from {', '.join(NAMES[options.folder])}")
    settle_memory()
    size = Size(options.share)
    try:
        figures = measured(options.folder, options.names or list(NAMES[options.folder]), size)
    except (Missing, Unfetched) as reason:
        print(f"left out: {reason}", file=sys.stderr)
        return 2
    table = "\n".join([HEAD, *(figure.row() for figure in figures)])
    print(table)
    if options.write:
        (HERE / options.folder / "BASELINE.md").write_text(baseline(options.folder, table, size), encoding="utf-8")
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
