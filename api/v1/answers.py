"""The answers to reads that are more than scorecards."""

from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct

from domain.score.scorecard import Scorecard, Subject
from projections.reading.why import Behind, Term, UnsurTerm


class Series(Struct, frozen=True):
    """A subject's last months, oldest first, each scored under the scheme of its month."""

    subject: Subject
    position: int
    items: list[Scorecard]


class Pause(Struct, frozen=True):
    """A pause of a file, which may still last."""

    at: str
    reason: str


class FileAnswer(Struct, frozen=True):
    """An open file; ``due_at`` is null without a promise, and moves with every pause unless ``kind`` is ``due_at``."""

    service: str
    case: str
    asn: str | None
    received_at: str
    due_at: str | None
    kind: str
    overdue: bool
    paused_at: str | None
    pauses: list[Pause]
    resumed_at: list[str]


class FilesAnswer(Struct, frozen=True):
    """A page of a dinas's open files, in the order of their due times."""

    dinas: str
    position: int
    items: list[FileAnswer]
    next: str | None


class EndedPause(Struct, frozen=True, rename={"from_": "from"}):
    """A pause that ended, as a decision states it."""

    from_: str
    to: str
    reason: str


class DecisionAnswer(Struct, frozen=True):
    """The decision in force, with the values that it was judged by; `margin_us` is the time left, negative if it was late.

    Of a standard, `due_at` is the instant at which the clock reached the promise, and `margin_us` is time of the clock.
    """

    position: int
    outcome: str
    completed_at: str
    received_at: str | None
    elapsed_us: int | None
    paused_us: int
    pauses: list[EndedPause]
    promise_us: int | None
    standard: str | None
    due_at: str | None
    on_time: bool | None
    margin_us: int | None
    flags: list[str]


class CaseEntry(Struct, frozen=True):
    """An entry about a case. `event` names the one that it reverses; `in_force` is false of a fact that was taken out."""

    position: int
    type: str
    source: str
    id: str
    time: str
    recorded_at: str
    reason: str | None
    event: dict[str, str] | None
    in_force: bool


class CaseAnswer(Struct, frozen=True):
    """One case: `none` before a receipt or a decision, then `received`, `paused` or `decided`.

    Service time so far is `paused_at`, else the clock, less `received_at` and the pauses; what it may be is `promise_us`. While the
    case is open, `kind` says what is promised, as for open files: a `due_at` is moved by no pause. `journal` is the journal that
    positions are of; every entry of this dinas up to `folded` is counted, though `position` may be less where partitions are folded
    apart.
    """

    journal: str
    dinas: str
    service: str
    case: str
    position: int
    folded: int
    state: Literal["none", "received", "paused", "decided"]
    asn: str | None
    received_at: str | None
    due_at: str | None
    kind: str | None
    overdue: bool
    promise_us: int | None
    paused_at: str | None
    reason: str | None
    pauses: list[EndedPause]
    decision: DecisionAnswer | None
    entries: list[CaseEntry]


class LateItem(Struct, frozen=True):
    """A decision or a task that was judged late. ``late_us`` is time of the clock: of a standard, service time beyond it."""

    position: int
    dinas: str
    asn: str | None
    service: str | None
    case: str | None
    task: str | None
    received_at: str | None
    due_at: str
    completed_at: str
    late_us: int
    promise_us: int | None


class LateAnswer(Struct, frozen=True):
    """A page of the late decisions or tasks behind a count, the last recorded first; all pages hold as many as the count."""

    subject: Subject
    period: str
    position: int
    kind: Literal["permits", "tasks"]
    items: list[LateItem]
    next: str | None


class IndicatorAnswer(Struct, frozen=True):
    """The parts of an indicator's arithmetic; ``expression`` is the same in one line."""

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
    expression: str


class FormulaAnswer(Struct, frozen=True):
    """The parts of a score's arithmetic; ``iku`` is the same in one line."""

    indicators: tuple[IndicatorAnswer, ...]
    skm_weight: str
    min_coverage: Decimal
    covered_weight: Decimal
    iku: str


class WhyAnswer(Struct, frozen=True):
    """The reasons of a scorecard, with a page of the events behind it."""

    subject: Subject
    period: str
    position: int
    scheme: str
    scorecard: Scorecard
    balance: dict[str, int]
    formula: FormulaAnswer
    events: list[Behind]
    next: str | None


class RecentAnswer(Struct, frozen=True):
    """A page of the events behind a subject's score, the newest first."""

    subject: Subject
    period: str
    position: int
    items: list[Behind]
    next: str | None


class JournalEntry(Struct, frozen=True):
    """One entry of the journal."""

    position: int
    type: str
    source: str
    id: str
    time: str
    recorded_at: str
    recorded_by: str
    data: dict[str, Any]


class JournalAnswer(Struct, frozen=True):
    """A page of the journal up to the position of the balances served; with a filter it may hold few entries and go on."""

    journal: str
    position: int
    items: list[JournalEntry]
    next: str | None
