"""Runs simulated Neracas of many processes through seeded faults, and reports whether any entry was lost or doubled.

    python -m tests.soak.simulation --seeds 2000 --first 1 --report tests/soak/REPORT-simulation.md
    python -m tests.soak.simulation --only 17 --trace

The exit code is 0 only if the program as it is passes every seed, and every planted bug is caught.
"""

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from tests.soak.provenance import commit, sources
from tests.soak.simulation.cluster import QUIET_MOST_S, Cluster
from tests.soak.simulation.planted import TRUE, Program, planted
from tests.soak.simulation.world import FAULTS, World

RUN: Final = ("domain/**/*.py", "projections/store/*.py", "streams/**/*.py", "tests/soak/**/*.py")
"""The files that a simulation runs: the program's, and its own."""
PLANTED_SEEDS: Final = 200
"""Within so many seeds a planted bug is caught, or it counts as missed."""
ABOUT: Final = f"""\
A fake clock, broker, database and machine around the program's own cutting, relaying, trimming, folding, resuming and
watching (`streams/relay/cutting.py`, `layout_relay.py`, `resuming.py`, `streams/kafka/segment_record.py`,
`streams/worker/advance.py`, `fold.py`, `turn.py`, `watchdog.py`), which folds lines that a real intake recorded.
A seed chooses partitions, processes, pages, speeds and faults. After the last fault every partition must come to the
journal's head, with nothing left to send or to read, within {QUIET_MOST_S:.0f} simulated seconds, and stay there. Then every
entry must have been applied once, none to another partition, and the balances must be the sums of the lines. No gap may be
met that no fault explains. A planted bug is one line of the program, or of its store, made wrong.
The framework, Kafka and PostgreSQL themselves are not in it: `tests/kafka` runs those."""


class Outcome(NamedTuple):
    """The result of one seed."""

    seed: int
    problems: list[str]
    faults: Counter[str]
    seen: Counter[str]
    quiet_s: float
    simulated_s: float


def simulated(seed: int, program: Program = TRUE, *, calm: bool = False, trace: bool = False) -> Outcome:
    """Simulate one seed to its end; in calm weather no fault strikes."""
    world = World(seed, faulty_s=0.0 if calm else 20.0 + seed * 7 % 41, trace=trace)
    quiet_s = Cluster(world, program).let_run()
    return Outcome(seed, world.problems, world.faults, world.seen, quiet_s, world.now)


def caught_by(program: Program, seeds: Iterable[int]) -> Outcome | None:
    """The first seed that a program fails."""
    return next((outcome for outcome in (simulated(seed, program) for seed in seeds) if outcome.problems), None)


def _table(rows: dict[str, object]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items()), ""]


def _counted(counts: Iterable[Counter[str]], names: Iterable[str] = ()) -> dict[str, object]:
    total = Counter(dict.fromkeys(names, 0))
    for count in counts:
        total.update(count)
    return {name: f"{times:,}" for name, times in total.items()}


def report(outcomes: list[Outcome], planted_bugs: dict[str, Outcome | None], program: str, seconds: float) -> str:
    """The report, in Markdown."""
    failures = [outcome for outcome in outcomes if outcome.problems]
    names_missed = [name for name, outcome in planted_bugs.items() if outcome is None]
    quiet = sorted(outcome.quiet_s for outcome in outcomes if not outcome.problems) or [0.0]
    first, last = outcomes[0].seed, outcomes[-1].seed
    verdict_is = "FAILED" if failures or names_missed else "nothing lost, nothing doubled, every planted bug caught"
    lines = [
        f"# Simulation: {verdict_is}",
        "",
        *ABOUT.splitlines(),
        "",
        *_table(
            {
                "seeds": f"{len(outcomes):,} ({first} to {last}), of which {len(failures)} failed",
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "commit of HEAD": f"`{commit()}`",
                "hash of the sources that ran": f"`{program}`",
                "simulated": f"{sum(outcome.simulated_s for outcome in outcomes) / 3600:.1f} hours",
                "from the last fault to quiet": f"p50 {statistics.median(quiet):.0f} s, max {quiet[-1]:.0f} s, simulated",
                "whole run": f"{seconds:.0f} s",
            }
        ),
        "## Faults that struck",
        "",
        *_table(_counted((outcome.faults for outcome in outcomes), FAULTS)),
        "## What followed",
        "",
        *_table(dict(sorted(_counted(outcome.seen for outcome in outcomes).items()))),
        f"## Planted bugs, and the first seed from {first} on that catches each",
        "",
        *_table({name: _catch(outcome) for name, outcome in planted_bugs.items()}),
        *(
            ["## Seeds that failed", "", *(f"* {outcome.seed}: {outcome.problems[0]}" for outcome in failures)]
            if failures
            else []
        ),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _catch(outcome: Outcome | None) -> str:
    if outcome is None:
        return f"missed by {PLANTED_SEEDS} seeds"
    return f"{outcome.seed}: {' '.join(outcome.problems[0].split()):.160}"


def _only(seed: int, *, trace: bool) -> int:
    outcome = simulated(seed, trace=trace)
    print(f"seed {seed}: quiet {outcome.quiet_s:.1f} s after the last fault; faults {dict(outcome.faults)}")
    print(*outcome.problems, sep="\n")
    return 1 if outcome.problems else 0


def main(arguments: list[str] | None = None) -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak.simulation", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="SEED", help="this seed alone")
    parser.add_argument("--trace", action="store_true", help="with --only: print everything that happens")
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="where to; standard output without it")
    options = parser.parse_args(arguments)
    if options.only is not None:
        return _only(options.only, trace=options.trace)
    program, began, outcomes = sources(RUN), time.monotonic(), list[Outcome]()
    for seed in range(options.first, options.first + options.seeds):
        outcomes.append(simulated(seed))
        if outcomes[-1].problems:
            print(
                f"FAILED: python -m tests.soak.simulation --only {seed} --trace\n  {outcomes[-1].problems[0]}",
                flush=True,
            )
    slice_of = range(options.first, options.first + PLANTED_SEEDS)
    planted_bugs = {bug.name: caught_by(bug, slice_of) for bug in planted()}
    text = report(outcomes, planted_bugs, program, time.monotonic() - began)
    if options.report is None:
        print(text, end="")
    else:
        options.report.write_text(text, encoding="utf-8")
    has_changed = sources(RUN) != program
    if has_changed:
        print("the sources changed while it ran: run it again")
    return 1 if has_changed or None in planted_bugs.values() or any(outcome.problems for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
