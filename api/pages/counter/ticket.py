"""`/nilai`: the rating that a citizen gives on their own phone, by the ticket in the counter's code. It needs no script.

The ticket stands in the address's fragment, which no server is sent, and is posted with the answers. Without a script the
page asks for it as it is printed under the code. While nothing can be recorded the page keeps the answers, and asks again.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urlencode
from uuid import uuid4

import msgspec
import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from msgspec import field
from msgspec.structs import replace

from api.http.doors import address_of
from api.http.forms import fields_of
from api.http.tickets import Case
from api.pages.page import Page
from domain.access.subjects import Unit
from domain.clock import utc_text
from domain.events.kinds import KINDS
from domain.intake.wire import submission_or_refusal
from domain.measures import UNSUR
from domain.refusal import Fault, Refusal
from projections.ports import Accepted, Unavailable
from projections.reading.course import course_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.http.tickets import Ticket, Tickets
    from api.pages.frame import Forms
    from api.pages.site import Site
    from api.v1.reads import Reads
    from projections.ports import Grant, Intake

GIVEN_HERE: Final = ("natural-key-held", "content-conflict")
"""The refusals of a rating that was given before."""


class TicketPage(Page, frozen=True):
    """The questions about a case, and the message about an answer; ``asks``: whether an answer may still be given.

    ``answers`` are those that were chosen, by question: a page that asks again keeps them. Parts of the case that the address
    does not name are asked for, and so is the ticket, unless a script knows it.
    """

    template: ClassVar[str] = "ticket.html"
    parameters: ClassVar[frozenset[str]] = frozenset(Case._fields)

    case: Case
    ticket: str
    unsur: tuple[str, ...]
    answers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    why: str = ""
    asks: bool = True


def ticket_router(site: Site, reads: Reads, forms: Forms) -> APIRouter:
    """The counter's code, and the page it leads to."""
    router = APIRouter()
    router.include_router(_codes(reads, forms.tickets))

    @router.get("/nilai", response_class=HTMLResponse)
    def show(request: Request) -> Response:
        case = Case(*(request.query_params.get(name, "") for name in Case._fields))
        return site.unread(request, lambda: site.plain(request, TicketPage(case, "", UNSUR)))

    @router.post("/nilai")
    async def rate(request: Request) -> Response:
        fields = await fields_of(request)

        def answer() -> Response:
            answers = {name: fields[name] for name in ("overall", *UNSUR) if fields.get(name)}
            page = TicketPage(_case_in(fields), fields.get("tiket", ""), UNSUR, answers)
            try:
                grant = forms.tickets.grant_of(page.ticket, page.case)
                status, page = _rated(forms.intake, grant, page, utc_text(reads.reader.now_us()))
            except Unavailable:
                return site.plain(request, replace(page, message="rate_away"), 503, {"retry-after": "1"})
            return site.plain(request, page, status)

        return await forms.threads.record(site.unread, request, answer)

    return router


def closed_router(site: Site) -> APIRouter:
    """The addresses at which ratings are given, of a process that takes none."""
    router = APIRouter()
    refusal = Refusal("not-found", "no ratings are taken here", Fault("/rating", "is taken elsewhere"))

    @router.get("/loket/warga", response_class=HTMLResponse)
    @router.api_route("/nilai", methods=["GET", "POST"], response_class=HTMLResponse)
    def show(request: Request) -> Response:
        return site.refused(request, refusal)

    return router


def _codes(reads: Reads, tickets: Tickets) -> APIRouter:
    """The ticket of a decided case, and the code that leads a phone to it."""
    router = APIRouter()

    @router.get("/loket/tiket")
    def give_ticket(request: Request) -> Response:
        address, ticket = _issue(request, reads, tickets)
        body = msgspec.json.encode({"address": address, "expires": utc_text(ticket.until_us)})
        return Response(body, 200, {"cache-control": "no-store"}, "application/json")

    @router.get("/loket/qr.svg")
    def show_code(request: Request) -> Response:
        address, _ = _issue(request, reads, tickets)
        picture = io.BytesIO()
        try:
            segno.make(address, error="m").save(picture, kind="svg", scale=4, light="#fff")
        except segno.DataOverflowError:
            raise Refusal("not-found", "no code holds an address as long as this case's") from None
        return Response(picture.getvalue(), 200, {"cache-control": "no-store"}, "image/svg+xml")

    return router


def _issue(request: Request, reads: Reads, tickets: Tickets) -> tuple[str, Ticket]:
    """A ticket of the case that an address names, and the address it leads to. Raises: ``Refusal``."""
    case = _case_in(dict(request.query_params))
    grant = reads.access.require(request, "vouch", Unit(case.dinas))
    # Asked of the journal: the counter asks as soon as its decision is recorded, and the balances follow a moment later.
    if course_of(reads.lines.of_case(*case), reads.lines.head()).decision is None:
        detail = "is not decided: a ticket is given once it is"
        raise Refusal("not-decided", f"case: {detail}", Fault("/case", detail, for_now=True))
    ticket = tickets.issue(grant, case)
    if ticket is None:
        raise Refusal("not-found", "without a token there is nobody to vouch")
    return _address(request, case, ticket), ticket


def _case_in(fields: Mapping[str, str]) -> Case:
    if not all(fields.get(name) for name in Case._fields):
        raise Refusal("invalid-query", "dinas, service and case name a case", Fault("/case", "is not named"))
    return Case(*(fields[name] for name in Case._fields))


def _address(request: Request, case: Case, ticket: Ticket) -> str:
    return f"{address_of(request)}/nilai?{urlencode(case._asdict())}#{urlencode({'tiket': ticket.text})}"


def _rated(intake: Intake, grant: Grant, page: TicketPage, now: str) -> tuple[int, TicketPage]:
    """Record the answers; the status and the page that says so. One rating holds the unsur, if any, else the face.

    Raises: ``Unavailable``.
    """
    answers = {name: _number(text) for name, text in page.answers.items()}
    if not answers:
        return 422, replace(page, message="rate_empty")
    overall = answers.pop("overall", 0)
    rating = {"unsur": answers} if answers else {"overall": overall, "scale": 4}
    event = {
        "specversion": "1.0",
        "type": KINDS["satisfaction-rated"].type,
        "source": "/nilai",  # both are named after the ticket when the event is recorded
        "id": str(uuid4()),
        "time": now,
        "data": {**page.case._asdict(), **rating},
    }
    outcome = intake.submit([submission_or_refusal(event)], grant)[0]
    if isinstance(outcome, Accepted):
        return 200, replace(page, message="rated_sent", asks=False)
    if outcome.slug in GIVEN_HERE:
        return 409, replace(page, message="rated_before", asks=False)
    if outcome.slug == "not-decided":
        return 409, replace(page, message="rate_not_decided")
    return 422, replace(page, message="rate_refused", why=outcome.detail)


def _number(text: str) -> int:
    """A choice of a form; 0, which is on no scale, for any other text."""
    return int(text) if text in ("1", "2", "3", "4") else 0
