"""The order of a case's events at one counter: a decision never overtakes a pause or resumption that still waits.

After its decision a case takes no notes, so a note that is refused for now would be refused for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from domain.events.kinds import KINDS, NOTES

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOTES: Final = frozenset(kind.type for kind in KINDS.values() if kind.role == "note")
_DECISION: Final = KINDS["permit-processed"].type
Numbered = tuple[int, bytes]


class _Event(Struct):
    type: str
    data: dict[str, Any]


_DECODER: Final = msgspec.json.Decoder(_Event)


def _case_of(line: bytes) -> tuple[str, bool] | None:
    """The case of an event, and whether it is a note; ``None`` for what is neither a note nor a decision."""
    try:
        event = _DECODER.decode(line)
        if event.type in _NOTES or event.type == _DECISION:
            return NOTES.text(event.data), event.type in _NOTES
    except (msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None  # the intake says what is wrong with it
    return None


class CaseOrder:
    """The notes that wait, by their numbers, and what they hold back."""

    def __init__(self, cases: Iterable[Numbered]) -> None:
        self._notes: dict[int, str] = {}
        for number, line in cases:
            self.waits(number, line)

    def waits(self, number: int, line: bytes) -> None:
        """An event was refused for now."""
        case = _case_of(line)
        if case is not None and case[1]:
            self._notes[number] = case[0]

    def is_settled(self, number: int) -> None:
        """An event waits no longer."""
        self._notes.pop(number, None)

    def sendable(self, batch: Iterable[Numbered]) -> tuple[list[Numbered], list[Numbered]]:
        """The events that may be sent in one request, and the decisions that have to wait for a note before them."""
        sendable, back = list[Numbered](), list[Numbered]()
        before = {case: number for number, case in sorted(self._notes.items(), reverse=True)}
        for number, line in batch:
            case = _case_of(line)
            if case is not None and case[1]:
                before.setdefault(case[0], number)
            if case is not None and not case[1] and before.get(case[0], number) < number:
                back.append((number, line))
            else:
                sendable.append((number, line))
        return sendable, back
