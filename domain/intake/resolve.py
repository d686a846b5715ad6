"""Resolution: the meaning of a fact under the rulebook and the case file at the moment of its recording.

It is done once, stored beside the event and never repeated: a later standard cannot change an earlier case.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, NamedTuple, assert_never

from msgspec import UnsetType
from msgspec.structs import replace

from domain.clock import HOUR_US, local_date, local_month, parse_instant, stored_instant, utc_text
from domain.events.entries import Standard
from domain.events.submitted import (
    Fact,
    Pause,
    PermitProcessed,
    PermitReceived,
    SatisfactionRated,
    TaskCompleted,
)
from domain.fold.casefiles import Interval, ReceivedFile, counted_pauses, length_us
from domain.intake.checks import SKEW_US
from domain.intake.recorded import EffectiveFact, Resolved
from domain.refusal import Fault, invalid
from domain.rules.rulebook import Rulebook

LONGEST_PROMISE_US: Final = 50 * 8766 * HOUR_US
"""Fifty years of 365.25 days: a later deadline, such as 31 December 9999, says that there is none."""
ODD_PROMISE: Final = "odd_promise"
"""The flag of a promise that is longer than fifty years, or ends before its receipt."""


class CaseContext(NamedTuple):
    """The state of a case in the journal: its receipt, the pauses that have ended, and the start of a running pause.

    ``standard`` is the one that the receipt was resolved with: what it promised is what a decision is judged by.
    """

    receipt: ReceivedFile
    ended: tuple[Interval, ...]
    paused: tuple[int, str] | None
    standard: Standard | None = None


class Setting(NamedTuple):
    """The rules and the time zone under which a fact is recorded."""

    rulebook: Rulebook
    zone: tzinfo


def resolve_fact(fact: Fact, time_us: int, setting: Setting, case: CaseContext | None, at: str = "/data") -> Resolved:
    """The `resolved` block of a fact. ``at`` is the pointer of its data, for faults.

    Raises: ``Refusal`` when a receipt is missing, or a completion lies more than 60 s before its receipt.
    """
    flags = _unknown(fact, setting.rulebook)
    try:
        match fact:
            case PermitProcessed():
                return _decision(fact, setting, case, at, flags)
            case PermitReceived():
                return _receipt(fact, setting, flags)
            case TaskCompleted():
                return _task(fact, setting, flags)
            case SatisfactionRated():
                month = local_month(time_us, setting.zone)
                return Resolved(month=month, rulebook=setting.rulebook.position, flags=flags)
            case _:
                assert_never(fact)
    except ValueError as error:
        raise invalid(Fault(at, str(error))) from None


def resolve_correction(
    correct: Fact, removal: EffectiveFact, data: Mapping[str, Any], setting: Setting, case: CaseContext | None, at: str
) -> Resolved:
    """The `resolved` block of the fact that a correction puts in the place of ``removed``; ``data`` is its data.

    A correction that leaves receipt, completion, deadline and pauses as they were leaves standard and verdict as they were:
    a standard that was recorded in between changes no earlier case. Raises: ``Refusal``, as ``resolve_fact`` does.
    """
    if isinstance(correct, PermitReceived | PermitProcessed) and _timing(data) == _timing(removal.data):
        former = removal.resolved
        flags = tuple(flag for flag in former.flags if not flag.startswith("unknown_"))
        return replace(former, flags=flags + _unknown(correct, setting.rulebook))
    return resolve_fact(correct, stored_instant(removal.time), setting, case, at)


def _timing(data: Mapping[str, Any]) -> tuple[object, ...]:
    """The data of a receipt or a decision that decide its clock and its promise."""
    return tuple(data.get(name) for name in ("received_at", "completed_at", "due_at", "pauses"))


def unpromised(resolution: Resolved) -> bool:
    """True of a receipt or a decision that had neither a standard nor a deadline when it was recorded."""
    return resolution.standard is None and resolution.due_us is None


def judged_otherwise(first: Resolved, second: Resolved) -> bool:
    """True if two resolutions of one fact post or promise something else; flags and the rulebook's position do neither."""
    return replace(first, flags=(), rulebook=None) != replace(second, flags=(), rulebook=None)


def _unknown(fact: Fact, rulebook: Rulebook) -> tuple[str, ...]:
    flags = () if rulebook.dinas_name(fact.dinas) is not None else ("unknown_dinas",)
    if not isinstance(fact.asn, UnsetType) and not rulebook.knows_asn(fact.asn):
        return (*flags, "unknown_asn")
    return flags


def _standard(fact: PermitReceived | PermitProcessed, received_us: int, setting: Setting) -> Standard | None:
    return setting.rulebook.standard(fact.dinas, fact.service, local_date(received_us, setting.zone))


def _receipt(fact: PermitReceived, setting: Setting, flags: tuple[str, ...]) -> Resolved:
    received_us = parse_instant(fact.received_at)
    due_us = None if isinstance(fact.due_at, UnsetType) else parse_instant(fact.due_at)
    return Resolved(
        month=local_month(received_us, setting.zone),
        received_us=received_us,
        standard=_standard(fact, received_us, setting),
        due_us=due_us,
        rulebook=setting.rulebook.position,
        flags=flags + _odd(None if due_us is None else due_us - received_us),
    )


def _odd(promise_us: int | None) -> tuple[str, ...]:
    return () if promise_us is None or 0 <= promise_us <= LONGEST_PROMISE_US else (ODD_PROMISE,)


def kept(on_time: bool | None, promise_us: int | None) -> bool | None:  # noqa: FBT001 - a verdict, handed on
    """A verdict, if the promise was one: a fact with a promise of more than fifty years counts as volume."""
    return on_time if promise_us is not None and promise_us <= LONGEST_PROMISE_US else None


def task_promise_us(completed_us: int, due_us: int, assigned_us: int | None) -> int:
    """The time that a task was given; one without an assignment was given none before it was done."""
    return due_us - (min(completed_us, due_us) if assigned_us is None else assigned_us)


def promised(
    received_us: int, completed_us: int, elapsed_us: int, due_us: int | None, standard_us: int | None
) -> tuple[int | None, bool | None]:
    """The time promised for a decision, and whether it was kept: by a deadline, else on the clock by a standard."""
    if due_us is not None:
        return due_us - received_us, completed_us <= due_us
    return standard_us, None if standard_us is None else elapsed_us <= standard_us


def elapsed(received_us: int, completed_us: int, pauses: Sequence[Interval]) -> int:
    """The service time of a decision in microseconds: from receipt to completion, without its counted pauses."""
    return max(completed_us - received_us, 0) - (length_us(pauses) if pauses else 0)


def _task(fact: TaskCompleted, setting: Setting, flags: tuple[str, ...]) -> Resolved:
    completed_us = parse_instant(fact.completed_at)
    on_time: bool | None = None
    odd: tuple[str, ...] = ()
    if not isinstance(fact.due_at, UnsetType):
        due_us = parse_instant(fact.due_at)
        assigned_us = None if isinstance(fact.assigned_at, UnsetType) else parse_instant(fact.assigned_at)
        promise_us = task_promise_us(completed_us, due_us, assigned_us)
        odd, on_time = _odd(promise_us), kept(completed_us <= due_us, promise_us)
    return Resolved(
        month=local_month(completed_us, setting.zone),
        on_time=on_time,
        rulebook=setting.rulebook.position,
        flags=flags + odd,
    )


def _decision(
    fact: PermitProcessed, setting: Setting, case: CaseContext | None, at: str, flags: tuple[str, ...]
) -> Resolved:
    completed_us = parse_instant(fact.completed_at)
    received_us, due_us = _span_start(fact, case, at)
    if completed_us < received_us - SKEW_US:
        detail = "lies more than 60 seconds before the case was received"
        raise invalid(Fault(f"{at}/completed_at", detail, earliest=utc_text(received_us)))
    pauses = counted_pauses(_pauses(fact, case, completed_us), received_us, completed_us)
    elapsed_us = elapsed(received_us, completed_us, pauses)
    standard = _standard(fact, received_us, setting) if case is None else case.standard
    standard_us = None if standard is None else standard.us
    promise_us, on_time = promised(received_us, completed_us, elapsed_us, due_us, standard_us)
    skew_flags = ("clock_skew",) if completed_us < received_us else ()
    return Resolved(
        month=local_month(completed_us, setting.zone),
        received_us=received_us,
        elapsed_us=elapsed_us,
        standard=standard,
        promise_us=promise_us,
        due_us=due_us,
        on_time=kept(on_time, promise_us),
        pauses=pauses,
        rulebook=setting.rulebook.position,
        flags=(*skew_flags, *flags, *_odd(promise_us)),
    )


def _span_start(fact: PermitProcessed, case: CaseContext | None, at: str) -> tuple[int, int | None]:
    """ReceivedFile and deadline: as submitted; if left out, from the case's file."""
    due_us = case.receipt.due_us if case else None
    if not isinstance(fact.due_at, UnsetType):
        due_us = parse_instant(fact.due_at)
    if not isinstance(fact.received_at, UnsetType):
        return parse_instant(fact.received_at), due_us
    if case is None:
        raise invalid(
            Fault(f"{at}/received_at", "is required: the journal holds no receipt of this case", for_now=True)
        )
    return case.receipt.received_us, due_us


def _pauses(fact: PermitProcessed, case: CaseContext | None, completed_us: int) -> tuple[Interval, ...]:
    """Pauses as stated with the decision; if left out, the file's, with a running pause ended by the decision."""
    if not isinstance(fact.pauses, UnsetType):
        return tuple(_interval(pause) for pause in fact.pauses)
    if case is None:
        return ()
    running = ((case.paused[0], completed_us, case.paused[1]),) if case.paused else ()
    return case.ended + running


def _interval(pause: Pause) -> Interval:
    return parse_instant(pause.from_), parse_instant(pause.to), pause.reason
