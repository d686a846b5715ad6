"""Counters over broken networks, simulated: each event arrives once, none is refused in silence, and planted bugs are caught."""

from collections import Counter
from typing import Final

import pytest

from tests.soak.counters.__main__ import PLANTED_ROUNDS, caught, rounds
from tests.soak.counters.network import FAULTS
from tests.soak.counters.planted import BUGS, Bug

ROUNDS: Final = range(1, 61)


def test_every_round_ends_with_each_event_recorded_once_or_refused_with_its_reason() -> None:
    """Two thousand rounds are ``python -m tests.soak.counters``; each fault strikes, or the simulation proves little."""
    faults = Counter[str]()
    for outcome in rounds(ROUNDS):
        assert outcome.problems == [], f"python -m tests.soak.counters --only {outcome.seed}"
        faults.update(outcome.struck)
    assert set(FAULTS) <= set(faults)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_of_the_emitter_is_caught(bug: Bug) -> None:
    assert caught(bug, range(1, PLANTED_ROUNDS + 1)) is not None
