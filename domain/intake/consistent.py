"""Resolved values beside the data that they follow from: what a line says of itself, and may not contradict.

Values that were taken from the case's file, such as a receipt that a decision left out, stand in the resolved values alone.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import fields

from domain.canonical import canonical
from domain.clock import Months, line_instant
from domain.events.kinds import FACT_TYPES, KINDS, REVERSAL_TYPES, Kind
from domain.fold.casefiles import Interval, counted_pauses
from domain.intake.recorded import EffectiveFact, as_submitted
from domain.intake.resolve import elapsed, kept, promised, task_promise_us

Time = tuple[str, int | None]
"""The time of an event as it is written, and its instant; embedded facts of former versions have none."""
ResolvedCheck = Callable[[Any, Any, Time, Months | None], bool]
"""True if resolved values fit the data and the time beside them."""


class _Standard(Struct, gc=False):
    us: int


class ResolvedValues(Struct, gc=False):
    """The resolved values that are checked; of those that recorded lines hold, the others are skipped."""

    month: str = ""
    received_us: int | None = None
    elapsed_us: int | None = None
    standard: _Standard | None = None
    promise_us: int | None = None
    due_us: int | None = None
    on_time: bool | None = None
    pauses: tuple[Interval, ...] = ()
    removes: EffectiveFact | None = None
    adds: EffectiveFact | None = None


def data_of(kind: Kind, *, strict: bool) -> type[Struct]:
    """The data of a kind as submitted, each field only if it was given, in the order of canonical JSON.

    ``strict``: without any other field, which a hash over these would not cover.
    """
    types: dict[str, Any] = {
        field.encode_name: str if field.type in (str, str | UnsetType) else Any for field in fields(kind.submitted)
    }
    if kind.role in ("fact", "reversal"):
        types["resolved"] = ResolvedValues
    definitions = [(name, types[name] | UnsetType, UNSET) for name in sorted(types)]
    name = f"{kind.submitted.__name__}Data"
    return msgspec.defstruct(name, definitions, gc=False, forbid_unknown_fields=strict)


DATA: Final = {kind.type: data_of(kind, strict=True) for kind in KINDS.values()}
OPEN_DATA: Final = {kind.type: data_of(kind, strict=False) for kind in KINDS.values()}
"""The same of lines that a former version may have recorded with fields that are unknown today."""


def _given(text: str | UnsetType) -> int | None:
    """The instant of a field, if it was given."""
    return None if text is UNSET else line_instant(text)


def _instant(text: str, time: Time) -> int:
    """The instant of a field; most are the time of their event."""
    time_text, time_us = time
    return time_us if time_us is not None and text == time_text else line_instant(text)


def _receipt(data: Any, resolution: ResolvedValues, time: Time, months: Months | None) -> bool:  # noqa: ANN401 - data of a kind
    received_us = _instant(data.received_at, time)
    return (
        resolution.received_us == received_us
        and resolution.due_us == _given(data.due_at)
        and (months is None or resolution.month == months.of(received_us))
    )


def _decision(data: Any, resolution: ResolvedValues, time: Time, months: Months | None) -> bool:  # noqa: ANN401 - data of a kind
    """A field that the decision left out was taken from the case's file, and stands in the resolved values alone."""
    completed_us, received_us, due_us = _instant(data.completed_at, time), resolution.received_us, resolution.due_us
    if received_us is None or (months is not None and resolution.month != months.of(completed_us)):
        return False
    if data.received_at is not UNSET and line_instant(data.received_at) != received_us:
        return False
    if data.due_at is not UNSET and line_instant(data.due_at) != due_us:
        return False
    pauses = resolution.pauses
    if data.pauses is not UNSET and pauses != counted_pauses(map(_interval, data.pauses), received_us, completed_us):
        return False
    elapsed_us = elapsed(received_us, completed_us, pauses)
    if resolution.elapsed_us != elapsed_us:
        return False
    standard_us = None if resolution.standard is None else resolution.standard.us
    promise_us, on_time = promised(received_us, completed_us, elapsed_us, due_us, standard_us)
    return resolution.promise_us == promise_us and (
        resolution.on_time is on_time or _verdict_fits(resolution.on_time, on_time, promise_us)
    )


def _verdict_fits(verdict: bool | None, on_time: bool | None, promise_us: int | None) -> bool:  # noqa: FBT001 - verdicts
    """Former versions knew no longest promise, and judged what counts as volume today."""
    return verdict is on_time or verdict is kept(on_time, promise_us)


def _interval(pause: dict[str, str]) -> Interval:
    return line_instant(pause["from"]), line_instant(pause["to"]), pause["reason"]


def _task(data: Any, resolution: ResolvedValues, time: Time, months: Months | None) -> bool:  # noqa: ANN401 - data of a kind
    completed_us, due_us = _instant(data.completed_at, time), _given(data.due_at)
    if months is not None and resolution.month != months.of(completed_us):
        return False
    if due_us is None:
        return resolution.on_time is None
    on_time, assigned_us = completed_us <= due_us, _given(data.assigned_at)
    if resolution.on_time is on_time:
        return True
    return _verdict_fits(resolution.on_time, on_time, task_promise_us(completed_us, due_us, assigned_us))


def _rating(_: Any, resolution: ResolvedValues, time: Time, months: Months | None) -> bool:  # noqa: ANN401 - data of a kind
    return time[1] is None or months is None or resolution.month == months.of(time[1])


def _reversal(data: Any, resolution: ResolvedValues, _: Time, months: Months | None) -> bool:  # noqa: ANN401 - data of a kind
    """A retraction removes a fact, a correction puts what it states in the place of one; each fact fits its own data."""
    removal, addition = resolution.removes, resolution.adds
    replacement = getattr(data, "replacement", UNSET)
    if removal is None or not _fact(removal, months):
        return False
    if addition is None:
        return replacement is UNSET
    return (
        (addition.type, addition.time) == (removal.type, removal.time)
        and canonical(as_submitted(addition.data)) == canonical(replacement)
        and _fact(addition, months)
    )


def _fact(fact: EffectiveFact, months: Months | None) -> bool:
    if fact.type not in FACT_TYPES:
        return False
    data: Any = msgspec.convert(fact.data, OPEN_DATA[fact.type])
    fit, time = FITS.get(fact.type), (fact.time, line_instant(fact.time) if fact.time else None)
    return fit is None or fit(data, data.resolved, time, months)


FITS: Final[dict[str, ResolvedCheck]] = {
    KINDS["permit-received"].type: _receipt,
    KINDS["permit-processed"].type: _decision,
    KINDS["task-completed"].type: _task,
    KINDS["satisfaction-rated"].type: _rating,
    **dict.fromkeys(REVERSAL_TYPES, _reversal),
}
