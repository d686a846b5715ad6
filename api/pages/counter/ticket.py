"""`/nilai`: the rating that a citizen gives on their own phone, by the ticket in the counter's code. It needs no script."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote, urlencode
from uuid import uuid4

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool

from api.http.doors import address_of
from api.http.forms import fields_of
from api.http.tickets import Case, grant_of, ticket_for
from api.pages.page import Page
from api.pages.site import GUARDS
from domain.clock import utc_text
from domain.events.kinds import KINDS
from domain.intake.wire import submission_or_refusal
from domain.measures import UNSUR
from domain.refusal import Fault, Refusal
from projections.ports import Accepted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.pages.site import Site
    from api.v1.reads import Reads
    from projections.ports import Grant, Intake, Tokens

SOURCE_MOST: Final = 500
UNQUOTED: Final = "!*'()"
"""Marks that a script's `encodeURIComponent` leaves as they are, and Python would not."""


class TicketPage(Page, frozen=True):
    """The questions about a case, and the message about an answer; ``asks``: whether an answer may still be given."""

    template: ClassVar[str] = "ticket.html"
    parameters: ClassVar[frozenset[str]] = frozenset({"dinas", "service", "case", "tiket"})

    case: Case
    ticket: str
    unsur: tuple[str, ...]
    message: str = ""
    why: str = ""
    asks: bool = True


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

    @router.get("/nilai", response_class=HTMLResponse)
    def show(request: Request) -> Response:
        return site.unread(request, lambda: site.plain(request, _asking(tokens, request.query_params)))

    @router.post("/nilai")
    async def rate(request: Request) -> Response:
        fields = await fields_of(request)

        def answer() -> Response:
            page = _asking(tokens, fields)
            grant = grant_of(tokens, page.ticket, page.case)
            status, page = _rated(intake, grant, page, fields, utc_text(reads.reader.now_us()))
            return site.plain(request, page, status)

        return await run_in_threadpool(site.unread, request, answer)

    return router


def _case(fields: Mapping[str, str]) -> Case:
    if not all(fields.get(name) for name in Case._fields):
        raise Refusal("invalid-query", "dinas, service and case name a case", Fault("/case", "is not named"))
    return Case(*(fields[name] for name in Case._fields))


def _asking(tokens: Tokens, fields: Mapping[str, str]) -> TicketPage:
    """The questions about the case of a valid ticket. Raises: ``Refusal``."""
    case, ticket = _case(fields), fields.get("tiket", "")
    grant_of(tokens, ticket, case)
    return TicketPage(case, ticket, UNSUR)


def _address(request: Request, case: Case, ticket: str) -> str:
    return f"{address_of(request)}/nilai?{urlencode({**case._asdict(), 'tiket': ticket})}"


def source_of(grant: Grant, dinas: str) -> str:
    """The source of ratings of a dinas; a token may allow another only. `steps.js` has the same rule."""
    plain = f"/loket/{quote(dinas, safe=UNQUOTED)}/warga"
    usual = plain if len(plain) <= SOURCE_MOST else "/loket"
    return usual if grant.sources is None or usual in grant.sources else min(grant.sources)


def _rated(
    intake: Intake, grant: Grant, page: TicketPage, fields: Mapping[str, str], now: str
) -> tuple[int, TicketPage]:
    """Record the answers; the status and the page that says so. One rating holds the unsur, if any, else the face."""
    answers = {name: _number(fields[name]) for name in ("overall", *UNSUR) if fields.get(name)}
    if not answers:
        return 422, replace(page, message="rate_empty")
    overall = answers.pop("overall", 0)
    rating = {"unsur": answers} if answers else {"overall": overall, "scale": 4}
    event = {
        "specversion": "1.0",
        "type": KINDS["satisfaction-rated"].type,
        "source": source_of(grant, page.case.dinas),
        "id": str(uuid4()),
        "time": now,
        "data": {**page.case._asdict(), **rating},
    }
    outcome = intake.submit([submission_or_refusal(event)], grant)[0]
    if isinstance(outcome, Accepted):
        return 200, replace(page, message="rated_sent", asks=False)
    if outcome.slug in ("natural-key-held", "content-conflict"):
        return 409, replace(page, message="rated_before", asks=False)
    return 422, replace(page, message="rate_refused", why=outcome.detail)


def _number(text: str) -> int:
    """A choice of a form; 0, which is on no scale, for any other text."""
    return int(text) if text in ("1", "2", "3", "4") else 0
