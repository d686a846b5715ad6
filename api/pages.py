"""Pages: the board, a dinas, an ASN, and the receipt of a score. Server-rendered, no script, nothing from elsewhere."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from api import labels, page_views
from api.reads import Reads, explained, found, listed, suppressed
from domain.clock import local_date, moment_of, parse_instant
from domain.periods import Period
from domain.refusal import Refusal
from domain.scorecard import Standing, exact
from projections.reader import Snapshot

POLICY: Final = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"  # noqa: E501
HEADERS: Final = {
    "content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "same-origin",
    "cache-control": "no-cache",
}  # fmt: skip
STAFF_PAGE: Final = 50
EVENTS_PAGE: Final = 50


class Pages:
    """Renders templates with the words, figures and links of one language."""

    def __init__(self, reads: Reads, *, simulated: bool, notice: Callable[[], str | None]) -> None:
        self.reads = reads
        self._simulated = simulated
        self._notice = notice
        self._templates = Environment(
            loader=PackageLoader("api"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["exact"] = exact

    def language(self, request: Request) -> str:
        """The language asked for; Bahasa Indonesia first."""
        asked = request.query_params.get("lang", "id")
        return asked if asked in labels.LANGUAGES else "id"

    def render(self, request: Request, template: str, status: int = 200, **parts: Any) -> Response:  # noqa: ANN401 - template parts
        """A page."""
        language, zone = self.language(request), str(self.reads.reader.zone)
        now = moment_of(self.reads.reader.now_us(), self.reads.reader.zone)
        other = "en" if language == "id" else "id"
        query = {**dict(request.query_params), "lang": other}
        html = self._templates.get_template(template).render(
            t=labels.words(language), f=labels.figure(language), language=language, simulated=self._simulated,
            notice=self._notice(), now=labels.moment(now, zone, language), link=_linker(language),
            other_language=f"{request.url.path}?{urlencode(query)}",
            period_name=lambda period: labels.period_name(period, language),
            moment=lambda text: labels.moment(moment_of(parse_instant(text), self.reads.reader.zone), zone, language),
            **parts,
        )  # fmt: skip
        return Response(html, status, HEADERS, "text/html; charset=utf-8")

    def choice(self, snapshot: Snapshot, period: Period) -> dict[str, Any]:
        """What the period's form offers."""
        current = self.reads.period(None)
        months, longer = page_views.offered(snapshot.months(), current.name)
        today = local_date(self.reads.reader.now_us(), self.reads.reader.zone)
        return {
            "period": period, "months": months, "longer": longer, "current": current,
            "running": page_views.is_running(period, today) and period.first_day <= today,
        }  # fmt: skip


def _linker(language: str) -> Callable[..., str]:
    """Links that keep the language; ids are escaped whole."""

    def link(*path: str, **query: str | None) -> str:
        kept = {name: value for name, value in query.items() if value}
        if language != "id":
            kept["lang"] = language
        return "/" + "/".join(quote(part, safe="") for part in path) + (f"?{urlencode(kept)}" if kept else "")

    return link


def pages_router(
    reads: Reads, *, simulated: bool = False, notice: Callable[[], str | None] = lambda: None
) -> APIRouter:
    """The routes of the pages."""
    pages, router = Pages(reads, simulated=simulated, notice=notice), APIRouter(include_in_schema=False)

    def page(path: str) -> Callable[[Callable[..., Response]], None]:
        def add(make: Callable[..., Response]) -> None:
            def answer(request: Request) -> Response:
                try:
                    return make(pages, request, **request.path_params)
                except Refusal as refusal:
                    return _refused(pages, request, refusal)

            router.add_api_route(path, answer, methods=["GET"], name=make.__name__)

        return add

    for path, make in ROUTES.items():
        page(path)(make)
    return router


def _refused(pages: Pages, request: Request, refusal: Refusal) -> Response:
    status, title, text = {
        "not-found": (404, "not_found", "not_found_text"),
        "unauthorized": (401, "denied", "denied_text"),
        "forbidden": (403, "denied", "denied_text"),
    }.get(refusal.slug, (422, "bad_period", None))
    return pages.render(request, "refused.html", status, title=title, text=text, detail=refusal.detail)


def _asked(pages: Pages, request: Request) -> Period:
    return pages.reads.period(request.query_params.get("period") or None)


def show_board(pages: Pages, request: Request) -> Response:
    """The board: every dinas, ranked by value."""
    asked = _asked(pages, request)
    with pages.reads.reader.snapshot() as snapshot:
        thin = False
        if not request.query_params.get("period"):
            asked, thin = page_views.shown_period(snapshot, asked)
        return pages.render(
            request, "board.html", groups=page_views.board(snapshot, asked), thin=thin, position=snapshot.position,
            scheme=snapshot.scheme(asked), **pages.choice(snapshot, asked),
        )  # fmt: skip


def show_dinas(pages: Pages, request: Request, dinas: str) -> Response:
    """One dinas: score, indicators, services, open files, staff."""
    period = _asked(pages, request)
    with pages.reads.reader.snapshot() as snapshot:
        standing = found(snapshot.one_dinas(dinas, period), dinas)
        card, score = snapshot.card(standing, period), snapshot.score(standing, period)
        peers = snapshot.ranking(snapshot.dinas(period), period)
        rank = next((peer.rank for peer in peers if peer.subject.id == dinas and peer.rank), None)
        return pages.render(
            request, "dinas.html", name=page_views.named_dinas(snapshot, dinas), dinas=dinas,
            parts=page_views.parts(card, score), rank=rank, peers=[p.iku.value for p in peers if p.iku.value],
            services=page_views.service_rows(snapshot.services(dinas, period)), axis=axis, position=snapshot.position,
            staff=_staff(pages, request, snapshot, dinas, period), scheme=snapshot.scheme(period),
            **pages.choice(snapshot, period),
        )  # fmt: skip


def axis(value: Decimal) -> str:
    """Where a value lies on the axis from 70 to 110, in percent, kept inside it."""
    return f"{min(max((value - 70) * 100 / 40, Decimal(0)), Decimal(100)):.1f}%"


def _staff(pages: Pages, request: Request, snapshot: Snapshot, dinas: str, period: Period) -> Any:  # noqa: ANN401 - a page of cards
    """A page of a dinas's ASN for whoever may see them; ``None`` for others."""
    try:
        pages.reads.access.require(request, "read")
    except Refusal:
        return None
    return listed(snapshot, period, snapshot.asn_of(dinas, period) or [], STAFF_PAGE, request.query_params.get("after"))


def show_asn(pages: Pages, request: Request, asn: str) -> Response:
    """One ASN: score and indicators, over all dinas."""
    pages.reads.access.require(request, "read")
    period = _asked(pages, request)
    with pages.reads.reader.snapshot() as snapshot:
        standing = found(snapshot.one_asn(asn, period), asn)
        card = suppressed(snapshot.card(standing, period), standing)
        parts = page_views.parts(card, snapshot.score(standing, period))
        return pages.render(
            request, "asn.html", asn=asn, parts=parts, position=snapshot.position, scheme=snapshot.scheme(period),
            **pages.choice(snapshot, period),
        )  # fmt: skip


def show_dinas_why(pages: Pages, request: Request, dinas: str) -> Response:
    """The receipt of a dinas's score."""
    return _why(pages, request, dinas, "dinas", lambda snapshot, period: snapshot.one_dinas(dinas, period))


def show_asn_why(pages: Pages, request: Request, asn: str) -> Response:
    """The receipt of an ASN's score."""
    return _why(pages, request, asn, "asn", lambda snapshot, period: snapshot.one_asn(asn, period))


def _why(
    pages: Pages, request: Request, subject: str, kind: str, standing_of: Callable[[Snapshot, Period], Standing | None]
) -> Response:
    pages.reads.access.require(request, "read")
    period = _asked(pages, request)
    with pages.reads.reader.snapshot() as snapshot:
        standing = found(standing_of(snapshot, period), subject)
        why = explained(snapshot, period, standing, pages.reads.lines, EVENTS_PAGE, request.query_params.get("after"))
        name = page_views.named_dinas(snapshot, subject) if kind == "dinas" else subject
        return pages.render(
            request, "why.html", why=why, name=name, kind=kind, subject=subject, position=snapshot.position,
            scheme=snapshot.scheme(period), **pages.choice(snapshot, period),
        )  # fmt: skip


ROUTES: Final[dict[str, Callable[..., Response]]] = {
    "/": show_board,
    "/dinas/{dinas}": show_dinas,
    "/dinas/{dinas}/why": show_dinas_why,
    "/asn/{asn}": show_asn,
    "/asn/{asn}/why": show_asn_why,
}
