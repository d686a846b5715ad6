"""`python -m benchmarks [NAME …] [--write]`: measure, and print the table of ratios."""

from __future__ import annotations

import argparse
import importlib
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neraca.__main__ import settle_memory

if TYPE_CHECKING:
    from benchmarks.measure import Figure

NAMES: Final = ("append", "rebuild", "replay", "reads", "visible", "memory", "pages", "watchers")
HERE: Final = Path(__file__).parent
HEAD: Final = "| measured | value | goal | reached | how |\n|---|---|---|---|---|"


def head_commit() -> str:
    """The commit that is checked out, as git names it."""
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False  # noqa: S607 - git is found by name, as a person finds it
    )  # fmt: skip
    return found.stdout.strip() or "unknown"


def written(table: str) -> str:
    """The baseline as committed."""
    return (
        "# Baseline\n\nRatios, not seconds: what each means is in [README.md](README.md).\n\n"
        f"{datetime.now(UTC).date().isoformat()}, commit {head_commit()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {platform.machine()}.\n\n{table}\n"
    )


def main() -> int:
    """Run what was named, or all; 1 when a goal is missed."""
    words = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    words.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    words.add_argument("--write", action="store_true", help="write benchmarks/BASELINE.md")
    options = words.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        words.error(f"no such benchmark: {', '.join(sorted(unknown))}; they are {', '.join(NAMES)}")
    settle_memory()
    figures: list[Figure] = []
    for name in options.names or NAMES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        figures += importlib.import_module(f"benchmarks.{name}").run()
    table = "\n".join([HEAD, *(figure.row() for figure in figures)])
    print(table)
    if options.write:
        (HERE / "BASELINE.md").write_text(written(table))
    return 0 if all(figure.reached for figure in figures if figure.goal) else 1


if __name__ == "__main__":
    sys.exit(main())
