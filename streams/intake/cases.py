"""The state of facts and cases within one append transaction, earlier events of the same transaction included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.events import own
from domain.events.entries import PermitReceived, decode, fact_of
from domain.events.kinds import FACT_TYPES, KINDS, NOTE_TYPES, NOTES, RECEIPT, reversed_key
from domain.fold.casefiles import files_of, intervals
from domain.intake.recorded import read_line
from domain.intake.resolve import CaseContext
from domain.refusal import Fault, Refusal, invalid
from streams.journal.journal import originator_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from domain.fold.casefiles import CaseFile
    from domain.intake.recorded import Recorded
    from streams.journal.journal import Appending

CORRECTED: Final = KINDS["event-corrected"].type
RECEIVED: Final = KINDS["permit-received"].type
DECIDED: Final = KINDS["permit-processed"].type
UNKNOWN_TARGET: Final = Fault("/data/event", "names no event of the journal", for_now=True)


def holder_name(position: int, line: bytes) -> dict[str, object]:
    """The name and the position of an event that causes a conflict, as a refusal states it."""
    event = read_line(line)
    return {"source": event.source, "id": event.id, "position": position}


def key_holder(position: int, line: bytes) -> dict[str, object]:
    """The event that holds a natural key or a name; one of a case with its time, and what became of the case by it."""
    fact, name = read_line(line).fact, holder_name(position, line)
    if fact.type == RECEIVED:
        return {**name, "outcome": "received", "time": fact.data["received_at"]}
    if fact.type == DECIDED:
        return {**name, "outcome": fact.data.get("outcome", "issued"), "time": fact.data["completed_at"]}
    if fact.type in NOTE_TYPES:
        return {**name, "time": fact.data["at"]}
    return name


class Cases:
    """Reads the facts in force, and the files of their cases."""

    def __init__(self, append: Appending) -> None:
        self._append = append

    def event(self, originator: str) -> tuple[int, bytes]:
        """The position and line of an event that the journal refers to. Raises: ``RuntimeError`` if it is not there."""
        event = self._append.find(originator)
        if event is None:
            message = f"a natural key is held by {originator}, which the journal does not hold"
            raise RuntimeError(message)
        return event

    def case(self, data: Mapping[str, Any]) -> CaseContext | None:
        """The state of the case that some data name; ``None`` if no receipt of it is in force."""
        holder = self._append.holder(RECEIPT.text(data))
        if holder is None:
            return None
        receipt = fact_of(decode(self.event(holder)[1]))
        if not isinstance(receipt, PermitReceived):
            return None
        files = files_of((*map(decode, self._append.notes(NOTES.text(data))), receipt))
        return next((_context_of(file, receipt) for file in files.values()), None)

    def reversible(self, originator: str, key: str) -> tuple[str, Recorded]:
        """The event to reverse when one is named, with the key that its reversal holds.

        The service's own corrections are transparent: of a fact that it corrected the last such correction is reversed.
        Raises: ``Refusal`` if the event is unknown, states no fact, or was reversed by somebody else.
        """
        while True:
            target = self._append.find(originator)
            if target is None:
                raise invalid(UNKNOWN_TARGET)
            event = read_line(target[1])
            if event.type not in FACT_TYPES and event.type != CORRECTED:
                raise invalid(Fault("/data/event", "names no fact and no correction: only these can be reversed"))
            holder = self._append.holder(key)
            if holder is None:
                return key, event
            position, line = self.event(holder)
            reversal = read_line(line)
            if not is_own(reversal):
                raise Refusal("already-reversed", "this event was reversed before", holder=holder_name(position, line))
            originator, key = holder, reversed_key(reversal.source, reversal.id)

    def statements(self, event: Recorded) -> tuple[Recorded, ...]:
        """An event and what it corrected, back to the fact that was recorded first; without the service's own corrections."""
        events = [event]
        while events[-1].type == CORRECTED:
            name = events[-1].data["event"]
            events.append(read_line(self.event(originator_of(name["source"], name["id"]))[1]))
        return tuple(event for event in events if not is_own(event))


def is_own(event: Recorded) -> bool:
    """True of a correction that the service made itself."""
    return event.recordedby == own.RECORDER and event.type == CORRECTED and event.data.get("reason") in own.REASONS


def _context_of(file: CaseFile, receipt: PermitReceived) -> CaseContext | None:
    if file.receipt is None:
        return None
    pauses, since = intervals(file)
    running = None if since is None else (since, file.reason(since) or "")
    return CaseContext(file.receipt, pauses, running, receipt.data.resolved.standard)
