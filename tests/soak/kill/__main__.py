"""Kills a serving Neraca many times while it is used, and reports whether anything was lost or doubled.

    python -m tests.soak.kill --kills 200 --seed 1 --report tests/soak/REPORT-kill.md

The exit code is 0 only if nothing was.
"""

import argparse
import platform
import sqlite3
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.faults.harness import ACKNOWLEDGED_LEAST, Survived, run
from tests.faults.verdict import verdict
from tests.soak.provenance import commit, sources

ABOUT: Final = """\
`neraca up` is killed by SIGKILL while four counters send facts, corrections, retractions, rules and repeats to it,
singly and in batches, then started again on the same data. At the end every acknowledged event must be in the journal
exactly once, at the position of its receipt; natural keys must be those the lines say; and the digest and scorecards
served must equal those the auditor replays and those the independent oracle (`tests/oracle.py`) works out. SIGKILL ends
a process, not a machine: what the kernel had taken survives it. Power cuts are another test."""


def report(outcome: Survived, problems: list[str], program: str) -> str:
    """The report, in Markdown."""
    ledger, recovery = outcome.ledger, sorted(outcome.recovery_s)
    names = {(line["source"], line["id"]) for line in outcome.lines}
    verdict_is = "nothing lost, nothing doubled" if not problems else "FAILED"
    rows = {
        "seed": outcome.seed,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit of HEAD": f"`{commit()}`",
        "hash of the sources that ran": f"`{program}`",
        "Python, SQLite, system": f"{platform.python_version()}, {sqlite3.sqlite_version}, {platform.platform()}",
        "kills with requests in flight": outcome.kills,
        "further kills before the process was ready": outcome.kills_while_starting,
        "acknowledged events": f"{len(ledger.acknowledged):,}",
        "fewest acknowledged between two kills": f"{outcome.least_between} (at least {ACKNOWLEDGED_LEAST})",
        "requests that got no answer": ledger.answers["none"],
        "events of those": f"{len(ledger.in_doubt):,}, of which {len(ledger.in_doubt & names):,} are in the journal",
        "answers to repeats": f"{ledger.answers['repeats']:,}",
        "events refused": f"{len(ledger.refused):,}",
        "entries in the journal": f"{len(outcome.lines):,}",
        "from start to ready": f"p50 {statistics.median(recovery):.2f} s, max {recovery[-1]:.2f} s",
        "whole run": f"{outcome.seconds:.0f} s",
    }
    lines = [
        f"# Kill soak: {verdict_is}",
        "",
        *ABOUT.splitlines(),
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in rows.items()),
        *(["", "## What is wrong", *(f"* {problem}" for problem in problems)] if problems else []),
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak.kill", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="where to; standard output without it")
    options = parser.parse_args(arguments)
    program = sources()
    with tempfile.TemporaryDirectory(prefix="neraca-kill-") as scratch:
        outcome = run(Path(scratch), kills=options.kills, seed=options.seed)
        problems = verdict(outcome, Path(scratch))
    if sources() != program:
        problems.append("the sources changed while it ran: run it again")
    text = report(outcome, problems, program)
    if options.report is None:
        print(text, end="")
    else:
        options.report.write_text(text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
