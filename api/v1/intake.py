"""The intake app: POST /v1/events, in each form CloudEvents knows over HTTP, and NDJSON."""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from api.http.access import Access
from api.http.coding import coding_of, decompressed
from api.http.problems import problem
from api.v1.schemas import EVENTS_DOC
from domain.intake.media import media_of, unquoted
from domain.intake.wire import Submission, parse_json, read_submission, submission_or_refusal
from domain.refusal import Fault, Refusal, attempt, invalid
from projections.ports import UNPROMISED, Accepted, Grant, Intake, Outcome

BODY_MOST: Final = 16 * 2**20
EVENTS_MOST: Final = 10_000
EVENT: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
NDJSON: Final = "application/x-ndjson"
JSON: Final = "application/json"
_PREFIX: Final = "ce-"


def intake_router(intake: Intake, access: Access) -> APIRouter:
    """The one route that changes anything."""
    router = APIRouter()

    @router.post("/v1/events", **EVENTS_DOC)
    async def post_events(request: Request) -> Response:
        """Record one event, a batch, or NDJSON lines.

        An event answered with 201, or counted as accepted, is durable. A 503 means that nothing was recorded: send it again.
        """
        grant = await run_in_threadpool(access.require, request, "record")
        media, packing = _media(request), coding_of(request.headers.getlist("content-encoding"))
        body = await _body(request)
        return await run_in_threadpool(_answer, intake, grant, media, body, request.headers, packing=packing)

    return router


def _media(request: Request) -> str:
    values = request.headers.getlist("content-type")
    if len(values) > 1:
        raise Refusal("malformed-headers", "content-type: stands more than once")
    media = media_of(values[0]) if values else None
    binary = any(header.startswith(_PREFIX) for header in request.headers)
    is_ours = media is not None and (media.type in (EVENT, BATCH, NDJSON) or (media.type == JSON and binary))
    if media is None or not is_ours or not media.is_utf8:
        detail = f"send {EVENT}, {BATCH}, {NDJSON}, or {JSON} with {_PREFIX} headers, in UTF-8"
        raise Refusal("unsupported-media-type", detail)
    return media.type


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST:
            raise Refusal("too-large", f"a request holds at most {BODY_MOST} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _answer(intake: Intake, grant: Grant, media: str, body: bytes, headers: Headers, *, packing: bool) -> Response:
    if packing:
        body = decompressed(body, BODY_MOST)
    if media == BATCH:
        events = parse_json(body)
        if not isinstance(events, list):
            raise invalid(Fault("", "must be a JSON array of events"))
        return _many(intake, grant, [submission_or_refusal(event) for event in _counted(events)], headers)
    if media == NDJSON:
        lines = [line for line in body.split(b"\n") if line.strip()]
        return _many(intake, grant, [attempt(_read_line, line) for line in _counted(lines)], headers)
    event = parse_json(body) if media == EVENT else _from_headers(headers, body)
    return _single(intake.submit([submission_or_refusal(event)], grant)[0])


def _counted(events: list[Any]) -> list[Any]:
    if len(events) > EVENTS_MOST:
        raise Refusal("too-large", f"a request holds at most {EVENTS_MOST} events")
    return events


def _read_line(line: bytes) -> Submission:
    return read_submission(parse_json(line))


def _from_headers(headers: Headers, body: bytes) -> dict[str, Any]:
    """The binary mode of the CloudEvents HTTP binding: an attribute in each ``ce-`` header."""
    event: dict[str, Any] = {"datacontenttype": headers["content-type"]}
    for name, value in headers.items():
        if name.startswith(_PREFIX):
            attribute = name.removeprefix(_PREFIX)
            if len(headers.getlist(name)) > 1:
                raise Refusal("malformed-headers", f"{name}: stands more than once")
            if attribute == "data":
                raise Refusal("malformed-headers", f"{name}: data is the body")
            event[attribute] = _attribute(name, value)
    event["data"] = parse_json(body)
    return event


def _attribute(name: str, value: str) -> str:
    """A header's value as the HTTP binding has it decoded (section 3.1.3.2): quotes first, then one round of percents."""
    try:
        text = value.encode("latin-1").decode()
        return unquote(unquoted(text) if text.startswith('"') else text, errors="strict")
    except UnicodeDecodeError:
        raise Refusal("malformed-headers", f"{name}: must be percent-encoded UTF-8") from None
    except ValueError as error:
        raise Refusal("malformed-headers", f"{name}: {error}") from None


def _single(outcome: Outcome) -> Response:
    if isinstance(outcome, Refusal):
        raise outcome
    return Response(
        msgspec.json.encode(outcome.receipt), 200 if outcome.repeated else 201, media_type="application/json"
    )


def _many(intake: Intake, grant: Grant, events: list[Submission | Refusal], headers: Headers) -> Response:
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
