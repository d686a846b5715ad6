"""Strikes a whole Neraca of many processes with every kind of fault, and reports whether anything was lost or doubled.

    python -m tests.soak.chaos --seed 1 --report tests/soak/REPORT-chaos.md

``--only KIND`` strikes with one kind alone, ``--scale`` with more or fewer. The exit code is 0 only if nothing is wrong.
"""

from __future__ import annotations

import argparse
import logging
import platform
import shutil
import statistics
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local.local_kafka import LocalKafka
from local.local_postgres import LocalPostgres
from tests.soak.chaos.run import KINDS, Run, chaos, ends, planned
from tests.soak.chaos.stack import Stack
from tests.soak.provenance import commit, sources

if TYPE_CHECKING:
    from collections import Counter as Tally

ABOUT: Final = """\
Intake, api, two relays and two or three workers over 12 partitions run as an operator starts them, on a real PostgreSQL
and a real Kafka, while eight counters send facts, corrections, retractions, rules and repeats. One fault follows
another once every partition has folded what was recorded after the last one. Several times, and at the end, the
counters are silent: then every acknowledged event must be in the journal exactly once, at the position of its receipt,
every fact in the index of reasons, and the digest and scorecards served must be those the auditor replays and those the
independent oracle (`tests/oracle.py`) works out. Recovery is from the end of the fault until every partition has folded
something recorded after it; an idle partition is told once a second, which is part of it. *Stood* is how long the
stillest partition with something to fold stood where it was, from the beginning of the fault on. The trial is that by
which the worker was designed, on a machine of its own."""


def report(run: Run, endings: Tally[str], drops: int, program: str) -> str:
    """The report, in Markdown."""
    verdict = "FAILED" if run.problems else "nothing lost, nothing doubled"
    rows = {
        "seed": run.seed,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit of HEAD": f"`{commit()}`",
        "hash of the sources that ran": f"`{program}`",
        "Python, system": f"{platform.python_version()}, {platform.platform()}",
        "faults": len(run.suffered),
        "comparisons with auditor and oracle": run.compared,
        "entries in the journal": f"{run.entries:,}, of which {run.facts:,} move balances",
        "of those not folded, or folded and not there": run.unfolded,
        "entries that came again and were dropped, at least": f"{drops:,}",
        "processes that ended to begin anew": ", ".join(f"{name} {count}" for name, count in sorted(endings.items())),
        "longest stand without a fault": f"{run.calm_s:.1f} s",
        "slower than a machine with nothing else to do, at least": f"{run.busy:.1f} times; limits are as many times wider",
        "whole run": f"{run.seconds:.0f} s",
    }
    return (
        "\n".join(
            [
                f"# Chaos soak: {verdict}",
                "",
                *ABOUT.splitlines(),
                "",
                "| | |",
                "|---|---|",
                *(f"| {name} | {value} |" for name, value in rows.items()),
                "",
                "| fault | times | recovery p50 / max, s | stood at most, s | the trial's p50 / max, s |",
                "|---|---|---|---|---|",
                *_by_kind(run),
                *(["", "## What is wrong", *(f"* {problem}" for problem in run.problems)] if run.problems else []),
            ]
        )
        + "\n"
    )


def _by_kind(run: Run) -> list[str]:
    lines = []
    for kind in KINDS.values():
        took = [fault.recovery_s for fault in run.suffered if fault.kind == kind.name]
        stillness = [fault.still_s for fault in run.suffered if fault.kind == kind.name]
        if took:
            middle, most = statistics.median(took), max(took)
            lines.append(
                f"| {kind.name}: {kind.about} | {len(took)} | {middle:.1f} / {most:.1f} | {max(stillness):.1f} | {kind.trial} |"
            )
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--only", action="append", choices=sorted(KINDS), help="this kind alone; may be repeated")
    parser.add_argument("--scale", type=float, default=1.0, help="how often each strikes, against a whole run")
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="where to; standard output without it")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep there what the processes said")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("tests.soak.chaos.__main__").setLevel(logging.INFO)
    logging.getLogger("kafka").setLevel(logging.ERROR)
    program = sources()
    kinds = planned(options.seed, [KINDS[name] for name in options.only or KINDS], options.scale)
    with tempfile.TemporaryDirectory(prefix="neraca-chaos-") as scratch:
        scratch_path = Path(scratch)
        scratch_path.chmod(0o755)  # PostgreSQL runs as another user, who has to pass
        log = scratch_path / "said"
        log.mkdir()
        with LocalPostgres(scratch_path / "postgres") as postgres, LocalKafka(scratch_path / "kafka") as kafka:
            try:
                with Stack(log, postgres, kafka, postgres.url, options.seed) as stack:
                    run = chaos(stack, kinds, options.seed)
                    endings, drops = ends(stack), stack.dropped()
            finally:
                if options.keep is not None:
                    shutil.copytree(log, options.keep, dirs_exist_ok=True)
    if sources() != program:
        run.problems.append("the sources changed while it ran: run it again")
    text = report(run, endings, drops, program)
    if options.report is None:
        print(text, end="")
    else:
        options.report.write_text(text)
    return 1 if run.problems else 0


if __name__ == "__main__":
    sys.exit(main())
