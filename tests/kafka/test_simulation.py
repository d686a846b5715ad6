"""Many seeds of a simulated Neraca of many processes: faults strike, nothing is lost or doubled; planted bugs are caught."""

from collections import Counter
from typing import Final

import pytest

from tests.soak.simulation.__main__ import Outcome, caught_by, report, simulated
from tests.soak.simulation.planted import Program, planted
from tests.soak.simulation.world import FAULTS

pytestmark = pytest.mark.speed("test")

SEEDS: Final = range(1, 201)
CALM: Final = range(1, 13)
FOLLOWS: Final = {
    "a fold was lost in a crash of the database",
    "a worker waited for its name",
    "a fold had to wait for another's transaction",
    "a fold of partitions that another had by then",
    "a gap was met",
    "a partition stopped",
    "a partition was resumed",
    "a record or segment was set aside",
    "a transaction was idle for too long",
    "a watchdog ended its process",
    "a worker's process ended to read again",
    "a worker's process was overtaken",
    "cursors were moved by another",
    "entries applied",
    "entries that came again, and were trimmed",
}
PLANTED: Final = planted()


def test_every_seed_comes_to_the_journals_head_with_each_entry_applied_once() -> None:
    """Two thousand are ``python -m tests.soak.simulation``; one that fails is shown by ``--only SEED --trace``.

    A simulation in which little happens proves little: each fault strikes, and each thing that may follow does.
    """
    faults, events = Counter[str](), Counter[str]()
    for outcome in map(simulated, SEEDS):
        assert outcome.problems == [], f"python -m tests.soak.simulation --only {outcome.seed} --trace"
        faults += outcome.faults
        events += outcome.seen
    assert set(faults) == set(FAULTS)
    assert set(events) == FOLLOWS
    assert events["entries that came again, and were trimmed"] > 1000


@pytest.mark.parametrize("program", PLANTED, ids=[program.name for program in PLANTED])
def test_a_planted_bug_is_caught(program: Program) -> None:
    """Within the seeds that the program as it is passes."""
    assert caught_by(program, SEEDS) is not None


@pytest.mark.parametrize("program", PLANTED, ids=[program.name for program in PLANTED])
def test_in_calm_weather_a_broken_program_does_as_well(program: Program) -> None:
    """The faults reveal a bug, not a simulation tailored to one program."""
    assert [outcome.problems for outcome in (simulated(seed, program, calm=True) for seed in CALM)] == [[]] * len(CALM)


def test_a_seed_comes_to_the_same_again() -> None:
    """Otherwise a failure could not be looked into."""
    assert [simulated(seed) for seed in range(20, 30)] == [simulated(seed) for seed in range(20, 30)]


def test_the_report_says_what_failed() -> None:
    """A seed that failed, or a bug that was missed, is in the first line and by name."""
    well = Outcome(1, [], Counter({"send refused": 2}), Counter(), 3.0, 60.0)
    ill = Outcome(2, ["at 1 s: lost"], Counter(), Counter(), 0.0, 60.0)
    text = report([well], {"a bug": ill}, "hash", 1.0)
    assert text.startswith("# Simulation: nothing lost")
    assert "| send refused | 2 |" in text
    assert "| a bug | 2: at 1 s: lost |" in text
    assert report([well], {"a bug": None}, "hash", 1.0).startswith("# Simulation: FAILED")
    failure = report([well, ill], {}, "hash", 1.0)
    assert failure.startswith("# Simulation: FAILED")
    assert "* 2: at 1 s: lost" in failure
