"""Journal entries as the fold reads them: only what a posting, a case file or the rulebook needs of each.

Follower, worker and auditor decode a stored line into these same structs; the rest of the line is skipped. A
type or version that is not listed here fails to decode, so that a reader stops instead of passing over it. Data from
JSON has no cycles, so the garbage collector need not follow these structs (``gc=False``).
"""

from typing import Final, get_args

import msgspec
from msgspec import Struct

from domain.events import submitted as events
from domain.events.names import type_of


class Standard(Struct, frozen=True, gc=False):
    """The standard in force at receipt: the name of its event, its length in microseconds, its unit."""

    id: str
    us: int
    unit: str


class ReceiptResolved(Struct, frozen=True, gc=False):
    """The values that the intake resolved for a receipt."""

    month: str
    received_us: int
    due_us: int | None = None
    standard: Standard | None = None


class ReceiptData(Struct, frozen=True, gc=False):
    """A receipt, as folded."""

    dinas: str
    service: str
    case: str
    resolved: ReceiptResolved
    asn: str = ""


class DecisionResolved(Struct, frozen=True, gc=False):
    """The values that the intake resolved for a decision: service time, promised time, verdict."""

    month: str
    elapsed_us: int
    promise_us: int | None = None
    on_time: bool | None = None


class DecisionData(Struct, frozen=True, gc=False):
    """A decision, as folded."""

    dinas: str
    service: str
    case: str
    resolved: DecisionResolved
    asn: str = ""
    outcome: str = "issued"


class TaskResolved(Struct, frozen=True, gc=False):
    """The values that the intake resolved for a task."""

    month: str
    on_time: bool | None = None


class TaskData(Struct, frozen=True, gc=False):
    """A task, as folded."""

    dinas: str
    asn: str
    resolved: TaskResolved
    reported_by: str = "system"


class RatingResolved(Struct, frozen=True, gc=False):
    """The values that the intake resolved for a rating."""

    month: str


class RatingData(Struct, frozen=True, gc=False):
    """A rating, as folded."""

    dinas: str
    resolved: RatingResolved
    service: str = ""
    asn: str = ""
    case: str = ""
    survey: str = ""
    unsur: dict[str, int] | None = None
    overall: int | None = None
    scale: int = 4


class Entry(Struct, frozen=True, gc=False, tag_field="type"):
    """The fields that the fold needs of every line: its position (0 if the store keeps it apart) and its content hash."""

    position: int = 0
    contenthash: str = ""


class PermitReceived(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("permit-received")):
    """A fact: a receipt."""

    data: ReceiptData


class PermitProcessed(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("permit-processed")):
    """A fact: a decision."""

    data: DecisionData


class TaskCompleted(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("task-completed")):
    """A fact: a task."""

    data: TaskData


class SatisfactionRated(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("satisfaction-rated")):
    """A fact: a rating. ``recordedtime`` says on which side of its month's close it lies."""

    data: RatingData
    recordedtime: str = ""


CaseFact = PermitReceived | PermitProcessed
"""The facts that open or close the file of a case."""
PlainFact = TaskCompleted | SatisfactionRated
"""The facts that no file of a case knows of."""
Fact = CaseFact | PlainFact


class ReversalResolved(Struct, frozen=True, gc=False):
    """The effective fact a reversal takes out, and the one it puts in."""

    removes: Fact
    adds: Fact | None = None


class ReversalData(Struct, frozen=True, gc=False):
    """A reversal, as folded: it embeds all it needs."""

    resolved: ReversalResolved


class EventRetracted(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("event-retracted")):
    """A fact is taken out."""

    data: ReversalData
    recordedtime: str = ""


class EventCorrected(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("event-corrected")):
    """A fact is taken out and another put in."""

    data: ReversalData
    recordedtime: str = ""


class PauseData(Struct, frozen=True, gc=False):
    """A pause or its end, as folded."""

    dinas: str
    service: str
    case: str
    at: str
    reason: str = ""


class PermitPaused(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("permit-paused")):
    """A note on a case: its clock stops."""

    data: PauseData


class PermitResumed(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("permit-resumed")):
    """A note on a case: its clock runs again."""

    data: PauseData


class DinasRegistered(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("dinas-registered")):
    """A rule: an agency is known."""

    data: events.DinasRegistered


class AsnRegistered(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("asn-registered")):
    """A rule: a civil servant is known."""

    data: events.AsnRegistered


class AsnAssigned(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("asn-assigned")):
    """A rule: a civil servant belongs to an agency."""

    data: events.AsnAssigned


class StandardSet(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("standard-set")):
    """A rule: a service has a promised time. ``source`` and ``id`` name the standard."""

    source: str
    id: str
    data: events.StandardSet


class SchemeAdopted(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("scheme-adopted")):
    """A rule: scores follow a scheme."""

    data: events.SchemeAdopted


class OpenedData(Struct, frozen=True, gc=False):
    """The id of the journal, the time zone of its months, and what becomes of unregistered names unless a command says it."""

    journal: str
    zone: str
    unknown: str = "open"


class JournalOpened(Entry, frozen=True, gc=False, kw_only=True, tag=type_of("journal-opened")):
    """The first line of every journal."""

    data: OpenedData


CaseNote = PermitPaused | PermitResumed
Reversal = EventRetracted | EventCorrected
Rule = DinasRegistered | AsnRegistered | AsnAssigned | StandardSet | SchemeAdopted
RULE_KINDS: Final = frozenset(get_args(Rule))
"""The classes of rules: to look an entry's class up here takes a tenth of the time of ``isinstance``."""
PLAIN_KINDS: Final = frozenset(get_args(PlainFact))
"""The classes of plain facts, for the same reason."""
AnyEntry = Fact | Reversal | CaseNote | Rule | JournalOpened


def fact_of(entry: AnyEntry) -> Fact | None:
    """The fact that an entry puts in force: itself, or what a correction puts in; ``None`` of any other entry."""
    if isinstance(entry, EventCorrected):
        return entry.data.resolved.adds
    return entry if isinstance(entry, Fact) else None


DECODER: Final[msgspec.json.Decoder[AnyEntry]] = msgspec.json.Decoder(AnyEntry)


def decode(line: bytes) -> AnyEntry:
    """A stored line is one entry. Raises: ``msgspec.ValidationError`` for a type or version unknown here."""
    return DECODER.decode(line)
