"""Files that an auditor takes away: the journal, the lines of a digest, and then and now of every unit as a table."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse

from api.http.problems import bad_query
from api.pages.auditor.journal import AUDIT, position_of
from api.pages.auditor.journal_routes import PLAIN
from api.pages.auditor.question import question_in
from api.pages.auditor.replay import units_table
from api.pages.csv import csv_response
from api.pages.links import code_of
from domain.events.decoding import StoppedAtEntry
from domain.intake.recorded import exported
from projections.ports import Done, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.datastructures import QueryParams

    from api.pages.site import Site
    from api.pages.words import Words
    from api.v1.reads import Reads
    from projections.ports import Lines, Replays

EXPORTED_AT_ONCE: Final = 1000


def downloads_router(site: Site, reads: Reads, replays: Replays) -> APIRouter:
    """The addresses of files; an answer that is not there yet is replayed on the desk first."""
    router = APIRouter()

    @router.get("/auditor/journal.ndjson")
    def take_journal(request: Request) -> Response:
        return site.guarded(request, AUDIT, lambda _: _journal(reads, request.query_params))

    @router.get("/auditor/digest.ndjson")
    def take_lines(request: Request) -> Response:
        def file(_: object) -> Response:
            return _lines(reads, replays, request.query_params) or _to_desk(request)

        return site.guarded(request, AUDIT, file)

    @router.get("/auditor/differences.csv")
    def take_differences(request: Request) -> Response:
        def table(_: object) -> Response:
            words = site.words[code_of(request)]
            return _differences(reads, replays, request.query_params, words) or _to_desk(request)

        return site.guarded(request, AUDIT, table)

    return router


def _to_desk(request: Request) -> Response:
    return RedirectResponse(f"/auditor?{request.url.query}", 303)


def _lines(reads: Reads, replays: Replays, query: QueryParams) -> Response | None:
    """The lines that were kept of a digest; ``None`` if they are not there."""
    question = question_in(reads, query)
    path = None if question is None else replays.kept_file(question.until, question.digest)
    if question is None or path is None:
        return None
    name = f"digest-{question.digest[:8]}.ndjson"
    return FileResponse(path, headers=PLAIN, media_type="application/x-ndjson", filename=name)


def _differences(reads: Reads, replays: Replays, query: QueryParams, words: Words) -> Response | None:
    """Then and now of every unit; ``None`` if the replay has not ended."""
    question = question_in(reads, query)
    state = None if question is None else replays.ask(question, begin=False)
    if question is None or not isinstance(state, Done):
        return None
    with reads.reader.snapshot() as snapshot:
        table = units_table(question, state.replayed, snapshot, words)
    name = f"perbedaan-{question.period}-{state.replayed.position}"
    return csv_response(name, table.head, table.rows, words.code, PLAIN)


def _journal(reads: Reads, query: QueryParams) -> Response:
    """The journal up to a position, as it is exported. Raises: ``Refusal``; ``Unavailable`` where its first lines were changed.

    It is cut off at a later line that was changed, so that no client takes it for the whole.
    """
    head, text = reads.lines.head(), query.get("until", "").strip()
    until = position_of(text) if text else head
    if until is None or not 0 < until <= head:
        raise bad_query("until", "must be a position of the journal")
    name = f"jurnal-{reads.reader.live.journal[:8]}-{until}.ndjson"
    headers = {**PLAIN, "content-disposition": f'attachment; filename="{name}"'}
    pages = _exported(reads.lines, until)
    try:
        first = next(pages, b"")
    except StoppedAtEntry as error:
        raise Unavailable(str(error)) from error
    return StreamingResponse(chain((first,), pages), 200, headers, "application/x-ndjson")


def _exported(lines: Lines, until: int) -> Iterator[bytes]:
    """The exported journal, a thousand lines in memory at once."""
    position = 0
    while page := lines.lines(position, EXPORTED_AT_ONCE, until):
        yield b"".join(exported(line, at) + b"\n" for at, line in page)
        position = page[-1][0]
