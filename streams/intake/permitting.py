"""The question that intake asks of the policy for each event: whether the caller's grant covers it, and the refusal if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from domain.access.policy import allowed
from domain.access.subjects import SOME, Fact, Rule
from domain.events import submitted as events
from domain.events.kinds import CASE, RULE_TYPES
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from domain.access.grant import Grant
    from domain.intake.wire import Submission

NOT_COVERED: Final = "the token does not cover this event"


def not_covered(*faults: Fault) -> Refusal:
    """The one refusal of all that a grant does not cover: unknown, of another dinas, or held there."""
    return Refusal("forbidden", faults[0].detail if faults else NOT_COVERED, *faults)


def as_granted(event: Submission, grant: Grant) -> Submission:
    """An event under the name that the grant gives it: a ticket's is made of the ticket, so that it is recorded once."""
    if not grant.event_id or not grant.sources:
        return event
    return replace(event, source=min(grant.sources), id=grant.event_id)


def refusal_of(event: Submission, grant: Grant, now_us: int) -> Refusal | None:
    """The refusal of an event that a grant does not cover, as far as the event itself tells; ``None`` if it may be recorded."""
    values = event.typed
    if isinstance(values, events.Reversal):
        # The reversed event is known in the journal alone: `Recording` asks about it.
        return None if allowed(grant, "reverse", SOME, now_us) else not_covered()
    if isinstance(values, events.Fact | events.CaseNote):
        return _refusal_of_fact(event, values, grant, now_us)
    rule = Rule(event.data.get("dinas") if event.type in RULE_TYPES else None, event.source)
    if allowed(grant, "set-rules", rule, now_us):
        return None
    if allowed(replace(grant, sources=None), "set-rules", rule, now_us):
        return _another_source(event.source)
    return not_covered()


def _refusal_of_fact(
    event: Submission, values: events.Fact | events.CaseNote, grant: Grant, now_us: int
) -> Refusal | None:
    names = tuple(event.data.get(name, "") for name in CASE)
    case = (names[0], names[1], names[2]) if all(names) else None
    fact = Fact(values.dinas, event.source, case, rating=isinstance(values, events.SatisfactionRated))
    if allowed(grant, "record-fact", fact, now_us):
        return None
    if allowed(replace(grant, sources=None), "record-fact", fact, now_us):
        return _another_source(event.source)
    if allowed(replace(grant, sources=None, dinas=None), "record-fact", fact, now_us):
        detail = f"the token may not speak for dinas {values.dinas}"
        return not_covered(Fault("/data/dinas", detail))
    return not_covered()


def _another_source(source: str) -> Refusal:
    detail = f"the token may not speak for source {source}"
    return not_covered(Fault("/source", detail))
