"""Judged facts: the instant at which a decision or a task was due, and by how much it was early or late.

Both follow from the values that were resolved at recording, so no later rule moves them.
"""

from typing import Final

from domain.clock import stored_instant
from domain.events.kinds import KINDS
from domain.intake.recorded import EffectiveFact, Resolved

DECIDED: Final = KINDS["permit-processed"].type
TASK: Final = KINDS["task-completed"].type


def due_us(fact: EffectiveFact) -> int | None:
    """The instant from which a decision or a task would have been late; ``None`` without a promise.

    Of a standard it is the instant at which the clock, which stands while the case is paused, reaches the promised time.
    """
    if fact.type == TASK:
        return stored_instant(fact.data["due_at"]) if "due_at" in fact.data else None
    resolution = fact.resolved
    if resolution.due_us is not None or resolution.promise_us is None or resolution.received_us is None:
        return resolution.due_us
    due = resolution.received_us + resolution.promise_us
    for start_us, end_us, _ in sorted(resolution.pauses):
        if start_us < due:
            due += end_us - start_us
    return due


def margin_us(fact: EffectiveFact) -> int | None:
    """The time left when a decision or a task was done, negative if it was late; ``None`` without a promise.

    Of a standard it is time of the clock: the promised time less the service time (DOMAIN §3).
    """
    due, resolution = due_us(fact), fact.resolved
    if due is None:
        return None
    if fact.type == TASK or resolution.due_us is not None:
        return due - stored_instant(fact.data["completed_at"])
    return (resolution.promise_us or 0) - (resolution.elapsed_us or 0)


def paused_us(resolution: Resolved) -> int:
    """The time for which the clock of a decision stood."""
    return sum(end_us - start_us for start_us, end_us, _ in resolution.pauses)
