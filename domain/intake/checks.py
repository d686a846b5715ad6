"""What a field may hold, beyond its type: identifiers, instants, dates, and the rules between fields of one event."""

import re
from functools import cache
from typing import Final, assert_never

from msgspec import UNSET, UnsetType

from domain.clock import parse_date, parse_instant
from domain.events import submitted as events
from domain.events.submitted import Submittable
from domain.measures import UNSUR
from domain.refusal import Fault
from domain.rules import scheme

ID_MOST: Final = 200
AHEAD_US: Final = 5 * 60 * 1_000_000
"""How far ahead of the clock an occurrence may lie: clocks differ, the future is not reported."""
SKEW_US: Final = 60 * 1_000_000
"""How long before its receipt a completion may lie and count as no time elapsed: two systems, two clocks."""
MOST_HOURS: Final = 1_000_000
AHEAD: Final = "lies more than 5 minutes ahead"

_REASON = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""The characters of Unicode category Cc, a closed set."""
_PERSONAL = re.compile(r"\d{16}|\d{18}", re.ASCII)


def text(pointer: str, value: object, *, most: int = ID_MOST, slash: bool = True) -> list[Fault]:
    """A verbatim string of 1 to ``most`` characters, none of them a control character."""
    if not isinstance(value, str):
        return [Fault(pointer, "must be a string")]
    if not 1 <= len(value) <= most:
        return [Fault(pointer, f"must be 1 to {most} characters")]
    if _CONTROL.search(value):
        return [Fault(pointer, "must not hold control characters")]
    if not slash and "/" in value:
        return [Fault(pointer, "must not hold a slash")]
    return []


@cache
def _id_fields(kind: type[Submittable]) -> tuple[str, ...]:
    names = ("dinas", "asn", "service", "case", "task", "survey")
    return tuple(name for name in names if name in kind.__struct_fields__)


@cache
def _occurrences(kind: type[Submittable]) -> tuple[str, ...]:
    names = ("received_at", "completed_at", "assigned_at", "at")
    return tuple(name for name in names if name in kind.__struct_fields__)


def _ids(at: str, data: Submittable) -> list[Fault]:
    faults: list[Fault] = []
    for name in _id_fields(type(data)):
        value = getattr(data, name)
        if value is UNSET:
            continue
        pointer = f"{at}/{name}"
        faults += text(pointer, value, slash=name not in ("dinas", "asn"))
        if name in ("asn", "case") and _PERSONAL.fullmatch(value):
            faults.append(
                Fault(pointer, "looks like a NIK or NIP (16 or 18 digits): personal numbers never enter the journal")
            )
    return faults


def _instants(pointer: str, /, **values: str | UnsetType) -> list[Fault]:
    faults = []
    for name, value in values.items():
        try:
            if not isinstance(value, UnsetType):
                parse_instant(value)
        except ValueError as error:
            faults.append(Fault(f"{pointer}/{name.rstrip('_')}", str(error)))
    return faults


def _dates(at: str, **values: str | None) -> list[Fault]:
    faults = []
    for name, value in values.items():
        try:
            if value is not None:
                parse_date(value)
        except ValueError as error:
            faults.append(Fault(f"{at}/{name}", str(error)))
    return faults


def data_faults(data: Submittable, at: str) -> list[Fault]:  # noqa: C901, PLR0911 - one arm a kind
    """Every fault of typed data that the data alone can show."""
    ids = _ids(at, data)
    match data:
        case events.PermitReceived():
            return ids + _instants(at, received_at=data.received_at, due_at=data.due_at)
        case events.PermitPaused() | events.PermitResumed():
            return ids + _instants(at, at=data.at)
        case events.PermitProcessed():
            return ids + _decision(at, data)
        case events.TaskCompleted():
            return ids + _instants(at, completed_at=data.completed_at, assigned_at=data.assigned_at, due_at=data.due_at)
        case events.SatisfactionRated():
            return ids + _rating(at, data)
        case events.EventRetracted() | events.EventCorrected():
            return _reversal(at, data)
        case events.DinasRegistered():
            return ids + text(f"{at}/name", data.name)
        case events.AsnRegistered():
            return ids
        case events.AsnAssigned():
            return ids + _assignment(at, data)
        case events.StandardSet():
            return ids + _standard(at, data)
        case events.SchemeAdopted():
            return _scheme(at, data)
        case _:
            assert_never(data)


def _decision(at: str, data: events.PermitProcessed) -> list[Fault]:
    faults = _instants(at, completed_at=data.completed_at, received_at=data.received_at, due_at=data.due_at)
    for index, pause in enumerate(data.pauses or ()):
        wrong = _instants(f"{at}/pauses/{index}", from_=pause.from_, to=pause.to)
        if not wrong and parse_instant(pause.to) < parse_instant(pause.from_):
            wrong = [Fault(f"{at}/pauses/{index}/to", "must not lie before from")]
        faults += wrong
    return faults


def _rating(at: str, data: events.SatisfactionRated) -> list[Fault]:
    faults = []
    if (data.case is UNSET) == (data.survey is UNSET):
        faults.append(Fault(f"{at}/case", "either case (with service) or survey must be given, not both"))
    elif data.case is not UNSET and data.service is UNSET:
        faults.append(Fault(f"{at}/service", "is required with case"))
    if (data.unsur is UNSET) == (data.overall is UNSET):
        faults.append(Fault(f"{at}/unsur", "either unsur or overall must be given, not both"))
    if data.scale is not UNSET and data.overall is UNSET:
        faults.append(Fault(f"{at}/scale", "goes with overall"))
    scale = 4 if isinstance(data.scale, UnsetType) else data.scale
    if not 2 <= scale <= 10:  # noqa: PLR2004 - as the refusal says
        faults.append(Fault(f"{at}/scale", "must be 2 to 10"))
    elif not isinstance(data.overall, UnsetType) and not 1 <= data.overall <= scale:
        faults.append(Fault(f"{at}/overall", f"must be 1 to {scale}"))
    if not isinstance(data.unsur, UnsetType):
        faults += _unsur(f"{at}/unsur", data.unsur)
    return faults


def _unsur(at: str, unsur: dict[str, int]) -> list[Fault]:
    if not unsur:
        return [Fault(at, "must hold at least one answer")]
    faults = []
    for name, answer in unsur.items():
        pointer = f"{at}/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in UNSUR:
            faults.append(Fault(pointer, "is no unsur; they are " + ", ".join(UNSUR)))
        elif not 1 <= answer <= 4:  # noqa: PLR2004 - the survey's scale
            faults.append(Fault(pointer, "must be 1 to 4"))
    return faults


def _reversal(at: str, data: events.Reversal) -> list[Fault]:
    faults = text(f"{at}/event/source", data.event.source, most=500) + text(f"{at}/event/id", data.event.id, most=500)
    if not _REASON.fullmatch(data.reason):
        faults.append(Fault(f"{at}/reason", "must be a code matching [a-z][a-z0-9_-]{0,63}, never free text"))
    return faults


def _assignment(at: str, data: events.AsnAssigned) -> list[Fault]:
    faults = _dates(at, effective_from=data.effective_from, effective_to=data.effective_to)
    if not faults and data.effective_to is not None and data.effective_to < data.effective_from:
        faults.append(Fault(f"{at}/effective_to", "must not lie before effective_from"))
    return faults


def _standard(at: str, data: events.StandardSet) -> list[Fault]:
    faults = _dates(at, effective_from=data.effective_from)
    if not 1 <= data.amount <= MOST_HOURS:
        faults.append(Fault(f"{at}/amount", f"must be a whole number from 1 to {MOST_HOURS}"))
    if data.unit != "wall_hours":
        faults.append(Fault(f"{at}/unit", "must be wall_hours; working time needs calendars, which are not built yet"))
    return faults


def _scheme(at: str, data: events.SchemeAdopted) -> list[Fault]:
    faults = text(f"{at}/scheme", data.scheme) + _dates(at, effective_from=data.effective_from)
    for index, indicator in enumerate(data.indicators):
        faults += text(f"{at}/indicators/{index}/id", indicator.id)
    if not faults and not scheme.month_start(parse_date(data.effective_from)):
        faults.append(Fault(f"{at}/effective_from", "must be the first day of a month"))
    return faults + scheme.faults_of(data)


def ahead_faults(time_us: int, data: Submittable, now_us: int) -> list[Fault]:
    """Occurrences over five minutes ahead of ``now_us`` are no facts; deadlines and effective dates may lie ahead."""
    faults = [Fault("/time", AHEAD)] if time_us > now_us + AHEAD_US else []
    return faults + data_ahead_faults("/data", data, now_us)


def data_ahead_faults(at: str, data: Submittable, now_us: int) -> list[Fault]:
    """The same for the instants inside the data."""
    latest_us, faults = now_us + AHEAD_US, list[Fault]()
    for name in _occurrences(type(data)):
        value = getattr(data, name)
        if value is not UNSET and parse_instant(value) > latest_us:
            faults.append(Fault(f"{at}/{name}", AHEAD))
    if isinstance(data, events.PermitProcessed):
        for index, pause in enumerate(data.pauses or ()):
            for name, value in (("from", pause.from_), ("to", pause.to)):
                if parse_instant(value) > latest_us:
                    faults.append(Fault(f"{at}/pauses/{index}/{name}", AHEAD))
    return faults
