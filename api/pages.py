"""The pages: board, dinas, ASN, and why; rendered here, without script, every figure one the API serves.

An error of a page is a page. Nothing is loaded from anywhere else, and the policy sent along forbids it.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from api.page_auditor import auditor_router
from api.page_live import LiveBoards, live_router
from api.page_periods import choices, choose
from api.page_public import public
from api.page_receipt import receipt
from api.page_subjects import LISTED, peers_of, places_of, services_of, staff_of, subject_view
from api.page_text import Words, load_labels
from api.page_views import board, name_of
from api.problems import PROBLEMS
from api.reads import explained, found
from domain.clock import local_date
from domain.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from prometheus_client import Gauge

    from api.page_periods import Chosen
    from api.page_text import Code
    from api.reads import Reads
    from api.stream import Ending
    from domain.periods import Period
    from domain.scorecard import Standing
    from projections.ports import Grant, Replays
    from projections.reader import Snapshot

MINUTE_US: Final = 60_000_000
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
GUARDS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
IMMUTABLE: Final = "public, max-age=31536000, immutable"


class Links:
    """Addresses of pages that keep the language; ids stand in them verbatim, percent-encoded."""

    def __init__(self, code: Code, request: Request | None = None) -> None:
        self._request = request
        self._code = code

    def __call__(self, *steps: str, **query: str) -> str:
        """The address of a page."""
        query |= {"lang": "en"} if self._code == "en" else {}
        path = "/" + "/".join(quote(step, safe="") for step in steps)
        return f"{path}?{urlencode(query)}" if query else path

    def data(self, *steps: str, **query: str) -> str:
        """The address of the same in the API."""
        return f"/v1/{'/'.join(quote(step, safe='') for step in steps)}?{urlencode(query)}"

    def here(self, code: Code) -> str:
        """The page at hand, in a language."""
        assert self._request is not None, "a page was asked for"  # noqa: S101 - for the type checker
        query = [(name, value) for name, value in self._request.query_params.multi_items() if name != "lang"]
        query += [("lang", "en")] if code == "en" else []
        path = quote(self._request.scope["path"])
        return f"{path}?{urlencode(query)}" if query else path


class Asked(Struct, frozen=True):
    """A page asked for: of which reading, period and language, and whether the caller may read of persons."""

    snapshot: Snapshot
    period: Period
    chosen: Chosen
    words: Words
    may_read: bool
    cursor: str | None
    now_us: int

    @property
    def today(self) -> date:
        """The day in the zone of the pages."""
        return local_date(self.now_us, self.words.zone)


Made = dict[str, Any]


class Site:
    """What every page shares: templates, words, who is asking, the entity tag, and errors as pages."""

    def __init__(self, reads: Reads, *, simulated: bool, notice: Callable[[], str | None]) -> None:
        self._reads = reads
        self._simulated = simulated
        self._notice = notice
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

    def page(
        self, request: Request, template: str, make: Callable[[Asked], Made], *, guarded: bool = False, scope: str = "read",
        seen: str = "",
    ) -> Response:  # fmt: skip
        """A page, or the page of its refusal; ``seen`` is what it shows beside the reading."""
        return self.guarded(
            request, scope if guarded else "", lambda grant: self._made(request, template, make, grant, seen)
        )

    def guarded(self, request: Request, scope: str, make: Callable[[Grant | None], Response]) -> Response:
        """What is made for who holds a scope, where one is needed, or the page of the refusal."""
        access = self._reads.access
        try:
            return make(access.require(request, scope) if scope else access.grant(request))
        except Refusal as refusal:
            return self._refused(request, refusal, _code(request), scope)

    def _made(
        self, request: Request, template: str, make: Callable[[Asked], Made], grant: Grant | None, also: str
    ) -> Response:
        reads, code = self._reads, _code(request)
        words = self.words[code]
        may_read = grant is not None and "read" in grant.scopes
        text = request.query_params.get("period")
        asked, current = None if text is None else reads.period(text), reads.period(None)
        now_us, notice, stopped = reads.reader.now_us(), self._notice(), reads.reader.live.stopped is not None
        with reads.reader.snapshot() as snapshot:
            seen = (request.url.path, request.url.query, str(may_read), notice or "", str(stopped), self._build, also)
            tag = f'"{snapshot.version.tag("page", current.name, str(now_us // MINUTE_US), *seen)}"'
            headers = {**GUARDS, "etag": tag, "cache-control": "private, no-cache", "vary": "authorization"}
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            chosen = choose(snapshot, asked, current)
            cursor = request.query_params.get("cursor")
            made = make(Asked(snapshot, chosen.period, chosen, words, may_read, cursor, now_us))
            made |= {
                "position": snapshot.position, "chosen": chosen, "period": chosen.period,
                "choices": choices(snapshot.months(), chosen, words),
            }  # fmt: skip
        return self._html(request, template, code, 200, headers, read_us=now_us, notice=notice, stopped=stopped, **made)

    def _refused(self, request: Request, refusal: Refusal, code: Code, scope: str) -> Response:
        status, _ = PROBLEMS[refusal.slug]
        headers = {**GUARDS, "cache-control": "no-store"}
        if refusal.slug == "unauthorized":
            headers["www-authenticate"] = 'Bearer realm="neraca"'
        subject = request.path_params.get("dinas") or request.path_params.get("asn") or ""
        field = refusal.faults[0].pointer.removeprefix("/") if refusal.faults else refusal.slug
        values = {"subject": subject, "value": request.query_params.get(field, "")}
        if scope == "audit" and field in ("unauthorized", "forbidden"):
            field += "-audit"
        text = self.words[code](f"problem.{field}-text", **values)
        return self._html(request, "problem.html", code, status, headers, slug=refusal.slug, text=text)

    def moved(self, code: Code, **said: object) -> str:
        """What of the board has moved, as HTML that names its places, in one line."""
        rows: Any = self._templates.get_template("rows.html").module
        return str(rows.message(self.words[code], Links(code), **said)).replace("\n", "")

    def _html(
        self, request: Request, template: str, code: Code, status: int, headers: dict[str, str], **made: object
    ) -> Response:
        body = self._templates.get_template(template).render(
            t=self.words[code], link=Links(code, request), style=self.style_tag, simulated=self._simulated, **made
        )
        return HTMLResponse(body, status, {**headers, "content-language": code})


def pages_router(  # noqa: C901 - one function a route
    reads: Reads, ending: Ending, listeners: Gauge, *,
    simulated: bool = False, notice: Callable[[], str | None] = lambda: None, replays: Replays | None = None,
) -> APIRouter:  # fmt: skip
    """The pages, what moves on them, and their style sheet; the auditor's where replays can be made."""
    site = Site(reads, simulated=simulated, notice=notice)
    router = APIRouter(include_in_schema=False)
    if replays is not None:
        router.include_router(auditor_router(site, reads, replays))
    router.include_router(live_router(LiveBoards(reads, site.words, site.moved, ending), reads, listeners))

    @router.get("/")
    def show_board(request: Request) -> Response:
        return site.page(request, "board.html", lambda a: {"board": board(a.snapshot, a.period, a.words)})

    @router.get("/publik")
    def show_public(request: Request) -> Response:
        return site.page(request, "public.html", lambda a: {"public": public(a.snapshot, a.period, a.today)})

    @router.get("/dinas/{dinas}")
    def show_dinas(request: Request, dinas: str) -> Response:
        return site.page(request, "dinas.html", lambda a: _dinas(a, dinas))

    @router.get("/dinas/{dinas}/why")
    def show_why_dinas(request: Request, dinas: str) -> Response:
        def make(asked: Asked) -> Made:
            return _why(asked, reads, found(asked.snapshot.one_dinas(dinas, asked.period), dinas))

        return site.page(request, "why.html", make, guarded=True)

    @router.get("/asn/{asn}")
    def show_asn(request: Request, asn: str) -> Response:
        return site.page(request, "asn.html", lambda a: _asn(a, asn), guarded=True)

    @router.get("/asn/{asn}/why")
    def show_why_asn(request: Request, asn: str) -> Response:
        def make(asked: Asked) -> Made:
            return _why(asked, reads, found(asked.snapshot.one_asn(asn, asked.period), asn))

        return site.page(request, "why.html", make, guarded=True)

    @router.get("/static/neraca.css")
    def style(v: str = "") -> Response:
        kept = IMMUTABLE if v == site.style_tag else "no-cache"
        return Response(site.style, 200, {"cache-control": kept, "x-content-type-options": "nosniff"}, "text/css")

    return router


def _dinas(asked: Asked, dinas: str) -> Made:
    snapshot, period, words = asked.snapshot, asked.period, asked.words
    view = subject_view(snapshot, found(snapshot.one_dinas(dinas, period), dinas), period, words)
    rank, peers = peers_of(snapshot, view.card, period, words)
    return {
        "name": name_of(snapshot, dinas), "view": view, "rank": rank, "peers": peers,
        "services": services_of(snapshot, dinas, period, asked.today),
        "staff": staff_of(snapshot, dinas, period, asked.cursor) if asked.may_read else None,
    }  # fmt: skip


def _asn(asked: Asked, asn: str) -> Made:
    snapshot, period = asked.snapshot, asked.period
    view = subject_view(snapshot, found(snapshot.one_asn(asn, period), asn), period, asked.words)
    return {"name": asn, "view": view, "places": places_of(snapshot, asn, period)}


def _why(asked: Asked, reads: Reads, standing: Standing) -> Made:
    snapshot, period, subject = asked.snapshot, asked.period, standing.subject
    why = explained(snapshot, period, standing, reads.lines, LISTED, asked.cursor)
    name = name_of(snapshot, subject.id) if subject.kind == "dinas" else subject.id
    return {
        "name": name,
        "receipt": receipt(why, standing, snapshot.scheme(period), asked.words),
        "cursor": asked.cursor,
    }


def _code(request: Request) -> Code:
    return "en" if request.query_params.get("lang") == "en" else "id"


def _build_of() -> str:
    """What the pages are made with: another build of them never answers 304 to a page of this one."""
    room = files("api")
    sources = [room / "static" / "neraca.css", *sorted((room / "templates").iterdir(), key=lambda file: file.name)]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
