"""The postings of an entry: which leaf account it moves, and by how much. No look-up, so a fold needs no order."""

from functools import lru_cache
from typing import Final, assert_never, assert_type

from msgspec import Struct

from domain.capaian import capped, half_up, permit_capaian
from domain.events.entries import (
    AnyEntry,
    CaseNote,
    DecisionData,
    EventCorrected,
    EventRetracted,
    Fact,
    JournalOpened,
    PermitProcessed,
    PermitReceived,
    RatingData,
    ReceiptData,
    Rule,
    SatisfactionRated,
    TaskCompleted,
    TaskData,
)
from domain.measures import CAPS, INDEX, UNSUR, cap_name

Account = tuple[str, str, str, str]
"""A leaf account: ``(dinas, asn or "", service or "", month)``."""
Amounts = tuple[tuple[int, int], ...]
"""The integers to add to a balance: pairs of a measure's index and an integer."""


class Posting(Struct, frozen=True, gc=False):
    """One leaf account, and the integers added to its balance."""

    account: Account
    amounts: Amounts


PERMITS: Final = INDEX["permits"]
WITH_STANDARD: Final = INDEX["permits_with_standard"]
ON_TIME: Final = INDEX["permits_on_time"]
REJECTED: Final = INDEX["permits_rejected"]
ELAPSED_US: Final = INDEX["permits_elapsed_us"]
CAPAIAN_N: Final = INDEX["capaian_n"]
CAPAIAN_SUMS: Final = tuple(INDEX[f"capaian_sum_{cap_name(cap)}"] for cap in CAPS)
CAPAIAN_SQUARES: Final = tuple(INDEX[f"capaian_sq_{cap_name(cap)}"] for cap in CAPS)
ONE_RESPONDENT: Final = (INDEX["respondents"], 1)
ONE_ANSWER: Final = {unsur: (INDEX[f"unsur_n_{unsur}"], 1) for unsur in UNSUR}
ANSWER: Final = {(unsur, answer): (INDEX[f"unsur_sum_{unsur}"], answer) for unsur in UNSUR for answer in range(1, 5)}
MEAN_SUM: Final = INDEX["respondent_mean_sum"]
MEAN_SQUARE: Final = INDEX["respondent_mean_sq"]
RECEIVED: Final = ((INDEX["received"], 1),)
ONE_TASK: Final = (INDEX["tasks"], 1)
ONE_TASK_WITH_DUE: Final = (INDEX["tasks_with_due"], 1)
ONE_TASK_ON_TIME: Final = (INDEX["tasks_on_time"], 1)
ONE_TASK_SELF_REPORTED: Final = (INDEX["tasks_self_reported"], 1)


def postings_of(entry: AnyEntry) -> tuple[Posting, ...]:
    """An entry moves the accounts of the facts it states; a reversal negates the fact it takes out."""
    match entry:
        case PermitProcessed() | TaskCompleted() | SatisfactionRated() | PermitReceived():
            return (posting_of(entry),)
        case EventRetracted():
            return (negated(posting_of(entry.data.resolved.removes)),)
        case EventCorrected():
            removal = negated(posting_of(entry.data.resolved.removes))
            adds = entry.data.resolved.adds
            return (removal,) if adds is None else (removal, posting_of(adds))
        case _:
            assert_type(entry, CaseNote | Rule | JournalOpened)
            return ()


def posting_of(fact: Fact) -> Posting:
    """A fact moves exactly one leaf account."""
    match fact:
        case PermitProcessed(data=decision):
            account = (decision.dinas, decision.asn, decision.service, decision.resolved.month)
            return Posting(account, _decision(decision))
        case TaskCompleted(data=task):
            return Posting((task.dinas, task.asn, "", task.resolved.month), _task(task))
        case SatisfactionRated(data=rating):
            return Posting((rating.dinas, rating.asn, rating.service, rating.resolved.month), _rating(rating))
        case PermitReceived(data=receipt):
            return Posting(_receipt_account(receipt), RECEIVED)
        case _:
            assert_never(fact)


def negated(posting: Posting) -> Posting:
    """The posting that takes another one out again."""
    return Posting(posting.account, tuple((index, -amount) for index, amount in posting.amounts))


def _receipt_account(receipt: ReceiptData) -> Account:
    return (receipt.dinas, receipt.asn, receipt.service, receipt.resolved.month)


def _decision(decision: DecisionData) -> Amounts:
    values = decision.resolved
    elapsed_us, promise_us = values.elapsed_us, values.promise_us
    is_rejected = decision.outcome == "rejected"
    if values.on_time is None:
        return ((PERMITS, 1), (REJECTED, int(is_rejected)), (ELAPSED_US, elapsed_us))
    capaian = capaian_amounts(permit_capaian(elapsed_us, promise_us)) if promise_us and promise_us > 0 else ()
    return (*judged_amounts(values.on_time, is_rejected), (ELAPSED_US, elapsed_us), *capaian)


@lru_cache(maxsize=4)
def judged_amounts(on_time: bool, is_rejected: bool) -> Amounts:  # noqa: FBT001 - two facts, cached by value
    """The counts that a permit with a promised time adds."""
    return ((PERMITS, 1), (WITH_STANDARD, 1), (ON_TIME, int(on_time)), (REJECTED, int(is_rejected)))


@lru_cache(maxsize=20_001)
def capaian_amounts(capaian_bp: int) -> Amounts:
    """The amounts that one capaian adds: its count, its sum and its sum of squares under each cap."""
    values = capped(capaian_bp)
    return (
        (CAPAIAN_N, 1),
        *zip(CAPAIAN_SUMS, values, strict=True),
        *zip(CAPAIAN_SQUARES, (value * value for value in values), strict=True),
    )


def _task(task: TaskData) -> Amounts:
    return task_amounts(task.resolved.on_time, task.reported_by == "self")


@lru_cache(maxsize=6)
def task_amounts(on_time: bool | None, self_reported: bool) -> Amounts:  # noqa: FBT001 - two facts, cached by value
    """The counts that a task adds; without a due time it is volume, neither late nor on time."""
    due = () if on_time is None else (ONE_TASK_WITH_DUE, *((ONE_TASK_ON_TIME,) if on_time else ()))
    return (ONE_TASK, *due, *((ONE_TASK_SELF_REPORTED,) if self_reported else ()))


def _rating(rating: RatingData) -> Amounts:
    return tap_amounts(overall_bp(rating)) if rating.unsur is None else respondent_amounts(rating.unsur)


def overall_bp(rating: RatingData) -> int:
    """The answer to a single question in basis points of its scale."""
    return half_up(10_000 * (rating.overall or 0), rating.scale)


def tap_amounts(bp: int) -> Amounts:
    """An answer to a single question adds itself, in basis points, its square, and the count of answers."""
    return ((INDEX["overall_n"], 1), (INDEX["overall_sum"], bp), (INDEX["overall_sq"], bp * bp))


def respondent_amounts(unsur: dict[str, int]) -> Amounts:
    """A respondent adds each answer by the name of its unsur, and the mean of those given; there must be one at least."""
    mean_bp = half_up(10_000 * sum(unsur.values()), 4 * len(unsur))
    return (
        ONE_RESPONDENT,
        *map(ONE_ANSWER.__getitem__, unsur),
        *map(ANSWER.__getitem__, unsur.items()),
        (MEAN_SUM, mean_bp),
        (MEAN_SQUARE, mean_bp * mean_bp),
    )
