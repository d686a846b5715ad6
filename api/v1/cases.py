"""The state of one case: received, paused and why, or decided. Counters of its dinas look it up before they act."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.v1.answers import CaseAnswer, EndedPause
from api.v1.histories import text_of
from api.v1.reads import Dinas, Reads, found
from api.v1.schemas import read_doc
from domain.clock import utc_text
from domain.fold.casefiles import EMPTY, intervals, open_file
from domain.fold.partition import partition_of
from domain.refusal import Refusal
from projections.reading.reader import Snapshot

CaseId = Annotated[str, Query(description="Verbatim", max_length=200)]


def case_of(snapshot: Snapshot, dinas: str, service: str, number: str) -> CaseAnswer:
    """A case as far as it is folded; a case that nothing ever named is not received yet."""
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
        _folded(snapshot, dinas),
        state,
        (receipt.asn or None) if receipt else None,
        utc_text(receipt.received_us) if receipt else None,
        text_of(pending.due_us if pending else None),
        pending.kind if pending else None,
        pending is not None and snapshot.is_overdue(pending),
        promise_us,
        text_of(paused_us),
        file.reason(paused_us),
        [EndedPause(utc_text(start), utc_text(end), reason) for start, end, reason in pauses],
    )


def _folded(snapshot: Snapshot, dinas: str) -> int:
    """The position up to which the entries of a dinas are folded: that of all entries, or of its partition."""
    partitions = snapshot.version.at.partitions
    return partitions[partition_of(dinas, len(partitions))] if partitions else snapshot.position


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
        grant = access.require(request, "read", "fact")
        if "read" not in grant.scopes and grant.dinas is not None and dinas not in grant.dinas:
            raise Refusal("forbidden", f"the token may not speak for dinas {dinas}")
        now = reads.period(None)

        def answer(snapshot: Snapshot) -> CaseAnswer:
            found(snapshot.one_dinas(dinas, now), dinas)
            return case_of(snapshot, dinas, service, case)

        return reads.answer(request, None, answer, public=False)

    return router
