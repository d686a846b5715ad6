"""Noting: each rule and each reversal that an intake records leaves a note in the security log, whichever way it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.intake.wire import Submission
from projections.ports import Accepted
from projections.security import ADDRESS, Note, keep_or_tell, noted_as

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from domain.refusal import Refusal
    from projections.ports import Grant, Intake, Outcome
    from projections.security import SecurityLog


class NotedIntake:
    """An intake whose rules and reversals are noted once they are recorded.

    A log that cannot be written is told of, and undoes nothing.
    """

    def __init__(self, intake: Intake, log: SecurityLog, now_us: Callable[[], int]) -> None:
        self._intake = intake
        self._log = log
        self._now_us = now_us

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """Pass events on, and note those that the log must hold. Raises: ``Unavailable`` when nothing was recorded."""
        outcomes = self._intake.submit(events, grant)
        for event, outcome in zip(events, outcomes, strict=True):
            what = noted_as(event, outcome)
            if what and isinstance(event, Submission) and isinstance(outcome, Accepted):
                whose = str(event.data.get("asn") or event.data.get("dinas") or "")
                detail = f"{event.type} at {outcome.receipt.position}"
                keep_or_tell(self._log, self._now_us(), Note(what, grant.id, whose, detail, ADDRESS.get()))
        return outcomes
