"""Reads random files and reports whether every row of every file was told of, with the meaning that it has.

    python -m tests.soak.files --rows 1000000 --first 1 --report tests/soak/REPORT-files.md
    python -m tests.soak.files --only 17

The exit code is 0 only if each file comes to what it must come to.
"""

import argparse
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.soak.files.drawing import drawn
from tests.soak.files.judging import judged
from tests.soak.provenance import commit, sources

RUN: Final = ("domain/**/*.py", "streams/importing/*.py", "tests/soak/files/*.py")
"""The files that run: the program's, and those of the judge."""
ABOUT: Final = """\
A seed draws a table whose meaning is known, and writes it: delimiter, quotes, line ends, encoding, gzip, format of time, zone,
order of columns. Notes hold quotes, delimiters and line ends, and
begin with a letter. Half of the files are damaged in known places: quotes left
open, text after a quote, cells too many, a gzip stream cut short. The importer reads each file. Each row that is not
damaged must become its event, at its instants, or be skipped; each damaged row must be refused; the rows of a file cut
short must be a beginning of these. Accepted, duplicates, refused and skipped must add up to the rows. Of files that are
not damaged, Python's csv, DuckDB and polars must read the same cells where they read the file at all."""


def run(rows: int, first: int) -> tuple[Counter[str], list[str]]:
    """Judge files until so many rows were read; the counts, and the problems by seed."""
    counts, problems, seed = Counter[str](), list[str](), first
    with TemporaryDirectory() as folder:
        while counts["rows"] < rows:
            file_counts, faults = judged(Path(folder), drawn(seed))
            counts.update(file_counts)
            problems += [f"seed {seed}: {fault}" for fault in faults]
            seed += 1
    return counts, problems


def report(counts: Counter[str], problems: list[str], first: int, seconds: float) -> str:
    """The report, in Markdown."""
    verdict = "FAILED" if problems else "every row of every file told of, with its meaning"
    table = {
        "rows": f"{counts['rows']:,} in {counts['files']:,} files, from seed {first}; {len(problems)} problems",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit of HEAD": f"`{commit()}`",
        "hash of the sources that ran": f"`{sources(RUN)}`",
        "whole run": f"{seconds:.0f} s",
    }
    outcomes = {name: f"{count:,}" for name, count in sorted(counts.items()) if name not in ("rows", "files")}
    lines = [
        f"# Files: {verdict}",
        "",
        ABOUT,
        "",
        *_table(table),
        "## What came of the rows, and who read the same",
        "",
    ]
    return "\n".join([*lines, *_table(outcomes), *problems[:50]]).rstrip() + "\n"


def _table(rows: dict[str, str]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items()), ""]


def main() -> int:
    """Run, report, and say whether all went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--only", type=int, help="judge this seed alone, and print its problems")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    began = time.monotonic()
    rows, first = (1, options.only) if options.only is not None else (options.rows, options.first)
    counts, problems = run(rows, first)
    text = report(counts, problems, first, time.monotonic() - began)
    print(text)
    if options.report:
        options.report.write_text(text, encoding="utf-8")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
