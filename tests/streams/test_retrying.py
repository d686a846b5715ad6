"""Retrying: pauses that grow, patience that ends, interruption, and rows of failures; time is a number here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from streams.retrying import PATIENT, PROMPT, Failures, Interrupted, Pauses, Retrying

if TYPE_CHECKING:
    from collections.abc import Callable


class Away(Exception):  # noqa: N818 - a state of a server, not a fault
    """A server is away."""


class Clock:
    """A clock that pauses move; it interrupts the pause of a given number."""

    def __init__(self, interrupts: int = 0) -> None:
        self.now_s = 0.0
        self.pauses: list[float] = []
        self._interrupts = interrupts

    def __call__(self) -> float:
        """Seconds."""
        return self.now_s

    def pause(self, pause_s: float) -> bool:
        """Let time pass; true when the pause is interrupted."""
        self.now_s += pause_s
        self.pauses.append(pause_s)
        return len(self.pauses) == self._interrupts


def failing(times: int, error: type[Exception] = Away) -> Callable[[], str]:
    """An attempt that fails so often, then works."""
    times_left = [times]

    def attempt() -> str:
        times_left[0] -= 1
        if times_left[0] >= 0:
            raise error
        return "done"

    return attempt


@pytest.mark.parametrize(
    ("pauses", "lengths"),
    [
        (PROMPT, [0.1, 0.2, 0.4, 0.5, 0.5]),
        (PATIENT, [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]),
        (Pauses(1.0, 1.0), [1.0, 1.0, 1.0]),
    ],
)
def test_each_pause_is_twice_the_one_before_up_to_the_longest(pauses: Pauses, lengths: list[float]) -> None:
    clock = Clock()
    retrying = Retrying(Away, pauses, pause=clock.pause, clock=clock)
    assert retrying.call(failing(len(lengths))) == "done"
    assert clock.pauses == pytest.approx(lengths)


def test_an_error_of_another_kind_is_not_retried() -> None:
    """The kinds are classes, or a function that looks at the error."""
    clock = Clock()
    for on in (Away, (Away, KeyError), lambda error: isinstance(error, Away)):
        with pytest.raises(ZeroDivisionError):
            Retrying(on, PROMPT, pause=clock.pause, clock=clock).call(failing(1, ZeroDivisionError))
        assert Retrying(on, PROMPT, pause=clock.pause, clock=clock).call(failing(1)) == "done"
    assert clock.pauses == [0.1] * 3


@pytest.mark.parametrize(("patience_s", "pauses"), [(0.0, []), (0.2, [0.2]), (1.0, [0.2, 0.4]), (1.5, [0.2, 0.4, 0.8])])
def test_patience_ends_before_a_pause_that_would_exceed_it(patience_s: float, pauses: list[float]) -> None:
    """The last error is raised; no time is spent on a pause after which nothing would be tried."""
    clock = Clock()
    with pytest.raises(Away):
        Retrying(Away, PATIENT, patience_s=patience_s, pause=clock.pause, clock=clock).call(failing(99))
    assert clock.pauses == pytest.approx(pauses)


def test_a_long_attempt_does_not_use_up_the_patience() -> None:
    """Patience counts from the first failure of a row, however long the first attempt waited for an answer."""
    clock = Clock()

    def slow() -> str:
        clock.now_s += 60.0
        raise Away

    with pytest.raises(Away):
        Retrying(Away, PATIENT, patience_s=61.0, pause=clock.pause, clock=clock).call(slow)
    assert clock.pauses == [0.2, 0.4]


def test_an_interrupted_pause_is_the_last() -> None:
    clock = Clock(interrupts=2)
    with pytest.raises(Interrupted):
        Retrying(Away, PROMPT, pause=clock.pause, clock=clock).call(failing(99))
    assert len(clock.pauses) == 2


def test_an_interruption_within_passes_through_a_loop_that_retries_everything() -> None:
    inner, outer = Clock(interrupts=1), Clock()
    retrying = Retrying(Away, PROMPT, pause=inner.pause, clock=inner)
    with pytest.raises(Interrupted):
        Retrying(Exception, PROMPT, pause=outer.pause, clock=outer).call(lambda: retrying.call(failing(9)))
    assert outer.pauses == []


def test_each_failure_is_reported_with_its_number_in_the_row() -> None:
    """An attempt that says it is well begins a new row, and so does the next call."""
    clock, counts = Clock(), list[int]()
    retrying = Retrying(Away, PROMPT, on_failure=lambda _, count: counts.append(count), pause=clock.pause, clock=clock)
    retrying.call(failing(2))
    attempts = iter(range(9))

    def well_at_the_third() -> None:
        number = next(attempts)
        if number == 2:
            retrying.well()
        if number < 4:
            raise Away

    retrying.call(well_at_the_third)
    assert counts == [1, 2, 1, 2, 1, 2]


def test_failures_are_counted_without_a_clock_of_their_own() -> None:
    """A caller with its own time, a simulation, asks for the pause; ``None`` says that patience has ended."""
    failures = Failures(PROMPT, patience_s=1.0)
    assert [failures.pause_s(5.0), failures.pause_s(5.1), failures.pause_s(5.9)] == [0.1, 0.2, None]
    failures.clear()
    assert (failures.count, failures.pause_s(9.0)) == (0, 0.1)
