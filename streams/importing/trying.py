"""Trying an import: what the intake would decide about each row, and nothing recorded."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from domain.intake.wire import submission_or_refusal
from domain.refusal import Refusal, attempt
from domain.rules.rulebook import Rulebook
from streams.importing.sending import problem_of
from streams.intake.keyed import keyed
from streams.intake.recording import Policy, Recording

if TYPE_CHECKING:
    from collections.abc import Iterator

    from projections.ports import Grant
    from streams.importing.settling import Answers, Event, Name
    from streams.journal.journal import Appending, Journal


class FormSink:
    """Looks at the form of events alone, as an intake elsewhere would."""

    def holders(self, _names: list[Name]) -> dict[Name, dict[str, Any]]:
        """None is known."""
        return {}

    def send(self, events: list[Event]) -> Answers:
        """Refuse what breaks the contract of events."""
        outcomes = [submission_or_refusal(event) for event in events]
        problems = {index: problem_of(item) for index, item in enumerate(outcomes) if isinstance(item, Refusal)}
        return len(events) - len(problems), problems


class TrialSink:
    """Decides events as the intake does, in an append that is never written."""

    def __init__(self, append: Appending, policy: Policy, now_us: int, grant: Grant) -> None:
        rulebook = Rulebook()
        rulebook.read(append.rules_since(0))
        self._recording = Recording(append, rulebook, policy, now_us)
        self._grant = grant

    def holders(self, _names: list[Name]) -> None:
        """The append knows them one by one, as it is asked."""

    def send(self, events: list[Event]) -> Answers:
        """Decide a batch."""
        submissions = [submission_or_refusal(event) for event in events]
        queries = [item if isinstance(item, Refusal) else keyed(item) for item in submissions]
        # Nothing is looked up in bulk: that would forget the events which this append has added and not written.
        count, problems = 0, dict[int, dict[str, Any]]()
        for index, query in enumerate(queries):
            outcome = query if isinstance(query, Refusal) else attempt(self._recording.record, query, self._grant)
            if isinstance(outcome, Refusal):
                problems[index] = problem_of(outcome)
            else:
                count += not outcome.repeated
        return count, problems


@contextmanager
def trial(journal: Journal, policy: Policy, now_us: int, grant: Grant) -> Iterator[TrialSink]:
    """A sink over a journal as it is now; nothing is written, and whoever records goes on meanwhile."""
    with journal.trying() as append:
        yield TrialSink(append, policy, now_us, grant)
