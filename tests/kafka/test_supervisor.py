"""The supervisor over real processes: it restarts each that ends, unless the end is final; on a signal it ends all."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from streams.retrying import PATIENT
from streams.worker.supervisor import CALM_S, FINAL, Exit, next_pause
from tests.kafka.guard_supervisor import SUPERVISE, WITHOUT, Supervised

if TYPE_CHECKING:
    from pathlib import Path

FIRST_S, LONGEST_S = PATIENT


def restarting_check(folder: Path, program: str) -> None:
    """Guard 7: a worker that ends by a code, an exception or a signal is started again, and then ended."""
    with Supervised(folder, Exit.READ_AGAIN, Exit.FAILED, 1, "killed", "waits", program=program) as supervisor:
        supervisor.started(5)
        assert supervisor.end()[0] == 0
        assert supervisor.alive() == []


def test_whatever_ends_is_started_again(tmp_path: Path) -> None:
    restarting_check(tmp_path, SUPERVISE)


@pytest.mark.planted
def test_without_a_supervisor_the_first_end_is_the_last(tmp_path: Path) -> None:
    with Supervised(tmp_path, Exit.READ_AGAIN, "waits", program=WITHOUT) as supervisor:
        assert supervisor.code() == Exit.READ_AGAIN
        assert len(supervisor.output()) == 1


def test_pauses_between_starts_grow(tmp_path: Path) -> None:
    """A process that ends at once is not started in a hurry."""
    with Supervised(tmp_path, Exit.READ_AGAIN) as supervisor:
        supervisor.started(4)
        starts, ends = supervisor.output("start"), supervisor.output("end")
        pauses = [start[0] - end[0] for start, end in zip(starts[1:4], ends[:3], strict=True)]
        assert [pause > least for pause, least in zip(pauses, (0.2, 0.4, 0.8), strict=True)] == [True] * 3
        assert supervisor.end()[0] == 0


@pytest.mark.parametrize(
    ("before_s", "lived_s", "pause_s"),
    [
        (0.0, 0.0, FIRST_S),
        (0.2, 0.0, 0.4),
        (0.4, CALM_S - 1, 0.8),
        (6.4, 1.0, LONGEST_S),
        (LONGEST_S, 1.0, LONGEST_S),
        (LONGEST_S, CALM_S + 1, FIRST_S),
        (0.0, CALM_S + 1, FIRST_S),
    ],
)
def test_a_pause_grows_and_is_forgotten_after_a_calm_while(before_s: float, lived_s: float, pause_s: float) -> None:
    assert next_pause(before_s, lived_s) == pytest.approx(pause_s)


@pytest.mark.parametrize("code", sorted(FINAL))
def test_what_starting_anew_would_not_cure_ends_the_supervisor(tmp_path: Path, code: Exit) -> None:
    """It was told to end, or its journal is another."""
    with Supervised(tmp_path, code) as supervisor:
        assert supervisor.code() == (0 if code == Exit.ENDED else 1)
        assert len(supervisor.output()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_lets_its_process_end(tmp_path: Path, number: signal.Signals) -> None:
    """The process has the time it needs; it is not killed over it, and not started again."""
    with Supervised(tmp_path, "slow") as supervisor:
        supervisor.started(1)
        assert supervisor.end(number)[0] == 0
        assert (len(supervisor.output("told")), len(supervisor.output("ended")), supervisor.alive()) == (1, 1, [])


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_that_time_it_is_killed_over_its_work(tmp_path: Path) -> None:
    with Supervised(tmp_path, "slow", ending_s=0.0) as supervisor:
        supervisor.started(1)
        assert supervisor.end()[0] == 0
        assert supervisor.output("ended") == []


def test_a_process_that_does_not_end_is_killed(tmp_path: Path) -> None:
    """Within the time it was given, and a moment."""
    with Supervised(tmp_path, "deaf", ending_s=1.0) as supervisor:
        supervisor.started(1)
        code, took_s = supervisor.end()
        assert (code, supervisor.alive()) == (0, [])
        assert took_s >= 1.0


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_a_limit_it_would_wait_for_ever(tmp_path: Path) -> None:
    """The process of the test above does ignore SIGTERM."""
    with Supervised(tmp_path, "deaf", ending_s=60.0) as supervisor:
        supervisor.started(1)
        with pytest.raises(subprocess.TimeoutExpired):
            supervisor.end(within_s=2.0)
        assert len(supervisor.alive()) == 1


def test_told_to_end_in_a_pause_it_starts_nothing_more(tmp_path: Path) -> None:
    with Supervised(tmp_path, Exit.READ_AGAIN) as supervisor:
        supervisor.started(5)
        assert supervisor.end()[0] == 0
        assert len(supervisor.output()) == len(supervisor.output("end"))
