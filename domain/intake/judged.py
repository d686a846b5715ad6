"""Judged facts: the instant at which a decision or a task was due, and by how much it was early or late.

Both follow from the values that were resolved at recording, so no later rule moves them.
"""

from typing import Final

from domain.clock import parse_instant
from domain.events.kinds import KINDS
from domain.intake.recorded import EffectiveFact, Resolved

DECIDED: Final = KINDS["permit-processed"].type
TASK: Final = KINDS["task-completed"].type


def due_us(fact: EffectiveFact) -> int | None:
    """The instant from which a decision or a task would have been late; ``None`` without a promise.

    Of a standard it is the instant at which the clock, which stands while the case is paused, reaches the promised time.
    """
    if fact.type == TASK:
        return parse_instant(fact.data["due_at"]) if "due_at" in fact.data else None
    resolved = fact.resolved
    if resolved.due_us is not None or resolved.promise_us is None or resolved.received_us is None:
        return resolved.due_us
    due = resolved.received_us + resolved.promise_us
    for begun, ended, _ in sorted(resolved.pauses):
        if begun < due:
            due += ended - begun
    return due


def margin_us(fact: EffectiveFact) -> int | None:
    """The time left when a decision or a task was done, negative if it was late; ``None`` without a promise.

    Of a standard it is time of the clock: the promised time less the service time (DOMAIN §3).
    """
    due, resolved = due_us(fact), fact.resolved
    if due is None:
        return None
    if fact.type == TASK or resolved.due_us is not None:
        return due - parse_instant(fact.data["completed_at"])
    return (resolved.promise_us or 0) - (resolved.elapsed_us or 0)


def paused_us(resolved: Resolved) -> int:
    """The time for which the clock of a decision stood."""
    return sum(ended - begun for begun, ended, _ in resolved.pauses)
