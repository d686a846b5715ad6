"""The law of forwarding: an intake elsewhere is sent what was submitted, and its answer is what the intake decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given

from domain.intake.wire import Submission, read_event, read_submission
from domain.refusal import Refusal, attempt
from projections.forwarding import outcomes_in, text_of
from streams.intake.elsewhere import wire
from tests.laws.histories import bounded, recorded, steps

if TYPE_CHECKING:
    from projections.ports import Outcome
    from tests.laws.steps import Step

CITYS: frozenset[str] = frozenset({"extension"})
"""An extension attribute of a city's own."""


def content_of(outcome: Outcome) -> Any:  # noqa: ANN401 - a receipt, or the parts of a refusal
    if isinstance(outcome, Refusal):
        return outcome.slug, outcome.detail, outcome.faults, outcome.holder
    return outcome


@bounded(30)
@given(steps(30))
def test_what_is_forwarded_is_what_was_submitted_and_decided(steps: list[Step]) -> None:
    """Every event that has a form is read again to the same; every outcome is, whole."""
    with recorded(steps) as history:
        outcomes = history.outcomes
    for event, _ in outcomes:
        submission = attempt(read_submission, event, CITYS)
        if isinstance(submission, Submission):
            assert read_event(msgspec.json.encode(wire(submission)), CITYS) == submission
    here = [outcome for _, outcome in outcomes]
    there = outcomes_in(text_of(here), len(here))
    assert [content_of(outcome) for outcome in there] == [content_of(outcome) for outcome in here]
