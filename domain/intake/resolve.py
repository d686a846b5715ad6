"""Resolution: what an event means under the rulebook and the case file at the moment it is recorded.

Done once, stored beside the event, never done anew: a later standard cannot change an earlier case.
"""

from datetime import tzinfo
from typing import Any, NamedTuple, assert_never

from msgspec import UnsetType

from domain.clock import local_date, local_month, parse_instant
from domain.events.entries import Standard
from domain.events.submitted import Fact, Pause, PermitProcessed, PermitReceived, SatisfactionRated, TaskCompleted
from domain.fold.casefiles import Interval, Receipt, counted_pauses, length_us
from domain.intake.checks import SKEW_US
from domain.refusal import Fault, invalid
from domain.rules.rulebook import Rulebook


class CaseContext(NamedTuple):
    """What the journal holds of a case: the receipt that stands, the pauses that ended, and since when it is paused."""

    receipt: Receipt
    ended: tuple[Interval, ...]
    paused: tuple[int, str] | None


class Setting(NamedTuple):
    """Where and under which rules a fact is recorded."""

    rulebook: Rulebook
    zone: tzinfo


def resolve_fact(
    fact: Fact, time_us: int, setting: Setting, case: CaseContext | None, at: str = "/data"
) -> dict[str, Any]:
    """The `resolved` block of a fact. ``at`` is the pointer of its data, for faults.

    Raises: ``Refusal`` when a receipt is missing, or a completion lies more than 60 s before its receipt.
    """
    try:
        match fact:
            case PermitProcessed():
                resolved = _decision(fact, setting, case, at)
            case PermitReceived():
                resolved = _receipt(fact, setting)
            case TaskCompleted():
                resolved = {"month": local_month(parse_instant(fact.completed_at), setting.zone)}
                if not isinstance(fact.due_at, UnsetType):
                    resolved["on_time"] = parse_instant(fact.completed_at) <= parse_instant(fact.due_at)
            case SatisfactionRated():
                resolved = {"month": local_month(time_us, setting.zone)}
            case _:
                assert_never(fact)
    except ValueError as error:
        raise invalid(Fault(at, str(error))) from None
    unknown = _unknown(fact, setting.rulebook)
    flags = [*resolved.pop("flags", ()), *unknown]
    resolved["rulebook"] = setting.rulebook.position
    if flags:
        resolved["flags"] = flags
    return resolved


def _unknown(fact: Fact, rulebook: Rulebook) -> list[str]:
    flags = [] if rulebook.dinas_name(fact.dinas) is not None else ["unknown_dinas"]
    if not isinstance(fact.asn, UnsetType) and not rulebook.knows_asn(fact.asn):
        flags.append("unknown_asn")
    return flags


def _standard(
    resolved: dict[str, Any], fact: PermitReceived | PermitProcessed, received_us: int, setting: Setting
) -> Standard | None:
    received_on = local_date(received_us, setting.zone)
    standard = setting.rulebook.standard(fact.dinas, fact.service, received_on)
    if standard is not None:
        resolved["standard"] = {"id": standard.id, "us": standard.us, "unit": standard.unit}
    return standard


def _receipt(fact: PermitReceived, setting: Setting) -> dict[str, Any]:
    received_us = parse_instant(fact.received_at)
    resolved: dict[str, Any] = {"month": local_month(received_us, setting.zone), "received_us": received_us}
    if not isinstance(fact.due_at, UnsetType):
        resolved["due_us"] = parse_instant(fact.due_at)
    _standard(resolved, fact, received_us, setting)
    return resolved


def _decision(fact: PermitProcessed, setting: Setting, case: CaseContext | None, at: str) -> dict[str, Any]:
    completed_us = parse_instant(fact.completed_at)
    received_us, due_us = _span_start(fact, case, at)
    if completed_us < received_us - SKEW_US:
        raise invalid(Fault(f"{at}/completed_at", "lies more than 60 seconds before the case was received"))
    pauses = counted_pauses(_pauses(fact, case, completed_us), received_us, completed_us)
    elapsed_us = max(completed_us - received_us, 0) - length_us(pauses)
    resolved: dict[str, Any] = {
        "month": local_month(completed_us, setting.zone), "received_us": received_us, "elapsed_us": elapsed_us,
    }  # fmt: skip
    standard = _standard(resolved, fact, received_us, setting)
    if due_us is not None:
        resolved |= {"promise_us": due_us - received_us, "due_us": due_us, "on_time": completed_us <= due_us}
    elif standard is not None:
        resolved |= {"promise_us": standard.us, "on_time": elapsed_us <= standard.us}
    if pauses:
        resolved["pauses"] = pauses
    if completed_us < received_us:
        resolved["flags"] = ["clock_skew"]
    return resolved


def _span_start(fact: PermitProcessed, case: CaseContext | None, at: str) -> tuple[int, int | None]:
    """Receipt and deadline: as submitted, and where left out, from the case's file."""
    due_us = case.receipt.due_us if case else None
    if not isinstance(fact.due_at, UnsetType):
        due_us = parse_instant(fact.due_at)
    if not isinstance(fact.received_at, UnsetType):
        return parse_instant(fact.received_at), due_us
    if case is None:
        raise invalid(Fault(f"{at}/received_at", "is required: the journal holds no receipt of this case"))
    return case.receipt.received_us, due_us


def _pauses(fact: PermitProcessed, case: CaseContext | None, completed_us: int) -> tuple[Interval, ...]:
    """Pauses as stated with the decision; where left out, the file's, one still running up to the decision."""
    if not isinstance(fact.pauses, UnsetType):
        return tuple(_interval(pause) for pause in fact.pauses)
    if case is None:
        return ()
    running = ((case.paused[0], completed_us, case.paused[1]),) if case.paused else ()
    return case.ended + running


def _interval(pause: Pause) -> Interval:
    return parse_instant(pause.from_), parse_instant(pause.to), pause.reason
