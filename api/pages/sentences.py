"""Events, units and formulas in words, as every section of the pages says them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from api.http.withheld import is_answer
from api.pages.measures import measure_label, speed_cap
from api.pages.targets import Target, target_of
from api.v1.formulas import Notation
from domain.clock import stored_instant
from domain.events.kinds import KINDS
from domain.events.names import kind_of
from domain.intake.recorded import resolved_of
from domain.measures import MEASURES

if TYPE_CHECKING:
    from api.pages.words import Words
    from domain.rules.scheme import Scheme
    from projections.reading.reader import Snapshot
    from projections.reading.why import Behind

LATE_US: Final = 60_000_000
"""A recording within a minute of the occurrence is at the same time for a reader."""
PROCESSED: Final = KINDS["permit-processed"].type
RATED: Final = KINDS["satisfaction-rated"].type
PLAIN_MEASURES: Final = tuple(name for name in MEASURES if not name.startswith("capaian_s") and not is_answer(name))
"""Measures named one by one; the others are summed up in words of what they mean together."""


class Event(Struct, frozen=True):
    """An event behind a score, in words; ``at`` is its position as a number, ``target`` the page of its file or task.

    ``recorded`` is empty unless it was recorded later than it occurred: lists are in the order of recording.
    """

    at: int
    position: str
    what: str
    detail: str
    name: str
    time: str
    instant: str
    recorded: str
    recorded_at: str
    posted: str
    target: Target | None


def name_of(snapshot: Snapshot, dinas: str) -> str:
    """The registered name of a dinas, or its id if it is not registered."""
    return snapshot.rulebook.dinas_name(dinas) or dinas


def notation_of(words: Words) -> Notation:
    """The notation of a language for the arithmetic of a score."""
    return Notation(words.exact, words("receipt.no_data"), words("subject.withheld"), words("receipt.covered_text"))


def event_row(event: Behind, scheme: Scheme, words: Words) -> Event:
    """An event behind a score, in words."""
    data = event.data or {}
    occurred_us, recorded_us = stored_instant(event.time), stored_instant(event.recorded_at)
    return Event(
        event.position,
        words.number(event.position),
        what(event.type, data, words),
        _detail(event.type, data, words),
        f"{event.source} # {event.id}" if event.id else event.source,
        words.moment(occurred_us, short=True),
        words.sortable(occurred_us),
        words.moment(recorded_us, short=True) if is_late(occurred_us, recorded_us) else "",
        words.sortable(recorded_us),
        _posted(event, scheme, words),
        target_of(event.type, data, event.position),
    )


def is_late(occurred_us: int, recorded_us: int) -> bool:
    """True if an entry was recorded so long after it occurred that a list by recording needs both times."""
    return recorded_us - occurred_us > LATE_US


def what(type_: str, data: dict[str, Any], words: Words, *, outcome: bool = True) -> str:
    """The kind of an event in words; for a reversal, also the kind of the fact it reverses.

    ``outcome``: whether a decision's outcome is told.
    """
    removal = resolved_of(data).removes
    if removal is not None:
        return words.named("kind", kind_of(type_), fact=what(removal.type, removal.data, words, outcome=outcome))
    if type_ == PROCESSED and not outcome:
        return words("public.decided")
    if type_ == PROCESSED and data.get("outcome") == "rejected":
        return words("kind.permit-rejected")
    label = words.named("kind", kind_of(type_))
    return label.partition(":")[0]


def _detail(type_: str, data: dict[str, Any], words: Words) -> str:
    """Service and case, the time it took, the reason of a reversal. The case of a rating leads to a citizen: left out."""
    fact = resolved_of(data).adds or resolved_of(data).removes
    reason = [reason_of(data["reason"], words)] if fact is not None and "reason" in data else []
    if fact is not None:
        type_, data = fact.type, fact.data
    names = ("service",) if type_ == RATED else ("service", "case", "task")
    details = [str(data[name]) for name in names if name in data] + reason
    values = resolved_of(data)
    if values.elapsed_us is not None:
        details.append(took(values.elapsed_us, values.promise_us, words))
    return " · ".join(details)


def reason_of(code: str, words: Words) -> str:
    """The reason of a pause or a reversal: the service's own in words, others by the code that was stated."""
    label = words.named("correction", code)
    return words("receipt.reason", reason=words.named("pause", code) if label == code else label)


def took(elapsed_us: int, promise_us: int | None, words: Words) -> str:
    """The service time of a file, and the time that was promised for it."""
    duration = words.against(elapsed_us, promise_us)
    if promise_us is None:
        return words("receipt.took_plain", elapsed=duration)
    return words("receipt.took", elapsed=duration, promise=words.promise(max(promise_us, 0)))


def verdict(margin_us: int | None, promise_us: int | None, words: Words) -> str:
    """By how much a file or a task was early or late; empty without a promise."""
    if margin_us is None:
        return ""
    if margin_us == 0:
        return words("file.on_the_dot")
    length = words.against(abs(margin_us), promise_us) if promise_us is not None else words.span(abs(margin_us))
    return words("file.early" if margin_us > 0 else "open.over", length=length)


def _posted(event: Behind, scheme: Scheme, words: Words) -> str:
    """The sum of all postings of an event to the subject's balance; for a rating, without the citizen's answers."""
    net: dict[str, int] = dict.fromkeys(MEASURES, 0)
    for posting in event.postings:
        for measure, amount in posting["amounts"].items():
            net[measure] += amount
    amounts = [f"{measure_label(name, words)} {_added(name, net[name], words)}" for name in PLAIN_MEASURES if net[name]]
    capaian = net[f"capaian_sum_{speed_cap(scheme)}"]
    if capaian:
        amounts.append(f"{words('measure.capaian')} {words.basis_points(capaian)}")
    if any(amount for name, amount in net.items() if is_answer(name)):
        amounts.append(words("receipt.answers"))
    return " · ".join(amounts) or words("receipt.nothing")


def _added(measure: str, amount: int, words: Words) -> str:
    if not measure.endswith("_us"):
        return words.signed(amount)
    return ("+" if amount > 0 else "−") + words.duration(abs(amount))
