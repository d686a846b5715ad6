"""Runs simulated counters through seeded broken networks, and reports whether any event was lost, doubled or refused in silence.

    python -m tests.soak.counters --rounds 2000 --report tests/soak/REPORT-counters.md
    python -m tests.soak.counters --only 17

The exit code is 0 only if the program as it is passes every round, and every planted bug is caught.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.serving import Assembled
from tests.soak.counters.network import FAULTS, SimulatedClock
from tests.soak.counters.planted import BUGS, Bug
from tests.soak.counters.rounds import Outcome, simulated
from tests.soak.provenance import commit, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RUN: Final = (
    "domain/**/*.py",
    "streams/emitting/*.py",
    "streams/intake/*.py",
    "streams/retrying.py",
    "api/http/*.py",
    "api/v1/intake.py",
    "tests/soak/counters/*.py",
)
"""The files that a round runs: the program's, and its own."""
PLANTED_ROUNDS: Final = 30
"""Within so many rounds a planted bug is caught, or it counts as missed."""
ABOUT: Final = """\
Three counters share cases and send them through the program's own outbox, sender and reading of answers
(`streams/emitting/`) to the real app and journal, over a network that a seed breaks in every way below, on a simulated
clock; a proxy that takes 20 kB and a firewall stand on the way in any weather. Receipt and decision of a case are at
different counters, one counter's clock is ten minutes ahead, and each run of an emitter ends and begins anew on its
outbox. At the end each good event must be in the journal once, each bad one in an outbox with its reason, and nothing
may wait. Sockets are not in it: `tests/streams/test_emit_network.py` runs those."""


def rounds(seeds: Iterable[int]) -> Iterator[Outcome]:
    """Each round, one after another over one journal."""
    with tempfile.TemporaryDirectory() as directory:
        clock = SimulatedClock()
        with Assembled(Path(directory) / "data", clock=clock) as neraca:
            for seed in seeds:
                yield simulated(seed, neraca, clock, Path(directory))


def caught(bug: Bug, seeds: Iterable[int]) -> Outcome | None:
    """The first round that a bug fails."""
    with bug.planted():
        return next((outcome for outcome in rounds(seeds) if outcome.problems), None)


def _table(rows: dict[str, object]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items()), ""]


def report(outcomes: list[Outcome], bugs: dict[str, Outcome | None], program: str, seconds: float) -> str:
    """The report, in Markdown."""
    failures, misses = (
        [outcome for outcome in outcomes if outcome.problems],
        [name for name, outcome in bugs.items() if outcome is None],
    )
    faults = Counter(dict.fromkeys(FAULTS, 0))
    for outcome in outcomes:
        faults.update(outcome.struck)
    verdict = (
        "FAILED" if failures or misses else "each event there once, none refused in silence, every planted bug caught"
    )
    lines = [
        f"# Counters: {verdict}",
        "",
        *ABOUT.splitlines(),
        "",
        *_table(
            {
                "rounds": f"{len(outcomes):,}, of which {len(failures)} failed",
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "commit of HEAD": f"`{commit()}`",
                "hash of the sources that ran": f"`{program}`",
                "events recorded once": f"{sum(outcome.recorded for outcome in outcomes):,}",
                "events refused, each with its reason": f"{sum(outcome.refused for outcome in outcomes):,}",
                "whole run": f"{seconds:.0f} s",
            }
        ),
        "## Faults that struck",
        "",
        *_table({name: f"{times:,}" for name, times in faults.items()}),
        "## Planted bugs, and the first round that catches each",
        "",
        *_table(
            {
                name: f"{outcome.seed}: {outcome.problems[0]:.120}" if outcome else "missed"
                for name, outcome in bugs.items()
            }
        ),
        *(f"* {outcome.seed}: {outcome.problems[0]}" for outcome in failures),
    ]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.counters", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2000)
    parser.add_argument("--only", type=int, metavar="SEED", help="this round alone")
    parser.add_argument("--report", type=Path, metavar="FILE.md", help="where to; standard output without it")
    options = parser.parse_args()
    if options.only is not None:
        (outcome,) = rounds([options.only])
        print(*outcome.problems or ["nothing lost, nothing doubled"], sep="\n")
        return 1 if outcome.problems else 0
    program, began = sources(RUN), time.monotonic()
    outcomes = list(rounds(range(1, options.rounds + 1)))
    bugs = {bug.name: caught(bug, range(1, PLANTED_ROUNDS + 1)) for bug in BUGS}
    text = report(outcomes, bugs, program, time.monotonic() - began)
    if options.report is None:
        print(text, end="")
    else:
        options.report.write_text(text, encoding="utf-8")
    return 1 if None in bugs.values() or any(outcome.problems for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
