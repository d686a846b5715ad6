"""The pages of practice: the four tours, the way from each step to its page, and beginning anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.background import BackgroundTask

from api.http.access import is_own_form
from api.pages.page import Page, ReadingPage
from api.pages.periods import choose
from api.pages.tours import DINAS, PATHS, ROLES, STEPS, Step, step_of
from domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.pages.site import Site
    from api.pages.tours import Role
    from api.v1.reads import Reads

FIRST_FEW: Final = 1


class PracticePage(ReadingPage, frozen=True):
    """The steps of each tour, by the person that it is for."""

    template: ClassVar[str] = "practice.html"

    tours: dict[Role, list[Step]]


class AgainPage(Page, frozen=True):
    """The page while practice begins anew."""

    template: ClassVar[str] = "again.html"


def practice_router(site: Site, reads: Reads, reset: Callable[[], None]) -> APIRouter:
    """`/latihan`."""
    router = APIRouter(include_in_schema=False)
    page = PracticePage({role: [Step(role, number) for number in range(1, STEPS + 1)] for role in ROLES})

    @router.get("/latihan", response_class=HTMLResponse)
    def show(request: Request) -> Response:
        return site.page(request, lambda _: page)

    @router.get("/latihan/{code}")
    def lead(request: Request, code: str) -> Response:
        step = step_of(code)
        if step is None:
            return site.page(request, lambda _: page)
        return RedirectResponse(_address(reads, step, request.query_params.get("lang", "")), 303)

    @router.post("/latihan/ulang")
    def again(request: Request) -> Response:
        if not is_own_form(request):
            raise Refusal("forbidden", "practice is begun anew by Neraca's own pages only")
        reads.access.require(request, "practise-again")
        response = site.plain(request, AgainPage(), 202)
        response.background = BackgroundTask(reset)  # once the answer is on its way
        return response

    return router


def _address(reads: Reads, step: Step, lang: str) -> str:
    """The address of a step. The tour of an ASN is about the one with the best score, who has something to show."""
    with reads.reader.snapshot(published=True) as snapshot:
        period = choose(snapshot, None, reads.period(None)).period
        staff = snapshot.ranking(snapshot.asn_of(DINAS, period) or [], period, 0, FIRST_FEW)
    asn = staff[0].subject.id if staff else ""
    path = PATHS[step.role][step.number - 1].format(asn=quote(asn, safe=""), dinas=DINAS)
    return f"{path}{'&' if '?' in path else '?'}tur={step.code}" + ("&lang=en" if lang == "en" else "")
