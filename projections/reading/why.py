"""The reasons for a score: the scheme, the balances, the formula with its numbers, and the entries behind them."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from domain.events.entries import AnyEntry, decode
from domain.events.kinds import KINDS
from domain.fold.ledger import Balance
from domain.fold.postings import postings_of
from domain.intake.recorded import Recorded, read_line
from domain.measures import INDEX, MEASURES, UNSUR
from domain.periods import Period
from domain.rules.scheme import Scheme
from domain.score.scorecard import Scorecard, Subject, exact, number
from domain.score.scoring import IndicatorScore, Score

RATED: Final = KINDS["satisfaction-rated"].type


class Term(Struct, frozen=True):
    """One integer of a formula, and the measure it is the balance of."""

    measure: str
    balance: int


class UnsurTerm(Struct, frozen=True):
    """One unsur of the IKM: the number of answers, their sum, and NRR, its mean."""

    unsur: str
    n: int
    sum: int
    nrr: Decimal | None


class IndicatorFormula(Struct, frozen=True):
    """The parts of an indicator's arithmetic. ``withheld``: it has none that may be shown."""

    id: str
    numerator: Term | None
    denominator: Term | None
    unsur: tuple[UnsurTerm, ...]
    direction: str
    target: Decimal
    cap: int | None
    min_n: int
    weight: Decimal
    value: Decimal | None
    capaian: Decimal | None
    withheld: bool = False


class Formula(Struct, frozen=True):
    """The parts of a score's arithmetic; ``iku`` is none while the covered weight is less than ``min_coverage``."""

    indicators: tuple[IndicatorFormula, ...]
    skm_weight: Fraction
    min_coverage: Decimal
    covered_weight: Decimal
    iku: Decimal | None


class Behind(Struct, frozen=True):
    """One entry behind a score, with what it posted to the subject's accounts in the period."""

    position: int
    type: str
    source: str
    id: str
    time: str
    recorded_at: str
    recorded_by: str
    data: dict[str, Any]
    postings: list[dict[str, Any]]


class Why(Struct, frozen=True):
    """The reasons of a scorecard."""

    subject: Subject
    period: str
    position: int
    scheme: str
    scorecard: Scorecard
    balance: dict[str, int]
    formula: Formula
    events: list[Behind]
    next: str | None


def formula_of(balance: Balance, score: Score, scheme: Scheme) -> Formula:
    """The arithmetic of a score, with a name for every number."""
    return Formula(
        indicators=tuple(_indicator(part, balance) for part in score.indicators),
        skm_weight=scheme.skm_weight,
        min_coverage=exact(scheme.min_coverage),
        covered_weight=exact(score.covered),
        iku=None if score.value is None else number(score.value),
    )


def _indicator(part: IndicatorScore, balance: Balance) -> IndicatorFormula:
    indicator = part.indicator
    is_ikm = indicator.numerator == "ikm"
    return IndicatorFormula(
        id=indicator.id,
        numerator=None if is_ikm else Term(indicator.numerator, balance[INDEX[indicator.numerator]]),
        denominator=Term(indicator.denominator, balance[INDEX[indicator.denominator]]),
        unsur=_unsur(balance) if is_ikm else (),
        direction=indicator.direction,
        target=number(indicator.target),
        cap=indicator.cap,
        min_n=indicator.min_n,
        weight=exact(indicator.weight),
        value=None if part.value is None else number(part.value),
        capaian=None if part.capaian is None else number(part.capaian),
    )


def _unsur(balance: Balance) -> tuple[UnsurTerm, ...]:
    terms = []
    for unsur in UNSUR:
        n, score = balance[INDEX[f"unsur_n_{unsur}"]], balance[INDEX[f"unsur_sum_{unsur}"]]
        terms.append(UnsurTerm(unsur, n, score, number(Fraction(score, n)) if n > 0 else None))
    return tuple(terms)


def behind(lines: Iterable[tuple[int, bytes]], subject: Subject, period: Period, *, published: bool) -> list[Behind]:
    """The entries behind a subject's balance, with their postings to it; ``published`` leaves out those of ratings."""
    events = ((position, line, read_line(line)) for position, line in lines)
    return [
        _behind(position, event, decode(line), subject, period)
        for position, line, event in events
        if not published or not is_rating(event)
    ]


def is_rating(event: Recorded) -> bool:
    """True if an entry gives a rating, takes one out or corrects one."""
    facts = (event.resolved.removes, event.resolved.adds)
    return RATED in (event.type, *(fact.type for fact in facts if fact is not None))


def _behind(position: int, event: Recorded, entry: AnyEntry, subject: Subject, period: Period) -> Behind:
    at = 0 if subject.kind == "dinas" else 1
    mine = [
        posting
        for posting in postings_of(entry)
        if posting.account[at] == subject.id and posting.account[3] in period.months
    ]
    nameless = subject.kind == "dinas" and RATED in (event.type, event.resolved.removes and event.resolved.removes.type)
    postings = [
        {
            "account": (posting.account[0], "", *posting.account[2:]) if nameless else posting.account,
            "amounts": {MEASURES[index]: amount for index, amount in posting.amounts if amount},
        }
        for posting in mine
    ]
    return Behind(
        position=position,
        type=event.type,
        source=event.source,
        id="" if nameless else event.id,
        time=event.time,
        recorded_at=event.recordedtime,
        recorded_by=event.recordedby,
        data=_nameless(event.data) if nameless else event.data,
        postings=postings,
    )


def _nameless(data: dict[str, Any]) -> dict[str, Any]:
    """A rating without its civil servant and case: a dinas's reasons do not give away its staff's single ratings.

    The id that a source gave a rating could reveal as much; its position shows the entry to readers of the journal.
    """
    names = ("asn", "case", "survey", "event", "resolved", "replacement")
    return {name: value for name, value in data.items() if name not in names}
