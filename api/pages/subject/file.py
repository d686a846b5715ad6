"""The page of one case: its promise, its clock, its decision and how early or late that was, and its whole course."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from msgspec import Struct
from msgspec.structs import replace

from api.pages.page import AddressedPage
from api.pages.sentences import name_of, verdict
from api.pages.subject.course import Step, course_table, steps_of_case
from api.pages.subject.files import time_left
from domain.clock import MINUTE_US, stored_instant
from domain.fold.casefiles import counted_pauses, intervals, length_us, open_file
from domain.intake.judged import due_us, margin_us, paused_us
from domain.refusal import Fault, Refusal
from projections.reading.course import course_of

if TYPE_CHECKING:
    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action
    from domain.fold.casefiles import CaseFile, OpenFile, ReceivedFile
    from projections.reading.course import Standing


class CaseView(Struct, frozen=True, kw_only=True):
    """A case in words. ``clock`` is the arithmetic of its service time, ``verdict`` by how much it was early or late.

    ``state``: `received`, `paused`, `decided`, or `none` if all that was recorded of it was retracted. ``decided`` is the
    position of the decision.
    """

    service: str
    case: str
    state: str
    steps: tuple[Step, ...]
    asn: str = ""
    overdue: bool = False
    promise: str = ""
    standard: str = ""
    due: str = ""
    clock: str = ""
    left: str = ""
    outcome: str = ""
    done: str = ""
    verdict: str = ""
    decided: int = 0


class FilePage(AddressedPage, frozen=True):
    """One case of a dinas."""

    template: ClassVar[str] = "file.html"
    action: ClassVar[Action] = "read-files"
    parameters: ClassVar[frozenset[str]] = frozenset({"service", "case"})

    id: str
    name: str
    file: CaseView

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The case that an address names. Raises: ``Refusal``."""
        dinas = query.path["dinas"]
        service, case = (query.parameters.get(name, "") for name in ("service", "case"))
        view = case_view(query, dinas, service, case)
        file = view if query.shows(view.asn) else replace(view, asn="")
        return cls(dinas, name_of(query.snapshot, dinas), file)

    def tables(self, words: Words) -> Tables:
        """The steps of the case."""
        return {"course": lambda: course_table(self.file.steps, words)}


def case_view(query: PageQuery, dinas: str, service: str, case: str) -> CaseView:
    """A case as far as it is folded. Raises: ``Refusal`` for one that nothing ever named."""
    snapshot, words, now_us = query.snapshot, query.words, query.now_us
    file = snapshot.case_file(dinas, service, case)
    course = course_of(query.lines.of_case(dinas, service, case), snapshot.folded(dinas))
    if file is None or not course.entries:
        raise Refusal("not-found", f"nothing was received as {case}", Fault("/file", "is not known"))
    steps = steps_of_case(course, words, now_us)
    if course.decision is not None:
        return _decided(service, case, course.decision, words, steps)
    pending = open_file((dinas, service, case), file)
    if pending is None or file.receipt is None:
        return CaseView(service=service, case=case, state="none", steps=steps)
    return _pending(file, file.receipt, pending, words, now_us, steps)


def _pending(
    file: CaseFile, receipt: ReceivedFile, pending: OpenFile, words: Words, now_us: int, steps: tuple[Step, ...]
) -> CaseView:
    state = "received" if pending.paused_us is None else "paused"
    overdue, due = pending.overdue_at(now_us), pending.due_us
    return CaseView(
        service=pending.service,
        case=pending.case,
        asn=pending.asn,
        state=state,
        overdue=overdue,
        promise=_promise(receipt.due_us, receipt.standard_us, words),
        due="" if due is None else words.moment(due),
        clock=_clock(file, receipt, pending, words, now_us),
        left=time_left(due, words, now_us, stands=state == "paused" and not overdue),
        steps=steps,
    )


def _decided(service: str, case: str, decision: Standing, words: Words, steps: tuple[Step, ...]) -> CaseView:
    """A decided case: what was promised and when it was due, as they were judged, and the arithmetic of its clock."""
    fact, values = decision.fact, decision.fact.resolved
    due, margin, done_us = due_us(fact), margin_us(fact), stored_instant(fact.data["completed_at"])
    standard_us = values.promise_us if values.due_us is None else None
    return CaseView(
        service=service,
        case=case,
        asn=fact.data.get("asn", ""),
        state="decided",
        overdue=values.on_time is False,
        promise=_promise(values.due_us, standard_us, words),
        standard=values.standard.id if values.standard is not None and values.due_us is None else "",
        due="" if due is None else words.moment(due),
        clock=_clock_of_decision(decision, done_us, standard_us, words),
        outcome=words.named("outcome", fact.data.get("outcome", "issued")),
        done=words.moment(done_us),
        verdict=verdict(margin, standard_us, words),
        decided=decision.position,
        steps=steps,
    )


def _promise(due: int | None, standard_us: int | None, words: Words) -> str:
    if due is not None:
        return words("file.due_at", moment=words.moment(due))
    return words("open.no_due") if standard_us is None else words.promise(standard_us)


def _clock(file: CaseFile, receipt: ReceivedFile, pending: OpenFile, words: Words, now_us: int) -> str:
    """Service time is what has passed since receipt less the pauses, each instant counted once; in whole minutes, that add up."""
    pauses, paused_since = intervals(file)
    open_pause = () if paused_since is None else ((paused_since, now_us, ""),)
    stood_us = length_us(counted_pauses((*pauses, *open_pause), receipt.received_us, now_us))
    passed_min, stood_min = max(now_us - receipt.received_us, 0) // MINUTE_US, stood_us // MINUTE_US
    plain = "" if stood_min else "_plain"
    standard_us = receipt.standard_us if pending.kind == "standard" else None
    lengths = _lengths(passed_min, stood_min, standard_us, words)
    if standard_us is not None:
        return words(f"file.clock_of{plain}", **lengths, promise=words.promise(standard_us))
    return words("file.clock_due" if pending.kind == "due_at" else f"file.clock{plain}", **lengths)


def _clock_of_decision(decision: Standing, done_us: int, standard_us: int | None, words: Words) -> str:
    """The same of a clock that has ended, from the values that were resolved with the decision."""
    values = decision.fact.resolved
    received_us = done_us if values.received_us is None else values.received_us
    passed_min, stood_min = max(done_us - received_us, 0) // MINUTE_US, paused_us(values) // MINUTE_US
    plain = "" if stood_min else "_plain"
    lengths = _lengths(passed_min, stood_min, standard_us, words)
    if standard_us is not None:
        return words(f"file.ended_of{plain}", **lengths, promise=words.promise(standard_us))
    return words(f"file.ended_due{plain}" if values.due_us is not None else f"file.ended{plain}", **lengths)


def _lengths(passed_min: int, stood_min: int, standard_us: int | None, words: Words) -> dict[str, str]:
    lengths = {"passed": passed_min, "stood": stood_min, "served": passed_min - stood_min}
    return {name: words.minutes(length, standard_us) for name, length in lengths.items()}
