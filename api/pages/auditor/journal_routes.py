"""The journal's addresses: its list, one entry, and the bytes of an entry to take away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.pages.auditor.entry import EntryPage, hashed_bytes, stored
from api.pages.auditor.journal import AUDIT, JournalPage
from domain.intake.recorded import read_line

if TYPE_CHECKING:
    from api.pages.site import Site
    from api.v1.reads import Reads

PLAIN: Final = {"cache-control": "no-store"}


def journal_router(site: Site, reads: Reads) -> APIRouter:
    """The journal, and its entries."""
    router = APIRouter()

    @router.get("/auditor/journal", response_class=HTMLResponse)
    def show_journal(request: Request) -> Response:
        head = reads.lines.head()
        return site.page(request, lambda query: JournalPage.of(query, head), need=AUDIT, extra_state=str(head))

    @router.get("/auditor/journal/{position}", response_class=HTMLResponse)
    def show_entry(request: Request, position: str) -> Response:
        head = reads.lines.head()
        return site.page(request, lambda query: EntryPage.of(query, position, head), need=AUDIT, extra_state=str(head))

    @router.get("/auditor/journal/{position}/line")
    def take_line(request: Request, position: str) -> Response:
        def line_of(_: object) -> Response:
            at, line = stored(reads.lines, position)
            return _download(line, f"posisi-{at}.json")

        return site.guarded(request, AUDIT, line_of)

    @router.get("/auditor/journal/{position}/canonical")
    def take_canonical(request: Request, position: str) -> Response:
        def bytes_of(_: object) -> Response:
            at, line = stored(reads.lines, position)
            return _download(hashed_bytes(read_line(line)), f"posisi-{at}-kanonik.json")

        return site.guarded(request, AUDIT, bytes_of)

    return router


def _download(body: bytes, name: str) -> Response:
    """A file to keep, exactly these bytes."""
    headers = {**PLAIN, "content-disposition": f'attachment; filename="{name}"'}
    return Response(body, 200, headers, "application/json")
