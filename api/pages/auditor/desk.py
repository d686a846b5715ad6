"""The auditor's desk: a replay to a chosen instant beside today's figures, a digest beside the served one, and what to take away.

What is asked stands in the address, so a page that waits is asked again by itself, and an answer can be passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse, StreamingResponse
from msgspec import Struct

from api.http.problems import bad_query
from api.pages.auditor.journal import asked_of, position_of, row
from api.pages.auditor.journal_routes import AUDIT, PLAIN, about_journal, journal_router
from api.pages.auditor.question import address, asking, begun, opened_at, question_of
from api.pages.auditor.replay import causes, compared, grouped, indicators_of, moved, table_of
from api.pages.auditor.search import Wanted, searched
from api.pages.csv import csv_response
from domain.intake.recorded import exported
from domain.periods import parse_period
from projections.ports import Done, Failed, Running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.datastructures import QueryParams

    from api.pages.auditor.replay import Comparison
    from api.pages.site import Asked, Made, Site
    from api.pages.words import Words
    from api.v1.reads import Reads
    from projections.ports import Lines, Question, Replays

REFRESH_S: Final = 2
ROWS: Final = 10
EXPORTED_AT_ONCE: Final = 1000
OF_AN_ANSWER: Final = frozenset({"indicators", "digest"})
"""Tables of a replay that has ended; one that has not is no table of nothing."""
_STARTS: Final = frozenset({"at", "position", "check"})

State = Running | Done | Failed | None


def auditor_router(site: Site, reads: Reads, replays: Replays) -> APIRouter:
    """The desk, what is taken away from it, and the journal."""
    router = APIRouter()
    router.include_router(_taking(site, reads, replays))
    router.include_router(journal_router(site, reads))

    @router.get("/auditor")
    def show_desk(request: Request) -> Response:
        def make(_: object) -> Response:
            query, by_reader = request.query_params, _by_reader(request)
            if by_reader and "until" not in query and any(query.get(name) for name in _STARTS):
                return RedirectResponse(_begun(site, reads, replays, query), 303)
            question, table = _asked_in(reads, query), query.get("csv")
            state = None if question is None else replays.ask(question, begin=by_reader and table is None)
            if table in OF_AN_ANSWER and not isinstance(state, Done):
                return RedirectResponse(_without_table(query), 303)  # it is replayed there first
            desk = Desk(question, state, query.get("pick", ""), query.get("still") == "1", reads.lines.head())
            return site.page(
                request, "auditor.html", lambda asked: _desk(asked, reads, replays, desk), guarded=True, scope=AUDIT,
                seen=f"{desk.head} {_seen(state)} {[done.at_us for _, done in replays.finished()[:1]]}",
            )  # fmt: skip

        return site.guarded(request, AUDIT, make)

    return router


def _asked_in(reads: Reads, query: QueryParams) -> Question | None:
    """What an address asks for. Raises: ``Refusal``."""
    reader = reads.reader
    return question_of(query, reader.live.position, reads.period(query.get("period")).name, reader.zone)


class Desk(Struct, frozen=True):
    """What the desk was asked for, and how it stands; ``picked`` is the unit that is told in full."""

    question: Question | None
    state: State
    picked: str
    still: bool
    head: int


def _without_table(query: QueryParams) -> str:
    """The address of the page whose table is asked for."""
    kept = [(name, value) for name, value in query.multi_items() if name != "csv"]
    return f"/auditor?{urlencode(kept)}" if kept else "/auditor"


def _by_reader(request: Request) -> bool:
    """Whether a reader asks: a replay is begun by no other site's page, and by no browser that loads ahead."""
    headers = request.headers
    foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return not foreign and "prefetch" not in headers.get("sec-purpose", "")


def _begun(site: Site, reads: Reads, replays: Replays, query: QueryParams) -> str:
    """The address of the answer that a form asks for, its replay begun. Raises: ``Refusal``."""
    asked = {**query, "period": reads.period(query.get("period")).name}
    with reads.reader.snapshot() as snapshot:
        return begun(snapshot, reads.lines, replays, asked, _words(site, query), reads.reader.now_us())


def _words(site: Site, query: QueryParams) -> Words:
    return site.words["en" if query.get("lang") == "en" else "id"]


def _seen(state: State) -> str:
    """A state, as far as two pages of it differ."""
    if isinstance(state, Running):
        return f"{state.events} {state.took_s:.1f} {state.other}"
    return "" if state is None else type(state).__name__


def _desk(asked: Asked, reads: Reads, replays: Replays, desk: Desk) -> Made:
    snapshot, words, question, state = asked.snapshot, asked.words, desk.question, desk.state
    period = asked.period if question is None else parse_period(question.period)
    made: dict[str, Any] = {
        "question": question, "asking": asking(question, period, opened_at(reads.lines), words, asked.now_us), "scored": period,
        "address": {} if question is None else address(question, words), "still": desk.still,
        "running": state if isinstance(state, Running) else None, "failed": state if isinstance(state, Failed) else None,
        "done": state if isinstance(state, Done) else None, "moved": None, "compared": None, "refresh_s": REFRESH_S,
        "total": int(question.until) if question is not None and question.until.isdigit() else None,
        "others": _compared(replays, [one for one in replays.finished() if one[0] != question], asked),
        "grouped": grouped, "causes": causes, "indicators": (), "fields": asked_of({}, words).fields,
        "rows": [row(snapshot, entry, words) for entry in searched(reads.lines, Wanted(), desk.head + 1, ROWS).entries],
        **about_journal(reads, asked, desk.head),
    }  # fmt: skip
    if question is not None and isinstance(state, Done):
        told = moved(question, state.replayed, snapshot, desk.picked)
        made |= {"moved": told, "compared": next(iter(_compared(replays, [(question, state)], asked)), None)}
        made["indicators"] = indicators_of(told.picked, words) if told and told.picked else ()
    return made


def _compared(replays: Replays, answers: list[tuple[Question, Done]], asked: Asked) -> list[Comparison]:
    """Of some answers, those that were asked of a digest."""
    return [
        compared(question, done, replays.kept_at(question.until, question.digest), asked.words, asked.snapshot)
        for question, done in answers
        if question.digest
    ]


def _taking(site: Site, reads: Reads, replays: Replays) -> APIRouter:
    """What is taken away: the journal, the lines of a digest, and then and now as a table."""
    router = APIRouter()

    @router.get("/auditor/journal.ndjson")
    def take_journal(request: Request) -> Response:
        return site.guarded(request, AUDIT, lambda _: _journal(reads, request.query_params))

    @router.get("/auditor/digest.ndjson")
    def take_lines(request: Request) -> Response:
        def make(_: object) -> Response:
            question = _asked_in(reads, request.query_params)
            kept = None if question is None else replays.kept_file(question.until, question.digest)
            if question is None or kept is None:
                return RedirectResponse(f"/auditor?{request.url.query}", 303)
            name = f"digest-{question.digest[:8]}.ndjson"
            return FileResponse(kept, headers=PLAIN, media_type="application/x-ndjson", filename=name)

        return site.guarded(request, AUDIT, make)

    @router.get("/auditor/differences.csv")
    def take_differences(request: Request) -> Response:
        def make(_: object) -> Response:
            question, words = _asked_in(reads, request.query_params), _words(site, request.query_params)
            state = None if question is None else replays.ask(question, begin=False)
            if question is None or not isinstance(state, Done):
                return RedirectResponse(f"/auditor?{request.url.query}", 303)  # it is replayed there first
            with reads.reader.snapshot() as snapshot:
                head, rows = table_of(question, state.replayed, snapshot, words)
                name = f"perbedaan-{question.period}-{state.replayed.position}"
                return csv_response(name, head, rows, words.code, PLAIN)

        return site.guarded(request, AUDIT, make)

    return router


def _journal(reads: Reads, query: QueryParams) -> Response:
    """The journal up to a position, as it is exported. Raises: ``Refusal``."""
    head, text = reads.lines.head(), query.get("until", "").strip()
    until = position_of(text) if text else head
    if until is None or not 0 < until <= head:
        raise bad_query("until", "must be a position of the journal")
    name = f"jurnal-{reads.reader.live.journal[:8]}-{until}.ndjson"
    headers = {**PLAIN, "content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_exported(reads.lines, until), 200, headers, "application/x-ndjson")


def _exported(lines: Lines, until: int) -> Iterator[bytes]:
    """The journal as it is exported, a thousand lines in memory at once."""
    position = 0
    while page := lines.lines(position, EXPORTED_AT_ONCE, until):
        yield b"".join(exported(line, at) + b"\n" for at, line in page)
        position = page[-1][0]
