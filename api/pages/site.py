"""What every page shares: templates, words, who is asking, the entity tag, addresses, and errors as pages.

Nothing is loaded from anywhere else, and the policy sent along forbids it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, time, timedelta
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from msgspec import Struct

from api.http.access import is_local
from api.http.problems import PROBLEMS
from api.pages.csv import csv_response
from api.pages.kept import KeptPages
from api.pages.periods import choices, choose
from api.pages.tables import TABLES
from api.pages.tours import step_of
from api.pages.words import Words, load_labels
from domain.clock import instant_of, local_date
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from api.pages.periods import Chosen
    from api.pages.words import Code
    from api.v1.reads import Reads
    from domain.periods import Period
    from projections.ports import Grant
    from projections.reading.reader import Snapshot

MINUTE_US: Final = 60_000_000
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
GUARDS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",  # without any, a form sent over plain HTTP names no origin, and is refused
}
LISTED: Final = 50
CSV_MOST: Final = 10_000
"""How many rows of a paged list a page shows, and a spreadsheet gets."""
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

    @property
    def tour(self) -> str:
        """The step of a tour that the page at hand is shown in; a form of the page keeps it."""
        return "" if self._request is None else self._request.query_params.get("tur", "")

    def here(self, code: Code) -> str:
        """The page at hand, in a language."""
        return self._here(code)

    def table(self, name: str) -> str:
        """A table of the page at hand, for a spreadsheet; of a paged list from its beginning."""
        return self._here(self._code, csv=name)

    def rest(self, name: str, cursor: str, page: tuple[str, ...]) -> str:
        """Where a table goes on that is too long for one file, on the page at hand or on another."""
        if not page:
            return self._here(self._code, csv=name, cursor=cursor)
        period = "" if self._request is None else self._request.query_params.get("period", "")
        return self(*page, csv=name, cursor=cursor, **({"period": period} if period else {}))

    def _here(self, code: Code, **more: str) -> str:
        assert self._request is not None, "a page was asked for"  # noqa: S101 - for the type checker
        left_out = {"lang", *more, *(("cursor",) if more else ())}
        query = [(name, value) for name, value in self._request.query_params.multi_items() if name not in left_out]
        query += [*more.items(), *([("lang", "en")] if code == "en" else [])]
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
    listed: int

    @property
    def today(self) -> date:
        """The day in the zone of the pages."""
        return local_date(self.now_us, self.words.zone)

    @property
    def tomorrow_us(self) -> int:
        """When the next day begins in the zone of the pages."""
        return instant_of(datetime.combine(self.today + timedelta(days=1), time(), self.words.zone))

    def most(self, shown: int) -> int:
        """How many rows of a list are made: as many as its page shows, or as a spreadsheet gets."""
        return shown if self.listed == LISTED else self.listed


Made = dict[str, Any]


class Site:
    """What every page shares: templates, words, who is asking, the entity tag, and errors as pages."""

    def __init__(
        self, reads: Reads, *, simulated: bool, notice: Callable[[], str | None], practice: bool = False
    ) -> None:  # fmt: skip
        self._reads = reads
        self._simulated = simulated
        self._notice = notice
        self._practice = practice
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
        self._kept = KeptPages()

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
            return self.refused(request, refusal, scope=scope)

    def shared(self, request: Request, template: str, make: Callable[[Asked], Made]) -> Response:
        """A page that nobody's rights change, for many at once."""
        signed = self._reads.access.signed_in(request)
        who = f"{signed.id if signed else ''} {is_local(request)} {self._notice()} {self._reads.reader.live.stopped}"
        return self._kept.answer(request, who, lambda asked: self.page(asked, template, make))

    def _made(
        self, request: Request, template: str, make: Callable[[Asked], Made], grant: Grant | None, also: str
    ) -> Response:
        reads, code = self._reads, code_of(request)
        words = self.words[code]
        may_read = grant is not None and "read" in grant.scopes
        text = request.query_params.get("period")
        asked, current = None if text is None else reads.period(text), reads.period(None)
        now_us, notice, stopped = reads.reader.now_us(), self._notice(), reads.reader.live.stopped is not None
        with reads.reader.snapshot() as snapshot:
            seen = (
                request.url.path,
                request.url.query,
                grant.id if grant else "",
                notice or "",
                str(stopped),
                self._build,
                also,
            )
            tag = f'"{snapshot.version.tag("page", current.name, str(now_us // MINUTE_US), *seen)}"'
            headers = {**GUARDS, "etag": tag, "cache-control": "private, no-cache", "vary": "authorization, cookie"}
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            chosen = choose(snapshot, asked, current)
            cursor = request.query_params.get("cursor")
            table, listed = request.query_params.get("csv"), LISTED if "csv" not in request.query_params else CSV_MOST
            made = make(Asked(snapshot, chosen.period, chosen, words, may_read, cursor, now_us, listed))
            if table is not None:
                return _as_csv(request, template, table, made, words, chosen.period.name, headers)
            made |= {
                "position": snapshot.position, "chosen": chosen, "period": chosen.period,
                "choices": choices(snapshot.months(), chosen, words),
            }  # fmt: skip
        return self._html(request, template, code, 200, headers, read_us=now_us, notice=notice, stopped=stopped, **made)

    def refused(
        self, request: Request, refusal: Refusal, headers: Mapping[str, str] | None = None, scope: str = ""
    ) -> Response:
        """The page of a refusal; ``scope`` is the one that was needed."""
        status, _ = PROBLEMS[refusal.slug]
        code, headers = code_of(request), {**(headers or {}), **GUARDS, "cache-control": "no-store"}
        if refusal.slug == "unauthorized":
            headers["www-authenticate"] = 'Bearer realm="neraca"'
        subject = request.path_params.get("dinas") or request.path_params.get("asn") or ""
        field = refusal.faults[0].pointer.removeprefix("/") if refusal.faults else refusal.slug
        values = {"subject": subject, "value": request.query_params.get(field, "")}
        if scope == "audit" and field in ("unauthorized", "forbidden"):
            field += "-audit"
        if field == "not-found" and not subject:
            field = "nowhere"
        words, here = self.words[code], Links("id", request).here("id")
        text = words(f"problem.{field}-text" if f"problem.{field}-text" in words else "problem.other-text", **values)
        title = words(f"problem.{refusal.slug}" if f"problem.{refusal.slug}" in words else "problem.other")
        sought = refusal.slug == "not-found" and "asn" in request.path_params
        said = {
            "slug": refusal.slug, "title": title, "text": text, "here": here, "desk": scope == "audit", "sought": sought,
        }  # fmt: skip
        return self._html(request, "problem.html", code, status, headers, **said)

    def unread(self, request: Request, make: Callable[[], Response]) -> Response:
        """A page of no reading, open to whoever asks, or the page of its refusal."""
        try:
            return make()
        except Refusal as refusal:
            return self.refused(request, refusal)

    def plain(self, request: Request, template: str, made: Made, status: int = 200) -> Response:
        """A page of no reading."""
        return self._html(request, template, code_of(request), status, {**GUARDS, "cache-control": "no-store"}, **made)

    def moved(self, code: Code, **said: object) -> str:
        """What of the board has moved, as HTML that names its places, in one line."""
        rows: Any = self._templates.get_template("rows.html").module
        return str(rows.message(self.words[code], Links(code), **said)).replace("\n", "")

    def _html(
        self, request: Request, template: str, code: Code, status: int, headers: dict[str, str], **made: object
    ) -> Response:
        away = status >= HTTPStatus.INTERNAL_SERVER_ERROR  # who is signed in is then not known either
        signed, words = None if away else self._reads.access.signed_in(request), self.words[code]
        body = self._templates.get_template(template).render(
            t=words, link=Links(code, request), style=self.style_tag, simulated=self._simulated,
            signed=signed.id if signed else "", at_machine=is_local(request), practice=self._practice,
            step=step_of(request.query_params.get("tur", "")) if self._practice else None, **made,
        )  # fmt: skip
        return HTMLResponse(body, status, {**headers, "content-language": code})


def _as_csv(
    request: Request, template: str, name: str, made: Made, words: Words, period: str, headers: dict[str, str]
) -> Response:  # fmt: skip
    """A table of a page for a spreadsheet. Raises: ``Refusal`` for a table the page does not have."""
    make = TABLES.get(template, {}).get(name)
    if make is None:
        raise Refusal(
            "invalid-query", f"csv: this page has no table {name}", Fault("/csv", "is none of this page's tables")
        )
    table, rows = make(made, words), []
    if table.rest is not None:  # a list is never cut without a word
        rest = Links(words.code, request).rest(name, table.rest, table.page)
        rows = [(words("csv.cut", n=words.number(len(table.rows)), address=rest),)]
    file = "-".join(("neraca", *request.path_params.values(), name, period))
    return csv_response(file, table.head, [*table.rows, *rows], words.code, headers)


def code_of(request: Request) -> Code:
    """The language a page is asked for in."""
    return "en" if request.query_params.get("lang") == "en" else "id"


def _build_of() -> str:
    """What the pages are made with: another build of them never answers 304 to a page of this one."""
    room = files("api")
    folders = (room / "templates", room / "locale", room / "static" / "loket")
    sources = [room / "static" / "neraca.css"]
    sources += (file for folder in folders for file in sorted(folder.iterdir(), key=lambda file: file.name))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
