"""The keys under which the journal is asked about a submission, spelt once for looking up and deciding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from domain.events import submitted as events
from domain.events.kinds import BY_TYPE, DECISION, NOTES, RECEIPT, reversed_key
from streams.journal.journal import originator_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.intake.wire import Submission
    from streams.journal.journal import Appending


class Keyed(Struct, frozen=True, gc=False):
    """A submission with the keys under which the journal is asked about it, spelt once for looking up and deciding."""

    submission: Submission
    originator: str
    key: str | None = None
    """The natural key it would hold."""
    receipt: str | None = None
    """The key of its case's receipt, from which a decision and a note take what they leave out."""
    decision: str | None = None
    """The key of its case's decision: after it a note comes too late, and a rating no sooner; a late receipt judges it anew."""
    target: str | None = None
    """The originator it reverses."""


def keyed(submission: Submission) -> Keyed:
    """A submission and its keys."""
    originator, values, data = originator_of(submission.source, submission.id), submission.typed, submission.data
    kind = BY_TYPE[submission.type]
    if kind.role == "fact":
        receipt = RECEIPT.text(data) if isinstance(values, events.PermitProcessed) else None
        is_of_case = isinstance(values, events.SatisfactionRated) and "case" in data
        decision = DECISION.text(data) if is_of_case or isinstance(values, events.PermitReceived) else None
        return Keyed(submission, originator, kind.natural_key(data), receipt, decision)
    if kind.role == "note":
        return Keyed(submission, originator, None, RECEIPT.text(data), DECISION.text(data))
    if isinstance(values, events.Reversal):
        name = values.event
        key, target = reversed_key(name.source, name.id), originator_of(name.source, name.id)
        return Keyed(submission, originator, key, target=target)
    return Keyed(submission, originator)


def prefetch(append: Appending, submissions: Sequence[Keyed]) -> None:
    """Look up in bulk all that submissions need; the rest is looked up one by one."""
    append.prefetch(
        (name for query in submissions for name in (query.originator, query.target) if name),
        (key for query in submissions for key in (query.key, query.receipt, query.decision) if key),
    )
    receipts, cases = list[str](), list[str]()
    for query in submissions:
        holder = append.holder(query.receipt) if query.receipt else None
        if holder is not None:
            receipts.append(holder)
            cases.append(NOTES.text(query.submission.data))
    append.prefetch(receipts, ())
    append.prefetch_notes(cases)
