"""Which dinas's figures of a period an entry bears on: what was recorded between two readings explains by it what moved."""

from domain.events.entries import AnyEntry, DinasRegistered, SchemeAdopted
from domain.fold.postings import postings_of
from domain.periods import Period

EVERY: None = None
"""Said of an entry that bears on every dinas."""


def touched(entry: AnyEntry, period: Period) -> frozenset[str] | None:
    """The dinas whose figures of a period an entry bears on; ``EVERY`` of a scheme that may score the period.

    A standard, an assignment or a note bears on none by itself: what it leads to is resolved in the facts.
    """
    if isinstance(entry, SchemeAdopted):
        return EVERY if entry.data.effective_from <= period.last_day.isoformat() else frozenset()
    if isinstance(entry, DinasRegistered):
        return frozenset({entry.data.dinas})
    months = period.months
    return frozenset(posting.account[0] for posting in postings_of(entry) if posting.account[3] in months)
