"""The question that intake asks of the policy for each event: whether the caller's grant covers it, and the refusal if not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from domain.access.policy import allowed
from domain.access.subjects import SOME, Fact, Rule
from domain.events.kinds import KINDS, REVERSAL_TYPES, RULE_TYPES
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from domain.access.grant import Grant
    from domain.access.policy import Action
    from domain.intake.wire import Submission

RATED: Final = KINDS["satisfaction-rated"].type
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
    if event.type in REVERSAL_TYPES:
        # The reversed event is known in the journal alone: `Recording` asks about it.
        return None if allowed(grant, "reverse", SOME, now_us) else not_covered()
    data = event.data
    if event.type in RULE_TYPES:
        return _refusal_of(event, grant, "set-rules", Rule(data.get("dinas"), event.source), now_us)
    is_rating = event.type == RATED
    case = (data["dinas"], data.get("service", ""), data.get("case", "")) if is_rating else None
    return _refusal_of(event, grant, "record-fact", Fact(data["dinas"], event.source, case, is_rating), now_us)


def _refusal_of(event: Submission, grant: Grant, action: Action, subject: Fact | Rule, now_us: int) -> Refusal | None:
    """The refusal names the field at fault, if another source or another dinas would do."""
    if allowed(grant, action, subject, now_us):
        return None
    anywhere = replace(grant, sources=None)
    if allowed(anywhere, action, subject, now_us):
        return _another_source(event.source)
    if isinstance(subject, Fact) and allowed(replace(anywhere, dinas=None), action, subject, now_us):
        return not_covered(Fault("/data/dinas", f"the token may not speak for dinas {subject.dinas}"))
    return not_covered()


def _another_source(source: str) -> Refusal:
    detail = f"the token may not speak for source {source}"
    return not_covered(Fault("/source", detail))
