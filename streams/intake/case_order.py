"""The order of a case's events in an intake that parks some: a decision does not overtake what waits before it.

After its decision a case takes no notes, so a pause that waits would be refused for good; and a receipt that waits tells what
the decision leaves out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from domain.events.kinds import NOTE_TYPES, NOTES
from domain.intake.wire import Submission
from domain.refusal import Fault, Refusal, invalid
from streams.intake.cases import DECIDED, RECEIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from projections.ports import Outcome

_FIRST: Final = NOTE_TYPES | {RECEIVED}
_HELD_BACK: Final = Fault("/data/case", "waits for an earlier receipt, pause or resumption of its case", for_now=True)


class Case(NamedTuple):
    """The case of an event; ``goes_first``: it is a receipt or a note, and the decision of the case comes after it."""

    key: str
    goes_first: bool


class Waiting(NamedTuple):
    """An event to be decided, and the instant at which it is given up."""

    event: Submission | Refusal
    until_us: int


def case_of(event: Submission | Refusal) -> Case | None:
    """The case of a receipt, a note or a decision; ``None`` for any other event."""
    if isinstance(event, Submission) and (event.type == DECIDED or event.type in _FIRST):
        return Case(NOTES.text(event.data), event.type in _FIRST)
    return None


class CaseOrder:
    """Decides events in order through ``submit``, and holds decisions back.

    ``waits`` are the cases of receipts and notes that wait elsewhere, each with the instant at which the first is given up:
    they hold back the decisions that are given up later, since these came later. So do those that come to wait meanwhile.
    """

    def __init__(
        self, submit: Callable[[Sequence[Submission | Refusal]], list[Outcome]], waits: dict[str, int], now_us: int
    ) -> None:
        self._submit = submit
        self._waits = waits
        self._now_us = now_us

    def decide(self, events: Sequence[Waiting]) -> list[Outcome]:
        """The outcome of each event."""
        outcomes: dict[int, Outcome] = {}
        part: dict[int, Case | None] = {}
        first = set[str]()
        for place, waiting in enumerate(events):
            case = case_of(waiting.event)
            if case is not None and not case.goes_first:
                if case.key in first:
                    outcomes |= self._outcomes(events, part)
                    part, first = {}, set()
                if self._waits.get(case.key, waiting.until_us + 1) <= waiting.until_us:
                    outcomes[place] = invalid(_HELD_BACK)
                    continue
            elif case is not None:
                first.add(case.key)
            part[place] = case
        outcomes |= self._outcomes(events, part)
        return [outcomes[place] for place in range(len(events))]

    def _outcomes(self, events: Sequence[Waiting], part: dict[int, Case | None]) -> dict[int, Outcome]:
        """The outcomes of some events; a receipt or a note that is refused for now, and not given up, waits from now on."""
        outcomes = self._submit([events[place].event for place in part]) if part else []
        for (place, case), outcome in zip(part.items(), outcomes, strict=True):
            until_us = events[place].until_us
            if case is not None and case.goes_first and is_for_now(outcome) and self._now_us <= until_us:
                self._waits[case.key] = min(self._waits.get(case.key, until_us), until_us)
        return dict(zip(part, outcomes, strict=True))


def is_for_now(outcome: Outcome) -> bool:
    """True of a refusal that a later event, or a later time, may lift."""
    return isinstance(outcome, Refusal) and outcome.for_now


def cases_of(events: Iterable[Submission | Refusal]) -> set[str]:
    """The cases of which some events are receipts or notes."""
    return {case.key for event in events if (case := case_of(event)) is not None and case.goes_first}
