"""The pages by their addresses. An error on a page is a page, and every figure on one is served by the API too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from api.http.static import ASKED_ANEW, IMMUTABLE
from api.http.tickets import Case
from api.pages.auditor.desk import DeskPage, auditor_router
from api.pages.auditor.entry import EntryPage
from api.pages.auditor.journal import JournalPage
from api.pages.auditor.question import ANSWER
from api.pages.board.board import BoardPage
from api.pages.board.live import LiveBoards, live_router
from api.pages.counter.counter import CounterPage, RatingPage, counter_router
from api.pages.counter.ticket import TicketPage, closed_router, ticket_router
from api.pages.method import MethodPage
from api.pages.page import FRAMED
from api.pages.practice.practice import PracticePage, practice_router
from api.pages.public import PublicPage
from api.pages.signin import LinkPage, SignInPage, signin_router
from api.pages.subject.asn import AsnPage
from api.pages.subject.dinas import DinasPage
from api.pages.subject.events import EventsPage
from api.pages.subject.file import FilePage
from api.pages.subject.files import FilesPage
from api.pages.subject.late import LatePage
from api.pages.subject.mine import MinePage, mine_router
from api.pages.subject.receipt import WhyPage
from api.pages.subject.task import TaskPage
from domain.access.policy import PUBLIC, Action
from projections.forwarding import PATH as FORMS_PATH

if TYPE_CHECKING:
    from prometheus_client import Gauge

    from api.pages.frame import PageServices
    from api.pages.page import AddressedPage, Page
    from api.pages.site import Site
    from api.v1.reads import Reads
    from api.v1.stream import Ending

ADDRESSED: Final[dict[str, type[AddressedPage]]] = {
    "/": BoardPage,
    "/publik": PublicPage,
    "/dinas/{dinas}": DinasPage,
    "/dinas/{dinas}/why": WhyPage,
    "/dinas/{dinas}/events": EventsPage,
    "/dinas/{dinas}/files": FilesPage,
    "/dinas/{dinas}/file": FilePage,
    "/dinas/{dinas}/late": LatePage,
    "/asn/{asn}": AsnPage,
    "/asn/{asn}/why": WhyPage,
    "/asn/{asn}/events": EventsPage,
    "/asn/{asn}/late": LatePage,
    "/asn/{asn}/task": TaskPage,
}
"""Pages that follow from an address and one reading: a line here is all that serves them."""
PAGES: Final[dict[str, type[Page]]] = {
    **ADDRESSED,
    "/asn": MinePage,
    "/auditor": DeskPage,
    "/auditor/journal": JournalPage,
    "/auditor/journal/{position}": EntryPage,
    "/loket": CounterPage,
    "/loket/warga": RatingPage,
    "/nilai": TicketPage,
    "/publik/metode": MethodPage,
    "/latihan": PracticePage,
    "/masuk": SignInPage,
    "/masuk/tautan": LinkPage,
}
"""Every page that a browser can go to. Those that are not ``ADDRESSED`` have a router of their own."""
PARAMETERS: Final[dict[str, frozenset[str]]] = {
    **{path: page.known() for path, page in PAGES.items()},
    "/auditor/journal/{position}/line": FRAMED,
    "/auditor/journal/{position}/canonical": FRAMED,
    "/auditor/journal.ndjson": FRAMED | {"until"},
    "/auditor/digest.ndjson": FRAMED | ANSWER,
    "/auditor/differences.csv": FRAMED | ANSWER,
    "/latihan/{code}": FRAMED,
    "/latihan/ulang": FRAMED,
    "/keluar": FRAMED,
    "/saya": FRAMED,
    "/live/board": FRAMED | {"period", "follow"},
    "/loket/qr.svg": FRAMED | frozenset(Case._fields),
    "/loket/tiket": FRAMED | frozenset(Case._fields),
    FORMS_PATH: frozenset(),
}
"""The parameters that the routes outside the API read by themselves, by path; any other is refused by its name."""
ACTIONS: Final[dict[str, Action]] = {
    path: page.need({"asn": ""} if "{asn}" in path else {}).action for path, page in ADDRESSED.items()
}
"""The actions of the pages that have a period, by path."""


def pages_router(site: Site, reads: Reads, services: PageServices, ending: Ending, listeners: Gauge) -> APIRouter:
    """The pages, the moving board, and the style sheet."""
    router = APIRouter(include_in_schema=False)
    for path, page in ADDRESSED.items():
        _add(router, site, path, page)
    router.include_router(mine_router(site, reads))
    if services.reset is not None:
        router.include_router(practice_router(site, reads, services.reset))
    if services.replays is not None:
        router.include_router(auditor_router(site, reads, services.replays))
    router.include_router(counter_router(site, rates=services.forms is not None))
    ratings = closed_router(site) if services.forms is None else ticket_router(site, reads, services.forms)
    router.include_router(ratings)
    router.include_router(signin_router(site, reads.access, services))
    router.include_router(live_router(LiveBoards(reads, site, ending), reads, listeners))

    @router.get("/static/neraca.css")
    def style(v: str = "") -> Response:
        cache_control = IMMUTABLE if v == site.style_tag else ASKED_ANEW
        headers = {"cache-control": cache_control}
        return Response(site.style, 200, headers, "text/css")

    return router


def _add(router: APIRouter, site: Site, path: str, page: type[AddressedPage]) -> None:
    """Serve a page at an address."""

    @router.get(path, response_class=HTMLResponse)
    async def show(request: Request) -> Response:
        if page.shared and page.action in PUBLIC:  # a page that is guarded is made for its caller alone
            return await site.shared(request, page.of, lifetime_s=page.lifetime_s)
        return await run_in_threadpool(site.page, request, page.of, need=page.need(request.path_params))
