"""The site: it finds out who asks for which reading, has the page made, tags it, and draws it in the frame of all pages.

A page loads nothing from another host, and the policy that every answer has forbids that (`api/http/guards.py`).
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec.structs import asdict
from starlette.concurrency import run_in_threadpool

from api.http.conditional import has_any, has_it
from api.http.disclosure import view_of
from api.http.doors import is_plain_beyond
from api.http.guards import mark_for_one
from api.http.operator import is_operators, takes_look_up
from api.http.persons import shown_at
from api.http.problems import PROBLEMS
from api.http.rates import headers_of
from api.pages.catalog import load_labels
from api.pages.csv import csv_response
from api.pages.frame import Frame, PageServices, Reading
from api.pages.links import Caller, Links, code_of
from api.pages.page import FREE, PageQuery
from api.pages.periods import choices, choose
from api.pages.problem import ProblemPage
from api.pages.progress import Progress
from api.pages.shared import SharedPages
from api.pages.tables import LISTED
from api.pages.tours import step_of
from api.pages.words import Words
from domain.access.policy import PUBLIC
from domain.clock import MINUTE_US
from domain.refusal import Fault, Refusal
from projections.reading.backlog import backlog_of
from projections.reading.reversals import Reversals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from api.pages.catalog import Code
    from api.pages.page import Fragment, Need, Page, ReadingPage
    from api.pages.periods import Chosen
    from api.v1.reads import Reads
    from projections.ports import Grant
    from projections.reading.reader import Snapshot

CSV_MOST: Final = 10_000
"""The most rows of a paged list that a spreadsheet gets in one file."""


class Site:
    """Makes pages, and the pages of refusals."""

    def __init__(self, reads: Reads, services: PageServices) -> None:
        self._reads = reads
        self._services = services
        labels, zone = load_labels(), reads.reader.zone
        self.words: dict[Code, Words] = {"id": Words("id", zone, labels), "en": Words("en", zone, labels)}
        self.style = (files("api") / "static" / "neraca.css").read_bytes()
        self.style_tag = hashlib.sha256(self.style).hexdigest()[:12]
        self._templates = Environment(
            loader=PackageLoader("api"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._build = _build_of()
        self._shared = SharedPages(self._state)
        self._reversals = Reversals(reads.lines)
        self._progress = None if services.reset is None else Progress(reads.lines)

    def page(
        self, request: Request, make: Callable[[PageQuery], ReadingPage], *, need: Need = FREE, extra_state: str = ""
    ) -> Response:
        """A page, or the page of its refusal. ``extra_state`` is any state it shows beside the reading: it changes the tag."""
        return self.guarded(request, need, lambda grant: self._read(request, make, grant, extra_state))

    async def shared(
        self, request: Request, make: Callable[[PageQuery], ReadingPage], *, lifetime_s: float = 0.0
    ) -> Response:
        """A page that is made once for all who may see the same; for ``lifetime_s`` it may be one of a position before."""
        try:
            grant = await self._grant(request)
        except Refusal:
            grant = None
            shareable = False
        else:
            # A page that shows more to some is shared by nobody else; in practice each marks what its caller has done.
            shareable = self._progress is None and (grant is None or lifetime_s > 0)
        if not shareable:
            return await run_in_threadpool(self.page, request, make)
        if grant is not None:
            mark_for_one(request.scope)
        caller = f"{'' if grant is None else grant.id} {_marks_of(request)}"
        return await self._shared.answer(request, caller, lambda asked_anew: self.page(asked_anew, make), lifetime_s)

    async def _grant(self, request: Request) -> Grant | None:
        """The caller's grant, looked up beside the event loop if there is anything to look up. Raises: ``Refusal``."""
        if "authorization" in request.headers or "cookie" in request.headers or takes_look_up(request):
            return await run_in_threadpool(self._reads.access.grant, request)
        return self._reads.access.grant(request)

    def _state(self) -> tuple[object, ...]:
        """The state of all that a page shows beside its address and its caller."""
        reads, live = self._reads, self._reads.reader.live
        version, now_us = reads.reader.version(), reads.reader.now_us()
        behind = backlog_of(live, reads.lines, version.position, now_us)
        return version, now_us // MINUTE_US, behind, self._services.notice(), live.stopped

    def guarded(self, request: Request, need: Need, make: Callable[[Grant | None], Response]) -> Response:
        """An answer to a caller who may have it; or the page of the refusal."""
        access = self._reads.access
        try:
            grant = access.grant(request) if need.action in PUBLIC else access.require(request, *need)
            if grant is not None:
                mark_for_one(request.scope)
            response = make(grant)
        except Refusal as refusal:
            return self.refused(request, refusal, need=need)
        if self._progress is not None and response.status_code in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            self._progress.remember(request, response, self._reads.reader.live.journal)
        return response

    def unread(self, request: Request, make: Callable[[], Response]) -> Response:
        """An answer without a reading, open to every caller; or the page of its refusal."""
        try:
            return make()
        except Refusal as refusal:
            return self.refused(request, refusal)

    def plain(
        self, request: Request, page: Page, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """A page without a reading."""
        return self._html(request, page, status, {**(headers or {}), "cache-control": "no-store"})

    def refused(
        self, request: Request, refusal: Refusal, headers: Mapping[str, str] | None = None, need: Need = FREE
    ) -> Response:
        """The page of a refusal; ``need`` is what the caller had to be allowed."""
        status, _ = PROBLEMS[refusal.slug]
        response_headers = {**headers_of(refusal), **(headers or {}), "cache-control": "no-store"}
        if refusal.slug == "unauthorized":
            response_headers["www-authenticate"] = 'Bearer realm="neraca"'
        page = ProblemPage.of(refusal, request, self.words[code_of(request)], need.action)
        return self._html(request, page, status, response_headers)

    def fragment(self, part: Fragment, code: Code, grant: Grant | None = None) -> str:
        """A part of a page for callers with a grant, in one line."""
        template = self._templates.get_template(part.template)
        link = Links(code, caller=self._caller(grant))
        return template.render(t=self.words[code], link=link, **asdict(part)).replace("\n", "")

    def _read(
        self, request: Request, make: Callable[[PageQuery], ReadingPage], grant: Grant | None, extra_state: str
    ) -> Response:
        reads, words, parameters = self._reads, self.words[code_of(request)], request.query_params
        text, table = parameters.get("period"), parameters.get("csv")
        period, live = None if text is None else reads.period(text), reads.reader.live
        notice, has_stopped = self._services.notice(), live.stopped is not None
        view = view_of(grant)
        with reads.reader.snapshot(published=view.published, own=view.own) as snapshot:
            now_us = snapshot.now_us
            current, behind = reads.reader.month(now_us), backlog_of(live, reads.lines, snapshot.position, now_us)
            progress = ",".join(sorted(self._practised(request)))
            marks = (self._build, progress, extra_state, _marks_of(request))
            caller = (
                f"{grant.id if grant else ''} {view.name}",
                notice or "",
                str(has_stopped),
                str(behind),
                *marks,
            )
            scope = (current.name, str(now_us // MINUTE_US), request.url.path, request.url.query, *caller)
            tag = f'"{snapshot.version.tag("page", *scope)}"'
            headers = {"etag": tag, "cache-control": "private, no-cache", "vary": "authorization, cookie"}
            conditions = request.headers.getlist("if-none-match")
            if has_it(conditions, tag):
                return Response(status_code=304, headers=headers)
            choice = choose(snapshot, period, current)
            page = make(self._query(request, snapshot, grant, choice))
            if has_any(conditions):
                return Response(status_code=304, headers=headers)
            if table is not None:
                return _as_csv(request, page, table, words, choice.period.name, headers)
            periods = choices(snapshot.months(), choice, words)
            reading = Reading(snapshot.position, now_us, choice.period, choice, periods, behind, notice, has_stopped)
        return self._html(request, page, 200, headers, reading)

    def _query(self, request: Request, snapshot: Snapshot, grant: Grant | None, choice: Chosen) -> PageQuery:
        """The question of a page, asked of the reading as far as the caller is shown it."""
        path, parameters, words = request.path_params, request.query_params, self.words[code_of(request)]
        row_count, lines, now_us = CSV_MOST if "csv" in parameters else LISTED, self._reads.lines, snapshot.now_us
        reading, faces = shown_at(grant, snapshot, path, choice.period)
        return PageQuery(
            reading,
            lines,
            choice.period,
            choice,
            words,
            grant,
            path,
            parameters,
            now_us,
            row_count,
            self._reversals,
            faces,
        )

    def _html(
        self, request: Request, page: Page, status: int, headers: dict[str, str], reading: Reading | None = None
    ) -> Response:
        away = status >= HTTPStatus.INTERNAL_SERVER_ERROR  # who is signed in is then not known either
        account, code = None if away else self._reads.access.signed_in(request), code_of(request)
        practice = self._services.reset is not None
        frame = Frame(
            self.words[code],
            Links(code, request, self._caller(None if away else self.grant(request))),
            self.style_tag,
            simulated=self._services.simulated,
            practice=practice,
            signed=account.id if account else "",
            at_machine=is_operators(request),
            plain=is_plain_beyond(request),
            step=step_of(request.query_params.get("tur", "")) if practice else None,
            practised=frozenset() if away else self._practised(request),
        )
        names = asdict(frame) | (asdict(reading) if reading else {}) | asdict(page)
        body = self._templates.get_template(page.template).render(names)
        return HTMLResponse(body, status, {**headers, "content-language": code})

    def _practised(self, request: Request) -> frozenset[str]:
        """The steps of the tours that are done; none outside practice."""
        return frozenset() if self._progress is None else self._progress.of(request, self._reads.reader.live.journal)

    def grant(self, request: Request) -> Grant | None:
        """The grant of the caller; none for nobody, and for a token that is not known."""
        try:
            return self._reads.access.grant(request)
        except Refusal:
            return None

    def _caller(self, grant: Grant | None) -> Caller:
        return Caller(grant, self._reads.reader.now_us())


def _as_csv(request: Request, page: Page, name: str, words: Words, period: str, headers: dict[str, str]) -> Response:
    """A table of a page for a spreadsheet. Raises: ``Refusal`` for a table that the page does not have."""
    make = page.tables(words).get(name)
    if make is None:
        raise Refusal(
            "invalid-query", f"csv: this page has no table {name}", Fault("/csv", "is none of this page's tables")
        )
    table, rows = make(), []
    if table.rest is not None:  # a list is never cut without a word
        rest = Links(words.code, request).rest(name, table.rest, table.page)
        rows = [(words("csv.cut", n=len(table.rows), address=rest),)]
    file = "-".join(("neraca", *request.path_params.values(), name, period))
    return csv_response(file, table.head, [*table.rows, *rows], words.code, headers)


def _marks_of(request: Request) -> str:
    """The marks around a page that depend on the way to it."""
    return f"{is_operators(request)} {is_plain_beyond(request)}"


def _build_of() -> str:
    """A hash of all that pages are made with: another build never answers 304 to a page of this one."""
    room = files("api")
    folders = (room / "templates", room / "locale", room / "static" / "loket")
    sources = [room / "static" / "neraca.css"]
    sources += (file for folder in folders for file in sorted(folder.iterdir(), key=lambda file: file.name))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
