"""The way of an ASN to their own page, by their id. The form sends it in its body, so that a mistake is in no address."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.http.forms import fields_of
from api.http.persons import shown_to
from api.pages.links import Links, code_of
from api.pages.page import Need, Page
from domain.intake.personal import looks_personal
from domain.intake.texts import ID_MOST
from domain.refusal import Refusal

if TYPE_CHECKING:
    from api.pages.site import Site
    from api.v1.reads import Reads
    from domain.access.grant import Grant
    from domain.periods import Period
    from projections.reading.reader import Snapshot


class MinePage(Page, frozen=True):
    """The form for an id; ``personal``: a NIK or NIP was written there, which is kept nowhere."""

    template: ClassVar[str] = "mine.html"

    personal: bool


OWN_PAGE: Final = Need("own-page")


def mine_router(site: Site, reads: Reads) -> APIRouter:
    """`/asn`: the form, and the way on from it; `/saya`: the way of an ASN who has signed in."""
    router = APIRouter()

    @router.get("/asn", response_class=HTMLResponse)
    def show(request: Request, asn: str = "") -> Response:
        """The form; an address that names an id, as the form's once did, leads on from it."""
        return answer(request, asn.strip()) if asn.strip() else site.plain(request, MinePage(personal=False))

    @router.get("/saya")
    def lead(request: Request) -> Response:
        """The way of an ASN who has signed in to the own page; the operator, who is no ASN, is asked for an id."""
        link = Links(code_of(request), request)

        def onward(grant: Grant | None) -> Response:
            steps = ("asn", grant.asn) if grant is not None and grant.asn else ("asn",)
            return RedirectResponse(link(*steps), 303, {"cache-control": "no-store"})

        return site.guarded(request, OWN_PAGE, onward)

    @router.post("/asn")
    async def find_asn(request: Request) -> Response:
        text = (await fields_of(request)).get("asn", "").strip()
        return await run_in_threadpool(answer, request, text)

    def answer(request: Request, text: str) -> Response:
        if looks_personal(text):
            return site.plain(request, MinePage(personal=True), 422)
        link = Links(code_of(request), request)
        if not text or len(text) > ID_MOST:
            return RedirectResponse(link("asn"), 303)
        tour = {"tur": link.tour} if link.tour else {}
        return RedirectResponse(link("asn", known_id(reads, request, text), **tour), 303)

    return router


def known_id(reads: Reads, request: Request, text: str) -> str:
    """The id that a person means: as written, else the only one that differs from it by capitals alone.

    A caller is told nothing of the ids of those whom they are not shown.
    """
    try:
        grant = reads.access.grant(request)
    except Refusal:
        return text
    if not reads.access.allows(grant, "read-person"):
        return text
    period = reads.period(None)
    with reads.reader.snapshot() as snapshot:
        alike = [asn for asn in snapshot.asn_alike(text) if _is_shown(grant, snapshot, asn, period)]
    return alike[0] if len(alike) == 1 and text not in alike else text


def _is_shown(grant: Grant | None, snapshot: Snapshot, asn: str, period: Period) -> bool:
    try:
        return shown_to(grant, snapshot, asn, period).one_asn(asn, period) is not None
    except Refusal:
        return False
