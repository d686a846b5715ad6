"""Field checks beyond types: by the name of a field, and by rules between the fields of one event.

The name of a field says what it holds (`docs/reference/events.md`), so a new kind's instants, dates and identifiers are checked
without a line here. Only a kind with rules between its fields has a row in ``_RULES``.
"""

import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final, NamedTuple

from msgspec import UNSET, UnsetType, structs

from domain.clock import parse_date, parse_instant
from domain.events import own
from domain.events import submitted as events
from domain.events.submitted import Submittable, types_in
from domain.intake.texts import PLAIN, identifier, text, typed
from domain.measures import UNSUR
from domain.refusal import Fault, pointer
from domain.rules import scheme

AHEAD_US: Final = 5 * 60 * 1_000_000
"""The longest time by which an occurrence may lie ahead of the clock: clocks differ, but the future is no fact."""
SKEW_US: Final = 60 * 1_000_000
"""The longest time by which a completion may lie before its receipt and count as 0: two systems have two clocks."""
MOST_HOURS: Final = 1_000_000
WAITS_US: Final = 7 * 24 * 3600 * 1_000_000
"""The longest time for which an event is kept until its instant has come: a clock that is further ahead shows nothing."""
AHEAD: Final = "lies more than 5 minutes ahead"
CODES: Final = frozenset({"reason", "unit", "skm_weight", "min_coverage"})
"""The texts that a rule of their kind checks. Every other text identifies something, and is checked as such."""
_INDICATOR_TEXTS: Final = ("id", "numerator", "denominator", "target", "weight")
DEADLINES: Final = frozenset({"due_at"})
"""The instants that may lie in the future: everything else has happened."""

_REASON = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)


def is_instant(name: str) -> bool:
    """True if a field of an event's data, by its name, holds an instant."""
    return name == "at" or name.endswith("_at")


def is_date(name: str) -> bool:
    """True if a field of an event's data, by its name, holds a date."""
    return name.startswith("effective_")


class _Fields(NamedTuple):
    """The fields of a kind, grouped by their names."""

    identifiers: tuple[str, ...]
    """Ids, and a name that people read."""
    codes: tuple[str, ...]
    times: tuple[tuple[str, Callable[[str], object]], ...]
    """Instants and dates, each with its parser."""
    occurrences: tuple[str, ...]
    """The instants that lie in the past."""


@cache
def _fields(kind: type[Submittable]) -> _Fields:
    names = kind.__struct_fields__
    texts = {field.name for field in structs.fields(kind) if str in types_in(field.type)}
    instants, dates = tuple(filter(is_instant, names)), tuple(filter(is_date, names))
    return _Fields(
        tuple(name for name in names if name in texts - CODES - {*instants, *dates}),
        tuple(name for name in names if name in texts & CODES),
        (*((name, parse_instant) for name in instants), *((name, parse_date) for name in dates)),
        tuple(name for name in instants if name not in DEADLINES),
    )


def _texts(at: str, kind: type[Submittable], value_of: Callable[[str], object]) -> list[Fault]:
    faults: list[Fault] = []
    fields = _fields(kind)
    for name in fields.identifiers:
        value = value_of(name)
        if not isinstance(value, str) or PLAIN.fullmatch(value):
            continue
        place = f"{at}/{name}"
        if name == "name":
            faults += text(place, value) or typed(place, value)
        else:
            wrong = identifier(place, value, slash=name not in ("dinas", "asn"))
            faults += wrong or typed(place, value, bare=name in ("asn", "case"))
    for name in fields.codes:
        value = value_of(name)
        if isinstance(value, str):
            faults += typed(f"{at}/{name}", value)
    return faults


def _times(at: str, kind: type[Submittable], value_of: Callable[[str], object]) -> list[Fault]:
    faults: list[Fault] = []
    for name, parse in _fields(kind).times:
        value = value_of(name)
        if isinstance(value, str):
            faults += _unreadable(f"{at}/{name}", value, parse)
    return faults


def _unreadable(place: str, value: str, parse: Callable[[str], object]) -> list[Fault]:
    try:
        parse(value)
    except ValueError as error:
        return [Fault(place, str(error))]
    return []


def data_faults(data: Submittable, at: str) -> list[Fault]:
    """Every fault of typed data that the data alone can show."""
    faults = _field_faults(at, data)
    rules = _RULES.get(type(data))
    return faults if rules is None else faults + rules(at, data)


def part_faults(kind: type[Submittable], data: dict[str, Any], at: str) -> list[Fault]:
    """The same of data of which some fields are of a wrong type: every fault of each field that has its type."""
    faults = _texts(at, kind, data.get) + _times(at, kind, data.get)
    if kind is events.SatisfactionRated and isinstance(data.get("unsur"), dict):
        answers = {name: answer for name, answer in data["unsur"].items() if type(answer) is int}
        faults += _unsur(f"{at}/unsur", answers) if answers else []
    return faults


def _field_faults(at: str, data: Submittable) -> list[Fault]:
    value_of = partial(getattr, data)
    return _texts(at, type(data), value_of) + _times(at, type(data), value_of)


def _pauses(at: str, data: events.PermitProcessed) -> list[Fault]:
    faults: list[Fault] = []
    for index, pause in enumerate(data.pauses or ()):
        place = f"{at}/pauses/{index}"
        wrong = _unreadable(f"{place}/from", pause.from_, parse_instant)
        wrong += _unreadable(f"{place}/to", pause.to, parse_instant)
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
        if name not in UNSUR:
            faults.append(Fault(pointer(at, name), "is no unsur; they are " + ", ".join(UNSUR)))
        elif not 1 <= answer <= 4:  # noqa: PLR2004 - the survey's scale
            faults.append(Fault(pointer(at, name), "must be 1 to 4"))
    return faults


def _reversal(at: str, data: events.Reversal) -> list[Fault]:
    faults = text(f"{at}/event/source", data.event.source, most=500) + text(f"{at}/event/id", data.event.id, most=500)
    if not _REASON.fullmatch(data.reason):
        faults.append(Fault(f"{at}/reason", "must be a code matching [a-z][a-z0-9_-]{0,63}, never free text"))
    if data.reason in own.REASONS:
        faults.append(Fault(f"{at}/reason", "is a reason of the service itself"))
    return faults


def _assignment(at: str, data: events.AsnAssigned) -> list[Fault]:
    if _times(at, type(data), partial(getattr, data)):
        return []
    if data.effective_to is not None and data.effective_to < data.effective_from:
        return [Fault(f"{at}/effective_to", "must not lie before effective_from")]
    return []


def _standard(at: str, data: events.StandardSet) -> list[Fault]:
    faults: list[Fault] = []
    if not 1 <= data.amount <= MOST_HOURS:
        faults.append(Fault(f"{at}/amount", f"must be a whole number from 1 to {MOST_HOURS}"))
    if data.unit != "wall_hours":
        faults.append(Fault(f"{at}/unit", "must be wall_hours; working time needs calendars, which are not built yet"))
    return faults


def _scheme(at: str, data: events.SchemeAdopted) -> list[Fault]:
    faults: list[Fault] = []
    for index, indicator in enumerate(data.indicators):
        place = f"{at}/indicators/{index}"
        faults += identifier(f"{place}/id", indicator.id)
        for name in _INDICATOR_TEXTS:
            faults += typed(f"{place}/{name}", getattr(indicator, name))
    if not faults and not _field_faults(at, data) and not scheme.month_start(parse_date(data.effective_from)):
        faults.append(Fault(f"{at}/effective_from", "must be the first day of a month"))
    return faults + scheme.faults_of(data)


_RULES: Final[dict[type[Submittable], Callable[[str, Any], list[Fault]]]] = {
    events.PermitProcessed: _pauses,
    events.SatisfactionRated: _rating,
    events.EventRetracted: _reversal,
    events.EventCorrected: _reversal,
    events.AsnAssigned: _assignment,
    events.StandardSet: _standard,
    events.SchemeAdopted: _scheme,
}
"""The rules between the fields of one event, by the class of its data; most kinds have none."""


def ahead_faults(time_us: int, data: Submittable, now_us: int) -> list[Fault]:
    """Occurrences over five minutes ahead of ``now_us`` are no facts; deadlines and effective dates may lie ahead."""
    return _ahead("/time", time_us, now_us) + data_ahead_faults("/data", data, now_us)


def _ahead(place: str, at_us: int, now_us: int) -> list[Fault]:
    """The fault of an instant that lies ahead; time lifts it, unless nobody would wait so long."""
    return [Fault(place, AHEAD, for_now=at_us <= now_us + WAITS_US)] if at_us > now_us + AHEAD_US else []


def data_ahead_faults(at: str, data: Submittable, now_us: int) -> list[Fault]:
    """The same for the instants inside the data."""
    faults = list[Fault]()
    for name in _fields(type(data)).occurrences:
        value = getattr(data, name)
        if value is not UNSET:
            faults += _ahead(f"{at}/{name}", parse_instant(value), now_us)
    if isinstance(data, events.PermitProcessed):
        for index, pause in enumerate(data.pauses or ()):
            for name, value in (("from", pause.from_), ("to", pause.to)):
                faults += _ahead(f"{at}/pauses/{index}/{name}", parse_instant(value), now_us)
    return faults
