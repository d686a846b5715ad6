"""`/nilai`: the rating a citizen gives on a phone of their own, by the ticket in the counter's QR. It works without a script."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode
from uuid import uuid4

import segno
from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.http.tickets import Case, grant_of, ticket_for
from api.pages.signin import fields_of
from api.pages.site import GUARDS, Made, Site
from domain.clock import utc_text
from domain.events.kinds import KINDS
from domain.intake.wire import submission_or_refusal
from domain.measures import UNSUR
from domain.refusal import Fault, Refusal
from projections.ports import Accepted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.v1.reads import Reads
    from projections.ports import Grant, Intake, Tokens

SOURCE_MOST: Final = 500
UNQUOTED: Final = "!*'()"
"""What a script's `encodeURIComponent` leaves as it is, and Python would not."""


def ticket_router(site: Site, reads: Reads, intake: Intake) -> APIRouter:
    """The QR at the counter, and the page it leads to."""
    router, access, tokens = APIRouter(), reads.access, reads.access.tokens

    @router.get("/loket/qr.svg")
    def show_code(request: Request) -> Response:
        case = _case(dict(request.query_params))
        ticket = ticket_for(tokens, access.require(request, "fact"), case)
        if ticket is None:
            raise Refusal("not-found", "without a token, or beyond what it covers, there is nobody to vouch")
        picture = io.BytesIO()
        try:
            segno.make(_address(request, case, ticket), error="m").save(picture, kind="svg", scale=4, light="#fff")
        except segno.DataOverflowError:
            raise Refusal("not-found", "no code holds an address as long as this case's") from None
        return Response(picture.getvalue(), 200, {**GUARDS, "cache-control": "no-store"}, "image/svg+xml")

    @router.get("/nilai")
    def show(request: Request) -> Response:
        return site.unread(request, lambda: site.plain(request, "ticket.html", _asking(tokens, request.query_params)))

    @router.post("/nilai")
    async def rate(request: Request) -> Response:
        said = await fields_of(request)

        def answered() -> Response:
            made = _asking(tokens, said)
            grant = grant_of(tokens, made["ticket"], made["case"])
            status, told = _rated(intake, grant, made["case"], said, utc_text(reads.reader.now_us()))
            return site.plain(request, "ticket.html", made | told, status)

        return await run_in_threadpool(site.unread, request, answered)

    return router


def _case(said: Mapping[str, str]) -> Case:
    if not all(said.get(name) for name in Case._fields):
        raise Refusal("invalid-query", "dinas, service and case name a case", Fault("/case", "is not named"))
    return Case(*(said[name] for name in Case._fields))


def _asking(tokens: Tokens, said: Mapping[str, str]) -> Made:
    """What the page asks, of a ticket that holds. Raises: ``Refusal``."""
    case, ticket = _case(said), said.get("tiket", "")
    grant_of(tokens, ticket, case)
    return {"case": case, "ticket": ticket, "unsur": UNSUR, "told": None, "why": "", "asks": True}


def _address(request: Request, case: Case, ticket: str) -> str:
    scheme = "https" if "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "")) else "http"
    return f"{scheme}://{request.url.netloc}/nilai?{urlencode({**case._asdict(), 'tiket': ticket})}"


def source_of(grant: Grant, dinas: str) -> str:
    """The name under which ratings of a dinas are given; a token may allow another only. As `steps.js` has it."""
    plain = f"/loket/{quote(dinas, safe=UNQUOTED)}/warga"
    usual = plain if len(plain) <= SOURCE_MOST else "/loket"
    return usual if grant.sources is None or usual in grant.sources else min(grant.sources)


def _rated(intake: Intake, grant: Grant, case: Case, said: Mapping[str, str], now: str) -> tuple[int, Made]:
    """Record what was answered, and what to say of it. The aspects say more than the face, and one rating holds one of them."""
    answers = {name: _number(said[name]) for name in ("overall", *UNSUR) if said.get(name)}
    if not answers:
        return 422, {"told": "rate_empty"}
    overall = answers.pop("overall", 0)
    rating = {"unsur": answers} if answers else {"overall": overall, "scale": 4}
    event = {
        "specversion": "1.0", "type": KINDS["satisfaction-rated"].type, "source": source_of(grant, case.dinas),
        "id": str(uuid4()), "time": now,
        "data": {**case._asdict(), **rating},
    }  # fmt: skip
    outcome = intake.submit([submission_or_refusal(event)], grant)[0]
    if isinstance(outcome, Accepted):
        return 200, {"told": "rated_sent", "asks": False}
    if outcome.slug in ("natural-key-held", "content-conflict"):
        return 409, {"told": "rated_before", "asks": False}
    return 422, {"told": "rate_refused", "why": outcome.detail}


def _number(text: str) -> int:
    """A choice of a form; 0, which no scale has, for what is none."""
    return int(text) if text in ("1", "2", "3", "4") else 0
