"""The data of each kind of event, as submitted. Fields and their meaning: `docs/reference/events.md`.

A text field's name decides what it may hold (`domain/intake/checks.py`): ``at`` and ``…_at`` are instants, ``effective_…``
are dates, and the others identify something.
"""

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from msgspec import UNSET, Struct, UnsetType

PauseReason = Literal["applicant", "payment", "blank_stock", "system_outage", "other_agency"]


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """The base of the data of every kind: unknown fields are refused, not ignored."""


class Pause(Data, frozen=True, rename={"from_": "from"}):
    """The clock of a case is stopped in ``[from, to]``, for a coded reason."""

    from_: str
    to: str
    reason: PauseReason


class PermitReceived(Data, frozen=True):
    """A complete application came in: its file is open."""

    dinas: str
    service: str
    case: str
    received_at: str
    asn: str | UnsetType = UNSET
    due_at: str | UnsetType = UNSET


class PermitPaused(Data, frozen=True):
    """The clock of an open case stops."""

    dinas: str
    service: str
    case: str
    at: str
    reason: PauseReason


class PermitResumed(Data, frozen=True):
    """The clock of a paused case runs again."""

    dinas: str
    service: str
    case: str
    at: str


class PermitProcessed(Data, frozen=True):
    """A case was decided; a receipt, a deadline and pauses that are left out are taken from its file."""

    dinas: str
    service: str
    case: str
    completed_at: str
    received_at: str | UnsetType = UNSET
    asn: str | UnsetType = UNSET
    due_at: str | UnsetType = UNSET
    pauses: tuple[Pause, ...] | UnsetType = UNSET
    outcome: Literal["issued", "rejected"] = "issued"


class TaskCompleted(Data, frozen=True):
    """An ASN finished a task."""

    dinas: str
    asn: str
    task: str
    completed_at: str
    assigned_at: str | UnsetType = UNSET
    due_at: str | UnsetType = UNSET
    reported_by: Literal["self", "system"] = "system"


class SatisfactionRated(Data, frozen=True):
    """A citizen rated a case, or answered a survey: nine unsur, or one question."""

    dinas: str
    case: str | UnsetType = UNSET
    service: str | UnsetType = UNSET
    survey: str | UnsetType = UNSET
    asn: str | UnsetType = UNSET
    unsur: dict[str, int] | UnsetType = UNSET
    overall: int | UnsetType = UNSET
    scale: int | UnsetType = UNSET


class EventName(Data, frozen=True):
    """The name of an event: its source, and its id there."""

    source: str
    id: str


class EventRetracted(Data, frozen=True):
    """A fact or a correction is taken out, for good."""

    event: EventName
    reason: str


class EventCorrected(Data, frozen=True):
    """A fact or a correction is taken out, and another put in its place."""

    event: EventName
    reason: str
    replacement: dict[str, Any]


class DinasRegistered(Data, frozen=True):
    """An agency is known, under a name; announced again, it is renamed."""

    dinas: str
    name: str


class AsnRegistered(Data, frozen=True):
    """A civil servant is known, under an opaque id."""

    asn: str


class AsnAssigned(Data, frozen=True):
    """A civil servant belongs to an agency from a date, and until another if one is given."""

    asn: str
    dinas: str
    effective_from: str
    effective_to: str | None = None


class StandardSet(Data, frozen=True):
    """A service is promised within an amount of time, at one dinas or at all of them, from a date."""

    service: str
    amount: int
    unit: str
    effective_from: str
    dinas: str | UnsetType = UNSET


class Indicator(Data, frozen=True):
    """A measure ratio with a direction, a target in percent, a cap, a minimum sample and a weight."""

    id: str
    numerator: str
    denominator: str
    direction: Literal["higher", "lower"]
    target: str
    cap: int | None
    min_n: int
    weight: str


class SchemeAdopted(Data, frozen=True):
    """From a month on, scores follow these indicators and weights."""

    scheme: str
    effective_from: str
    indicators: tuple[Indicator, ...]
    skm_weight: str
    min_coverage: str


Fact = PermitReceived | PermitProcessed | TaskCompleted | SatisfactionRated
CaseNote = PermitPaused | PermitResumed
Reversal = EventRetracted | EventCorrected
Rule = DinasRegistered | AsnRegistered | AsnAssigned | StandardSet | SchemeAdopted
Submittable = Fact | CaseNote | Reversal | Rule


def types_in(annotation: object) -> frozenset[object]:
    """The types of the values that a field may have, apart from being left out."""
    types = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return frozenset(types) - {UnsetType, NoneType}
