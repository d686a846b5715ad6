"""The course of a case or of a fact: its entries in order, and what stands after their reversals."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from domain.events.kinds import KINDS, REVERSAL_TYPES
from domain.intake.judged import DECIDED
from domain.intake.recorded import EffectiveFact, Recorded, read_line

if TYPE_CHECKING:
    from collections.abc import Iterable

RECEIVED = KINDS["permit-received"].type


class Standing(NamedTuple):
    """A fact in force, and the position of the entry that put it there."""

    position: int
    fact: EffectiveFact


class Course(Struct, frozen=True):
    """The entries about one case, or about one fact, and the facts among them that are in force."""

    entries: tuple[tuple[int, Recorded], ...]
    standing: tuple[Standing, ...]

    def last(self, type_: str) -> Standing | None:
        """The fact of a type that is in force."""
        return next((entry_row for entry_row in reversed(self.standing) if entry_row.fact.type == type_), None)

    @property
    def receipt(self) -> Standing | None:
        """The receipt in force."""
        return self.last(RECEIVED)

    @property
    def decision(self) -> Standing | None:
        """The decision in force."""
        return self.last(DECIDED)


def course_of(lines: Iterable[tuple[int, bytes]], until: int) -> Course:
    """The course that lines tell, as far as they are folded. A reversal takes out the event that it names."""
    entries = tuple((position, read_line(line)) for position, line in lines if position <= until)
    standing: dict[tuple[str, str], Standing] = {}
    for position, event in entries:
        if event.type in REVERSAL_TYPES:
            name = event.data["event"]
            standing.pop((name["source"], name["id"]), None)
            if event.resolved.adds is None:
                continue
        standing[event.source, event.id] = Standing(position, event.fact)
    return Course(entries, tuple(standing.values()))
