"""The receipt of a score (struk nilai): balances, arithmetic, what is not counted, and the events behind it in words.

It shows what `api.v1.reads.explained` explains, so what is withheld there never reaches this module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from api.http.withheld import is_answer
from api.pages.drawing import amount, speed_cap
from domain.clock import parse_instant
from domain.events.kinds import KINDS
from domain.events.names import kind_of
from domain.intake.recorded import resolved_of
from domain.measures import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from api.pages.words import Words
    from domain.rules.scheme import Scheme
    from domain.score.scorecard import Standing
    from projections.reading.why import Behind, Formula, IndicatorFormula, Why

PROCESSED: Final = KINDS["permit-processed"].type
RATED: Final = KINDS["satisfaction-rated"].type
_POSTED: Final = tuple(name for name in MEASURES if not name.startswith("capaian_s") and not is_answer(name))
"""Measures said as they are; the others are said by what they mean together."""


class Entry(Struct, frozen=True):
    """A label and its figure."""

    label: str
    figure: str


class Event(Struct, frozen=True):
    """An event behind a score, in words; ``at`` is its position as a number."""

    at: int
    position: str
    what: str
    detail: str
    name: str
    time: str
    instant: str
    posted: str


class Receipt(Struct, frozen=True):
    """All of a score's reasons, in words."""

    why: Why
    scheme: Scheme
    balances: tuple[Entry, ...]
    formulas: tuple[Entry, ...]
    unsur: tuple[tuple[str, str, str, str], ...]
    total: str
    not_counted: tuple[Entry, ...]
    events: tuple[Event, ...]


def receipt(why: Why, standing: Standing, scheme: Scheme, words: Words) -> Receipt:
    """A score's reasons in words."""
    formula = why.formula
    return Receipt(
        why, scheme, tuple(_balances(formula, words)),
        tuple(_formula(part, words) for part in formula.indicators),
        tuple(
            (words.named("unsur", term.unsur), words.number(term.n), words.number(term.sum), words.percent(term.nrr))
            for part in formula.indicators for term in part.unsur
        ),
        words.arithmetic(formula.iku), tuple(_not_counted(standing, scheme, words)),
        tuple(event_row(event, scheme, words) for event in why.events),
    )  # fmt: skip


def _formula(part: IndicatorFormula, words: Words) -> Entry:
    return Entry(words.named("indicator", part.id), words.arithmetic(part.expression))


def measure_label(measure: str, words: Words) -> str:
    """A measure in words."""
    stem, _, rest = measure.rpartition("_")
    if stem in ("capaian_sum", "capaian_sq") and rest != "none":
        return words(f"measure.{stem}", cap=rest)
    if stem in ("unsur_n", "unsur_sum"):
        return words(f"measure.{stem}_of", unsur=words.named("unsur", rest))
    return words.named("measure", measure)


def _balances(formula: Formula, words: Words) -> Iterable[Entry]:
    """The integers that the formula uses, each once."""
    said: dict[str, int] = {}
    for part in formula.indicators:
        for term in (part.numerator, part.denominator):
            if term is not None:
                said[term.measure] = term.balance
    return (Entry(measure_label(name, words), words.number(balance)) for name, balance in said.items())


def _not_counted(standing: Standing, scheme: Scheme, words: Words) -> Iterable[Entry]:
    """What is recorded and adds nothing to the score, by the measures the scheme uses."""
    used = {name for said in scheme.indicators for name in (said.numerator, said.denominator)}
    counted = {name: amount(standing.balance, name) for name in _POSTED}
    timed, spans = counted["permits_with_standard"], counted["capaian_n"]
    left_out = {
        "receipt.without_standard": (used & {"capaian_n", "permits_with_standard"}, counted["permits"] - timed),
        "receipt.without_span": (used & {"capaian_n"}, timed - spans),
        "receipt.without_due": (used & {"tasks_with_due"}, counted["tasks"] - counted["tasks_with_due"]),
        "receipt.overall": (used & {"ikm"}, counted["overall_n"]),
        "receipt.still_open": (True, standing.permits_open),
    }
    return (Entry(words(key), words.number(n)) for key, (matters, n) in left_out.items() if matters and n)


def event_row(event: Behind, scheme: Scheme, words: Words) -> Event:
    """An event behind a score, in words."""
    data = event.data or {}
    return Event(
        event.position, words.number(event.position), what(event.type, data, words),
        words("receipt.hidden") if event.suppressed else _detail(event.type, data, words),
        f"{event.source} # {event.id}" if event.id else event.source, words.moment(parse_instant(event.time), short=True),
        words.sortable(parse_instant(event.time)), "" if event.suppressed else _posted(event, scheme, words),
    )  # fmt: skip


def what(type_: str, data: dict[str, Any], words: Words) -> str:
    """The kind of an event in words; of a reversal, also the kind of what it reverses."""
    removed = resolved_of(data).removes
    if removed is not None:
        return words.named("kind", kind_of(type_), fact=what(removed.type, removed.data, words))
    if type_ == PROCESSED and data.get("outcome") == "rejected":
        return words("kind.permit-rejected")
    label = words.named("kind", kind_of(type_))
    return label.partition(":")[0]


def _detail(type_: str, data: dict[str, Any], words: Words) -> str:
    """Service and case, the time it took, the reason of a reversal. A rating's case leads to a citizen: left out."""
    fact = resolved_of(data).adds or resolved_of(data).removes
    said = [words("receipt.reason", reason=data["reason"])] if fact is not None and "reason" in data else []
    if fact is not None:
        type_, data = fact.type, fact.data
    names = ("service",) if type_ == RATED else ("service", "case", "task")
    said = [str(data[name]) for name in names if name in data] + said
    resolved = resolved_of(data)
    if resolved.elapsed_us is not None:
        elapsed, promise_us = words.duration(resolved.elapsed_us), resolved.promise_us
        key = "receipt.took_plain" if promise_us is None else "receipt.took"
        promise = "" if promise_us is None else words.duration(max(promise_us, 0))
        said.append(words(key, elapsed=elapsed, promise=promise))
    return " · ".join(said)


def _posted(event: Behind, scheme: Scheme, words: Words) -> str:
    """What an event added to the subject's balance, all its postings together; of a rating not what the citizen answered."""
    net: dict[str, int] = dict.fromkeys(MEASURES, 0)
    for posting in event.postings:
        for measure, added in posting["amounts"].items():
            net[measure] += added
    said = [
        f"{measure_label(name, words)} {_added(name, net[name], words)}" for name in _POSTED if net[name]
    ]  # fmt: skip
    capaian = net[f"capaian_sum_{speed_cap(scheme)}"]
    if capaian:
        said.append(f"{words('measure.capaian')} {words.basis_points(capaian)}")
    if any(added for name, added in net.items() if is_answer(name)):
        said.append(words("receipt.answers"))
    return " · ".join(said) or words("receipt.nothing")


def _added(measure: str, added: int, words: Words) -> str:
    if not measure.endswith("_us"):
        return words.signed(added)
    return ("+" if added > 0 else "−") + words.duration(abs(added))
