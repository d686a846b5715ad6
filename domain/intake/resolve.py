"""Resolution: the meaning of a fact under the rulebook and the case file at the moment of its recording.

It is done once, stored beside the event and never repeated: a later standard cannot change an earlier case.
"""

from datetime import tzinfo
from typing import NamedTuple, assert_never

from msgspec import UnsetType

from domain.clock import local_date, local_month, parse_instant
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
from domain.intake.recorded import Resolved
from domain.refusal import Fault, invalid
from domain.rules.rulebook import Rulebook


class CaseContext(NamedTuple):
    """The state of a case in the journal: its receipt, the pauses that have ended, and the start of a running pause."""

    receipt: ReceivedFile
    ended: tuple[Interval, ...]
    paused: tuple[int, str] | None


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


def _unknown(fact: Fact, rulebook: Rulebook) -> tuple[str, ...]:
    flags = () if rulebook.dinas_name(fact.dinas) is not None else ("unknown_dinas",)
    if not isinstance(fact.asn, UnsetType) and not rulebook.knows_asn(fact.asn):
        return (*flags, "unknown_asn")
    return flags


def _standard(fact: PermitReceived | PermitProcessed, received_us: int, setting: Setting) -> Standard | None:
    return setting.rulebook.standard(fact.dinas, fact.service, local_date(received_us, setting.zone))


def _receipt(fact: PermitReceived, setting: Setting, flags: tuple[str, ...]) -> Resolved:
    received_us = parse_instant(fact.received_at)
    return Resolved(
        month=local_month(received_us, setting.zone),
        received_us=received_us,
        standard=_standard(fact, received_us, setting),
        due_us=None if isinstance(fact.due_at, UnsetType) else parse_instant(fact.due_at),
        rulebook=setting.rulebook.position,
        flags=flags,
    )


def _task(fact: TaskCompleted, setting: Setting, flags: tuple[str, ...]) -> Resolved:
    completed_us = parse_instant(fact.completed_at)
    return Resolved(
        month=local_month(completed_us, setting.zone),
        on_time=None if isinstance(fact.due_at, UnsetType) else completed_us <= parse_instant(fact.due_at),
        rulebook=setting.rulebook.position,
        flags=flags,
    )


def _decision(
    fact: PermitProcessed, setting: Setting, case: CaseContext | None, at: str, flags: tuple[str, ...]
) -> Resolved:
    completed_us = parse_instant(fact.completed_at)
    received_us, due_us = _span_start(fact, case, at)
    if completed_us < received_us - SKEW_US:
        raise invalid(Fault(f"{at}/completed_at", "lies more than 60 seconds before the case was received"))
    pauses = counted_pauses(_pauses(fact, case, completed_us), received_us, completed_us)
    elapsed_us = max(completed_us - received_us, 0) - length_us(pauses)
    standard = _standard(fact, received_us, setting)
    promise_us, on_time = None, None
    if due_us is not None:
        promise_us, on_time = due_us - received_us, completed_us <= due_us
    elif standard is not None:
        promise_us, on_time = standard.us, elapsed_us <= standard.us
    return Resolved(
        month=local_month(completed_us, setting.zone),
        received_us=received_us,
        elapsed_us=elapsed_us,
        standard=standard,
        promise_us=promise_us,
        due_us=due_us,
        on_time=on_time,
        pauses=pauses,
        rulebook=setting.rulebook.position,
        flags=("clock_skew", *flags) if completed_us < received_us else flags,
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
