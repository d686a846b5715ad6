"""The pages of practice: the four tours, each step's way to its page, and beginning anew."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.background import BackgroundTask

from api.http.access import is_own_form
from api.pages.periods import choose
from api.pages.site import Asked, Made, Site
from api.pages.tours import DINAS, PATHS, ROLES, STEPS, Step, step_of
from api.v1.reads import Reads
from domain.refusal import Refusal

FIRST_FEW: Final = 1


def practice_router(site: Site, reads: Reads, reset: Callable[[], None]) -> APIRouter:
    """`/latihan`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/latihan")
    def show(request: Request) -> Response:
        return site.page(request, "practice.html", _tours)

    @router.get("/latihan/{code}")
    def lead(request: Request, code: str) -> Response:
        step = step_of(code)
        if step is None:
            return site.page(request, "practice.html", _tours)
        return RedirectResponse(_address(reads, step, request.query_params.get("lang", "")), 303)

    @router.post("/latihan/ulang")
    def again(request: Request) -> Response:
        if not is_own_form(request):
            raise Refusal("forbidden", "practice is begun anew by Neraca's own pages only")
        reads.access.require(request, "rulebook")
        response = site.plain(request, "again.html", {}, 202)
        response.background = BackgroundTask(reset)  # once the answer is on its way
        return response

    return router


def _tours(_: Asked) -> Made:
    return {"tours": {role: [Step(role, number) for number in range(1, STEPS + 1)] for role in ROLES}}


def _address(reads: Reads, step: Step, lang: str) -> str:
    """Where a step is. The ASN is the one with the best score: somebody must have one."""
    with reads.reader.snapshot() as snapshot:
        period = choose(snapshot, None, reads.period(None)).period
        staff = snapshot.ranking(snapshot.asn_of(DINAS, period) or [], period, 0, FIRST_FEW)
    asn = staff[0].subject.id if staff else ""
    path = PATHS[step.role][step.number - 1].format(asn=quote(asn, safe=""), dinas=DINAS)
    return f"{path}{'&' if '?' in path else '?'}tur={step.code}" + ("&lang=en" if lang == "en" else "")
