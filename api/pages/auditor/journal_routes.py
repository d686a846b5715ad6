"""The journal's pages: its list, and one entry with its bytes. They need the scope `audit`, as all of an auditor's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response

from api.pages.auditor.journal import ROWS, asked_of, hashed_bytes, kinds, listed, stored, whole_entry
from api.pages.auditor.question import opened_at
from api.pages.drawing import name_of
from domain.clock import local_date
from domain.intake.recorded import read_line

if TYPE_CHECKING:
    from api.pages.site import Asked, Made, Site
    from api.v1.reads import Reads
    from projections.reading.reader import Snapshot

AUDIT: Final = "audit"
PLAIN: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def journal_router(site: Site, reads: Reads) -> APIRouter:
    """The journal, and its entries."""
    router = APIRouter()
    router.include_router(_entries(site, reads))

    @router.get("/auditor/journal")
    def show_journal(request: Request) -> Response:
        head = reads.lines.head()

        def make(asked: Asked) -> Made:
            wanted = asked_of(request.query_params, asked.words)
            found = listed(asked.snapshot, reads.lines, head, wanted, asked.words, asked.most(ROWS))
            return {"asked": wanted, "listed": found, "size": ROWS, **about_journal(reads, asked, head)}

        return site.page(request, "journal.html", make, guarded=True, scope=AUDIT, seen=str(head))

    return router


def _entries(site: Site, reads: Reads) -> APIRouter:
    """One entry, and its bytes."""
    router = APIRouter()

    @router.get("/auditor/journal/{position}")
    def show_entry(request: Request, position: str) -> Response:
        head = reads.lines.head()

        def make(asked: Asked) -> Made:
            entry = whole_entry(asked.snapshot, reads.lines, position, head, asked.words)
            return {"entry": entry, "zone": zone_of(asked)}

        return site.page(request, "entry.html", make, guarded=True, scope=AUDIT, seen=str(head))

    @router.get("/auditor/journal/{position}/line")
    def take_line(request: Request, position: str) -> Response:
        def make(_: object) -> Response:
            at, line = stored(reads.lines, position)
            return taken(line, f"posisi-{at}.json", "application/json")

        return site.guarded(request, AUDIT, make)

    @router.get("/auditor/journal/{position}/canonical")
    def take_canonical(request: Request, position: str) -> Response:
        def make(_: object) -> Response:
            at, line = stored(reads.lines, position)
            return taken(hashed_bytes(read_line(line)), f"posisi-{at}-kanonik.json", "application/json")

        return site.guarded(request, AUDIT, make)

    return router


def taken(body: bytes, name: str, media: str) -> Response:
    """A file to keep, exactly these bytes."""
    return Response(body, 200, {**PLAIN, "content-disposition": f'attachment; filename="{name}"'}, media)


def about_journal(reads: Reads, asked: Asked, head: int) -> dict[str, Any]:
    """What every page of the journal says of it, and what its filters offer."""
    words, snapshot = asked.words, asked.snapshot
    return {
        "head": head, "journal": snapshot.version.journal[:13], "opened": words.day(local_date(opened_at(reads.lines), words.zone)),
        "zone": zone_of(asked), "dinas": units(snapshot, asked), "kinds": kinds(words),
    }  # fmt: skip


def zone_of(asked: Asked) -> str:
    """``WIB``: how the zone of the pages is written."""
    return asked.words.moment(asked.now_us).rpartition(" ")[2]


def units(snapshot: Snapshot, asked: Asked) -> list[tuple[str, str]]:
    """Every dinas that is registered or has figures in the period, by name."""
    ids = {*snapshot.rulebook.dinas(), *(standing.subject.id for standing in snapshot.dinas(asked.period))}
    return sorted(((one, name_of(snapshot, one)) for one in ids), key=lambda pair: (pair[1], pair[0]))
