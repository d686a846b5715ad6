"""The agencies that an entry affects in a period: they explain why figures changed between two positions."""

from domain.events.entries import AnyEntry, DinasRegistered, SchemeAdopted
from domain.fold.postings import postings_of
from domain.periods import Period


def affected_dinas(entry: AnyEntry, period: Period) -> frozenset[str] | None:
    """The dinas whose figures of a period an entry affects; ``None`` for all of them: a scheme that may score the period.

    A standard, an assignment or a note affects none by itself: its effect is resolved in the facts.
    """
    if isinstance(entry, SchemeAdopted):
        return None if entry.data.effective_from <= period.last_day.isoformat() else frozenset()
    if isinstance(entry, DinasRegistered):
        return frozenset({entry.data.dinas})
    months = period.months
    return frozenset(posting.account[0] for posting in postings_of(entry) if posting.account[3] in months)
