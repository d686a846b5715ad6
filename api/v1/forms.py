"""The events of forms that another process serves: they are taken from it under a proof of the session, and from nobody else."""

from collections.abc import Collection

from fastapi import APIRouter, Request, Response

from api.http.access import Access
from api.http.proofs import Proofs
from api.http.threads import Threads
from api.v1.bodies import Body, body_of, events_of
from domain.refusal import Refusal
from projections.forwarding import PATH, text_of
from projections.ports import Grant, Intake


def forms_router(
    intake: Intake, access: Access, proofs: Proofs, threads: Threads, extensions: Collection[str] = ()
) -> APIRouter:
    """The route between processes; ``extensions`` are the extension attributes that a city takes."""
    router = APIRouter()

    @router.post(PATH, include_in_schema=False)
    async def post_forms(request: Request) -> Response:
        """Record the events of a form; the answer has the outcome of each."""
        claims = proofs.claims_of(request)
        grant = await threads.record(access.require, request, "record")
        body = await body_of(request, extensions)
        if not claims.covers(body.content):
            raise Refusal("unauthorized", "the proof is of another body")
        return await threads.record(_answer, intake, grant, body)

    return router


def _answer(intake: Intake, grant: Grant, body: Body) -> Response:
    events = events_of(body)
    if not isinstance(events, list):
        raise Refusal("unsupported-media-type", "forms are sent as a batch")
    return Response(text_of(intake.submit(events, grant)), media_type="application/json")
