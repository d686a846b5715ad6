"""The intake app: POST /v1/events, in each form CloudEvents knows over HTTP, and NDJSON."""

from collections.abc import Collection, Iterable
from typing import Any

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.datastructures import Headers

from api.http.access import Access
from api.http.problems import problem
from api.http.rates import Meter
from api.http.threads import Threads
from api.v1.bodies import Body, Event, body_of, events_of
from api.v1.schemas import EVENTS_DOC
from domain.refusal import Refusal
from projections.ports import UNPROMISED, Accepted, Grant, Intake, Outcome


def intake_router(intake: Intake, access: Access, threads: Threads, extensions: Collection[str] = ()) -> APIRouter:
    """The one route that changes anything; ``extensions`` are the extension attributes that a city takes."""
    router, meter = APIRouter(), Meter()

    @router.post("/v1/events", **EVENTS_DOC)
    async def post_events(request: Request) -> Response:
        """Record one event, a batch, or NDJSON lines.

        An event answered with 201, or counted as accepted, is durable. A 503 means that nothing was recorded: send it again.
        """
        grant = await threads.record(access.require, request, "record")
        return await threads.record(_answer, intake, grant, await body_of(request, extensions), meter)

    return router


def _answer(intake: Intake, grant: Grant, body: Body, meter: Meter) -> Response:
    events = events_of(body)
    meter.take(grant, len(events) if isinstance(events, list) else 1, len(body.content))
    if isinstance(events, list):
        return _many(intake, grant, events, body.headers)
    return _single(intake.submit([events], grant)[0])


def _single(outcome: Outcome) -> Response:
    if isinstance(outcome, Refusal):
        raise outcome
    return Response(
        msgspec.json.encode(outcome.receipt), 200 if outcome.repeated else 201, media_type="application/json"
    )


def _many(intake: Intake, grant: Grant, events: list[Event], headers: Headers) -> Response:
    outcomes = intake.submit(events, grant) if events else []
    receipts: dict[str, Any] = {}
    if "return=representation" in headers.get("prefer", "").replace(" ", "").lower():
        receipts["receipts"] = [outcome.receipt if isinstance(outcome, Accepted) else None for outcome in outcomes]
    number = sum(isinstance(outcome, Accepted) and outcome.unpromised for outcome in outcomes)
    extra = {UNPROMISED: str(number)} if number else None
    return Response(msgspec.json.encode(tally(outcomes) | receipts), 200, extra, "application/json")


def tally(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """The numbers of accepted and repeated events, and each rejection with its index from 0."""
    results = list(outcomes)
    return {
        "accepted": sum(isinstance(outcome, Accepted) and not outcome.repeated for outcome in results),
        "duplicates": sum(isinstance(outcome, Accepted) and outcome.repeated for outcome in results),
        "rejected": [
            {"index": index, "problem": problem(outcome)}
            for index, outcome in enumerate(results)
            if isinstance(outcome, Refusal)
        ],
    }
