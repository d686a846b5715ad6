"""The state of one case: received, paused and why, or decided. Counters of its dinas look it up before they act."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.http.persons import Faces
from api.v1.answers import CaseAnswer, CaseEntry, DecisionAnswer, EndedPause
from api.v1.faces import nameless
from api.v1.histories import text_of
from api.v1.reads import Dinas, Reads, required_reading
from api.v1.schemas import read_doc
from domain.access.subjects import Unit
from domain.clock import stored_instant, utc_text
from domain.events.kinds import KINDS, NOTE_TYPES
from domain.fold.casefiles import EMPTY, Interval, intervals, open_file
from domain.intake.judged import due_us, margin_us, paused_us
from domain.score.scorecard import Subject
from projections.ports import Lines
from projections.reading.course import Course, Standing, course_of
from projections.reading.reader import Snapshot

RETRACTED: Final = KINDS["event-retracted"].type
CaseId = Annotated[str, Query(description="Verbatim", max_length=200)]


def case_of(snapshot: Snapshot, lines: Lines, dinas: str, service: str, number: str) -> CaseAnswer:
    """A case as far as it is folded; a case that nothing ever named is not received yet."""
    course = course_of(lines.of_case(dinas, service, number), snapshot.folded(dinas))
    file = snapshot.case_file(dinas, service, number) or EMPTY
    pauses, paused_us = intervals(file)
    receipt, pending = file.receipt, open_file((dinas, service, number), file)
    state: Literal["none", "received", "paused", "decided"] = "none"
    if file.decisions > 0:
        state, paused_us = "decided", None
    elif receipt is not None:
        state = "received" if paused_us is None else "paused"
    promise_us = None
    if receipt is not None:
        promise_us = receipt.standard_us if receipt.due_us is None else receipt.due_us - receipt.received_us
    return CaseAnswer(
        snapshot.version.journal,
        dinas,
        service,
        number,
        snapshot.position,
        snapshot.folded(dinas),
        state,
        (receipt.asn or None) if receipt else None,
        utc_text(receipt.received_us) if receipt else None,
        text_of(pending.due_us if pending else None),
        pending.kind if pending else None,
        pending is not None and snapshot.is_overdue(pending),
        promise_us,
        text_of(paused_us),
        file.reason(paused_us),
        _pauses(pauses),
        None if course.decision is None else _decision(course.decision),
        list(_entries(course)),
    )


def _pauses(stop: tuple[Interval, ...]) -> list[EndedPause]:
    return [EndedPause(utc_text(start), utc_text(end), reason) for start, end, reason in stop]


def _decision(decision: Standing) -> DecisionAnswer:
    fact, resolution = decision.fact, decision.fact.resolved
    by_standard = resolution.standard is not None and resolution.due_us is None
    return DecisionAnswer(
        decision.position,
        fact.data.get("outcome", "issued"),
        utc_text(stored_instant(fact.data["completed_at"])),
        text_of(resolution.received_us),
        resolution.elapsed_us,
        paused_us(resolution),
        _pauses(resolution.pauses),
        resolution.promise_us,
        resolution.standard.id if resolution.standard is not None and by_standard else None,
        text_of(due_us(fact)),
        resolution.on_time,
        margin_us(fact),
        list(resolution.flags),
    )


def _entries(course: Course) -> Iterator[CaseEntry]:
    standing = {step.position for step in course.standing}
    for position, event in course.entries:
        yield CaseEntry(
            position,
            event.type,
            event.source,
            event.id,
            event.time,
            event.recordedtime,
            event.data.get("reason"),
            event.data.get("event"),
            position in standing or event.fact.type in NOTE_TYPES or event.type == RETRACTED,
        )


def cases_router(reads: Reads) -> APIRouter:
    """The route of one case."""
    router = APIRouter()
    access = reads.access

    # In the query and not in the path: the id of a service or a case may hold a slash.
    @router.get(
        "/v1/dinas/{dinas}/file",
        **read_doc(
            CaseAnswer, "One case: whether it is received, paused or decided", of_subject=True, needs_token=True
        ),
    )
    def read_case(request: Request, dinas: Dinas, service: CaseId, case: CaseId) -> Response:
        grant = access.require(request, "read-files", Unit(dinas))
        now = reads.period(None)

        def answer_in(snapshot: Snapshot) -> CaseAnswer:
            required_reading(snapshot.one_dinas(dinas, now), dinas)
            answer = case_of(snapshot, reads.lines, dinas, service, case)
            faces = Faces(grant, snapshot, Subject("dinas", dinas), now)
            case_answer: CaseAnswer = nameless(answer, faces)
            return case_answer

        return reads.answer(request, None, answer_in, grant=grant)

    return router
