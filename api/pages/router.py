"""The pages: board, dinas, ASN, and why; rendered here, every figure one the API serves. An error of a page is a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from msgspec import Struct

from api.pages.auditor.desk import auditor_router
from api.pages.board.feed import feed
from api.pages.board.live import LiveBoards, live_router
from api.pages.counter.counter import counter_router
from api.pages.counter.ticket import ticket_router
from api.pages.drawing import board, name_of
from api.pages.practice.practice import practice_router
from api.pages.public import public
from api.pages.services import services_of
from api.pages.signin import signin_router
from api.pages.site import IMMUTABLE, Links, Site, code_of
from api.pages.subject.events import EVENTS_FIRST, FILES_FIRST, events_behind, open_files, open_files_of_asn
from api.pages.subject.file import case_view
from api.pages.subject.ranks import places_of
from api.pages.subject.receipt import receipt
from api.pages.subject.subject import peers_of, staff_of, subject_view
from api.v1.reads import explained, found
from domain.score.scorecard import Subject
from projections.reading.subject import read_subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import Gauge

    from api.pages.site import Asked, Made
    from api.v1.reads import Reads
    from api.v1.stream import Ending
    from domain.score.scorecard import Standing
    from projections.ports import Intake, Replays


OF_PERSONS: Final = ("files", "staff")


class Beside(Struct, frozen=True):
    """What the pages offer beside readings: practice that is begun anew, replays, an intake; and what they are marked with."""

    simulated: bool = False
    notice: Callable[[], str | None] = lambda: None
    reset: Callable[[], None] | None = None
    replays: Replays | None = None
    intake: Intake | None = None


def site_of(reads: Reads, beside: Beside) -> Site:
    """What the pages of an app share."""
    return Site(reads, simulated=beside.simulated, notice=beside.notice, practice=beside.reset is not None)


def pages_router(site: Site, reads: Reads, ending: Ending, listeners: Gauge, beside: Beside) -> APIRouter:
    """The pages, what moves on them, and their style sheet."""
    reset, replays, intake = beside.reset, beside.replays, beside.intake
    router = APIRouter(include_in_schema=False)
    router.include_router(_agencies(site, reads))
    router.include_router(_files(site))
    router.include_router(_people(site, reads))
    if reset is not None:
        router.include_router(practice_router(site, reads, reset))
    if replays is not None:
        router.include_router(auditor_router(site, reads, replays))
    router.include_router(counter_router(site, reads.access, tickets=intake is not None))
    if intake is not None:
        router.include_router(ticket_router(site, reads, intake))
    router.include_router(signin_router(site, reads.access))
    router.include_router(live_router(LiveBoards(reads, site.words, site.moved, ending), reads, listeners))

    @router.get("/")
    def show_board(request: Request) -> Response:
        def make(asked: Asked) -> Made:
            snapshot, words = asked.snapshot, asked.words
            made = board(snapshot, asked.period, words, asked.chosen.current.name)
            return {"board": made, "feed": feed(snapshot, reads.lines, words)}

        return site.page(request, "board.html", make)

    @router.get("/publik")
    def show_public(request: Request) -> Response:
        return site.shared(request, "public.html", lambda a: {"public": public(a.snapshot, a.period, a.today)})

    @router.get("/static/neraca.css")
    def style(v: str = "") -> Response:
        kept = IMMUTABLE if v == site.style_tag else "no-cache"
        return Response(site.style, 200, {"cache-control": kept, "x-content-type-options": "nosniff"}, "text/css")

    return router


def _agencies(site: Site, reads: Reads) -> APIRouter:
    """The pages of one dinas, with its reasons."""
    router = APIRouter()

    @router.get("/dinas/{dinas}")
    def show_dinas(request: Request, dinas: str) -> Response:
        return site.page(request, "dinas.html", lambda a: _dinas(a, dinas, request))

    @router.get("/dinas/{dinas}/why")
    def show_why_dinas(request: Request, dinas: str) -> Response:
        def make(asked: Asked) -> Made:
            return _why(asked, reads, found(asked.snapshot.one_dinas(dinas, asked.period), dinas))

        return site.page(request, "why.html", make, guarded=True)

    @router.get("/dinas/{dinas}/events")
    def show_events_dinas(request: Request, dinas: str) -> Response:
        def make(asked: Asked) -> Made:
            return _events(asked, reads, found(asked.snapshot.one_dinas(dinas, asked.period), dinas), request)

        return site.page(request, "events.html", make, guarded=True)

    return router


def _files(site: Site) -> APIRouter:
    """The open files of a dinas, and one case."""
    router = APIRouter()

    @router.get("/dinas/{dinas}/files")
    def show_files(request: Request, dinas: str) -> Response:
        def make(asked: Asked) -> Made:
            found(asked.snapshot.one_dinas(dinas, asked.period), dinas)
            shown = open_files(asked.snapshot, dinas, asked.words, asked.now_us, asked.cursor, asked.listed)
            return {"id": dinas, "name": name_of(asked.snapshot, dinas), "files": shown, "cursor": asked.cursor}

        return site.page(request, "files.html", make, guarded=True)

    @router.get("/dinas/{dinas}/file")
    def show_file(request: Request, dinas: str) -> Response:
        service, case = (request.query_params.get(name, "") for name in ("service", "case"))

        def make(asked: Asked) -> Made:
            file = case_view(asked.snapshot, dinas, service, case, asked.words, asked.now_us)
            return {"id": dinas, "name": name_of(asked.snapshot, dinas), "file": file}

        return site.page(request, "file.html", make, guarded=True)

    return router


def _people(site: Site, reads: Reads) -> APIRouter:
    """The pages of one ASN, with their reasons."""
    router = APIRouter()

    @router.get("/asn")
    def find_asn(request: Request, asn: str = "") -> Response:
        if asn.strip():
            link = Links(code_of(request), request)
            return RedirectResponse(link("asn", asn.strip(), **({"tur": link.tour} if link.tour else {})), 303)
        return site.plain(request, "mine.html", {})

    @router.get("/asn/{asn}")
    def show_asn(request: Request, asn: str) -> Response:
        return site.page(request, "asn.html", lambda a: _asn(a, reads, asn), guarded=True)

    @router.get("/asn/{asn}/events")
    def show_events_asn(request: Request, asn: str) -> Response:
        def make(asked: Asked) -> Made:
            return _events(asked, reads, found(asked.snapshot.one_asn(asn, asked.period), asn), request)

        return site.page(request, "events.html", make, guarded=True)

    @router.get("/asn/{asn}/why")
    def show_why_asn(request: Request, asn: str) -> Response:
        def make(asked: Asked) -> Made:
            return _why(asked, reads, found(asked.snapshot.one_asn(asn, asked.period), asn))

        return site.page(request, "why.html", make, guarded=True)

    return router


def _dinas(asked: Asked, dinas: str, request: Request) -> Made:
    snapshot, period, words = asked.snapshot, asked.period, asked.words
    subject = found(read_subject(snapshot, Subject("dinas", dinas), period), dinas)
    view = subject_view(subject, words, asked.chosen.current.name)
    rank, peers = peers_of(snapshot, view.card, period, words)
    by_score = request.query_params.get("order") == "score"
    return {
        "name": name_of(snapshot, dinas), "view": view, "rank": rank, "peers": peers,
        "services": services_of(snapshot, subject.standing, period, asked.today),
        "ahead": snapshot.ahead(dinas, asked.tomorrow_us),
    } | (_of_persons(asked, dinas, by_score=by_score) if asked.may_read else dict.fromkeys(OF_PERSONS))  # fmt: skip


def _of_persons(asked: Asked, dinas: str, *, by_score: bool) -> Made:
    """What a dinas's page tells of files and staff to who may read of persons."""
    snapshot, period, words = asked.snapshot, asked.period, asked.words
    return {
        "files": open_files(snapshot, dinas, words, asked.now_us, None, asked.most(FILES_FIRST)),
        "staff": staff_of(snapshot, dinas, period, asked.cursor, asked.listed, by_score=by_score),
    }


def _asn(asked: Asked, reads: Reads, asn: str) -> Made:
    snapshot, period, words = asked.snapshot, asked.period, asked.words
    subject = found(read_subject(snapshot, Subject("asn", asn), period), asn)
    return {
        "name": asn, "view": subject_view(subject, words, asked.chosen.current.name),
        "places": places_of(snapshot, asn, period, words),
        "files": open_files_of_asn(snapshot, asn, words, asked.now_us, asked.listed),
        "events": events_behind(snapshot, reads, subject.standing, period, words, {}, asked.most(EVENTS_FIRST)),
    }  # fmt: skip


def _events(asked: Asked, reads: Reads, standing: Standing, request: Request) -> Made:
    snapshot, subject = asked.snapshot, standing.subject
    query = dict(request.query_params)
    return {
        "events": events_behind(snapshot, reads, standing, asked.period, asked.words, query, asked.listed), "subject": subject,
        "name": name_of(snapshot, subject.id) if subject.kind == "dinas" else subject.id, "cursor": asked.cursor,
        "filters": {name: query[name] for name in ("service", "measure") if query.get(name)},
    }  # fmt: skip


def _why(asked: Asked, reads: Reads, standing: Standing) -> Made:
    snapshot, period, subject = asked.snapshot, asked.period, standing.subject
    why = explained(snapshot, period, standing, reads.lines, asked.listed, asked.cursor)
    name = name_of(snapshot, subject.id) if subject.kind == "dinas" else subject.id
    return {
        "name": name,
        "receipt": receipt(why, standing, snapshot.scheme(period), asked.words),
        "cursor": asked.cursor,
    }
