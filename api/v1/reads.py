"""The reads: scorecards, lists, rankings and their reasons, of one position each, with entity tags."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from api.http.access import Access
from api.http.cache import Answers
from api.http.problems import bad_query
from api.http.withheld import formula_told, hides_ratings, suppressed, without_answers
from api.v1.schemas import DigestAnswer, Page, read_doc
from domain.fold.ledger import named
from domain.periods import Period
from domain.refusal import Refusal
from domain.score.scorecard import Scorecard, Standing
from projections.ports import Lines
from projections.reading.reader import Reader, Snapshot
from projections.reading.why import Why, behind

ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
PERIOD: Final = Query(description="2026-11, 2026-Q4, 2026-S2 or 2026; the current month by default")
Dinas = Annotated[str, Path(description="The id of a dinas, verbatim", max_length=200)]
Asn = Annotated[str, Path(description="The opaque id of an ASN, verbatim", max_length=200)]
PeriodText = Annotated[str | None, PERIOD]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many items a page holds")]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]

Reading = TypeVar("Reading")


class Reads:
    """What every read shares: the snapshot, the period, the tag, the answer kept for the next who asks."""

    def __init__(self, reader: Reader, lines: Lines, access: Access, answers: Answers) -> None:
        self.reader = reader
        self.lines = lines
        self.access = access
        self.answers = answers

    def period(self, text: str | None) -> Period:
        """The period asked for. Raises: ``Refusal``."""
        try:
            return self.reader.period(text)
        except ValueError as error:
            raise bad_query("period", str(error)) from None

    def answer(
        self, request: Request, period: Period | None, make: Callable[[Snapshot], Any], *, public: bool
    ) -> Response:
        """What ``make`` reads, with its entity tag; 304 when the caller holds the same."""
        if not public:
            return self._made(request, period, make, public=False)
        path, query = request.scope["path"], request.scope["query_string"]
        with self.answers.making(path, query):
            held = self.answers.fresh(path, query)
            if held is None:
                return self._made(request, period, make, public=True)
        headers = {name.decode(): value.decode() for name, value in held.headers}
        if headers["etag"] in request.headers.get("if-none-match", ""):
            kept = {name: value for name, value in headers.items() if name not in ("content-length", "content-type")}
            return Response(status_code=304, headers=kept)
        return Response(held.body, 200, headers, "application/json")

    def _made(
        self, request: Request, period: Period | None, make: Callable[[Snapshot], Any], *, public: bool
    ) -> Response:
        path, query = request.scope["path"], request.scope["query_string"]
        scope = (period.name if period else "", path, query.decode("latin-1"), "public" if public else "guarded")
        with self.reader.snapshot() as snapshot:
            etag = f'"{snapshot.version.tag(*scope)}"'
            headers = {"etag": etag, "cache-control": "no-cache"} | _vector(snapshot)
            if etag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
            body = ENCODER.encode(make(snapshot))
        response = Response(body, 200, headers, "application/json")
        if public:
            # Until the month ends in the zone, the default period stays the same.
            until_us = None if "period" in request.query_params else self.period(None).end_us(self.reader.zone)
            self.answers.keep(path, query, snapshot.version, until_us, etag, response.raw_headers, body)
        return response


def _vector(snapshot: Snapshot) -> dict[str, str]:
    """The header that says how far each partition is folded, where they are folded apart."""
    vector = snapshot.version.at.vector
    return {} if vector is None else {"neraca-vector": ENCODER.encode(vector).decode()}


def found(reading: Reading | None, subject: str) -> Reading:
    """What was read of a subject, or the refusal of a subject that nothing ever named."""
    if reading is None:
        raise Refusal("not-found", f"nothing ever named {subject}")
    return reading


def after_cursor(cursor: str | None, kind: str) -> str:
    """What a cursor of its kind holds; ``""`` for the first page. Raises: ``Refusal``."""
    if cursor is None:
        return ""
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(f"{kind}:"):
        raise bad_query("cursor", "is none of this list's")
    return text[len(kind) + 1 :]


def cursor_of(kind: str, value: str) -> str:
    """The cursor of the page after ``value``."""
    return base64.urlsafe_b64encode(f"{kind}:{value}".encode()).decode().rstrip("=")


def number_after(cursor: str | None, kind: str) -> int:
    """A cursor that holds a number. Raises: ``Refusal``."""
    text = after_cursor(cursor, kind)
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 - digits of 63 bits
        raise bad_query("cursor", "is none of this list's")
    return int(text or 0)


def listed(snapshot: Snapshot, period: Period, standings: list[Standing], limit: int, cursor: str | None) -> Page:
    """A page of a list by id."""
    after = after_cursor(cursor, "id")
    rest = [standing for standing in standings if standing.subject.id > after]
    page = rest[:limit]
    following = cursor_of("id", page[-1].subject.id) if len(rest) > limit else None
    cards = [suppressed(snapshot.card(standing, period), snapshot.scheme(period)) for standing in page]
    return Page(period.name, snapshot.position, cards, following)


def ranking(snapshot: Snapshot, period: Period, standings: list[Standing], limit: int, cursor: str | None) -> Page:
    """A page of a ranking."""
    start = number_after(cursor, "rank")
    cards = snapshot.ranking(standings, period, start, limit)
    page = [suppressed(card, snapshot.scheme(period)) for card in cards]
    following = cursor_of("rank", str(start + limit)) if len(standings) > start + limit else None
    return Page(period.name, snapshot.position, page, following)


def explained(
    snapshot: Snapshot, period: Period, standing: Standing, lines: Lines, limit: int, cursor: str | None
) -> Why:
    """A standing's reasons, with a page of the entries behind it."""
    after = number_after(cursor, "position")
    positions = snapshot.positions(standing.subject, period, after, limit + 1)
    scheme, score = snapshot.scheme(period), snapshot.score(standing, period)
    card = suppressed(snapshot.card(standing, period, score), scheme)
    balance, hide = named(standing.balance), hides_ratings(card, scheme)
    return Why(
        subject=standing.subject,
        period=period.name,
        position=snapshot.position,
        scheme=scheme.id,
        scorecard=card,
        balance=without_answers(balance) if hide else balance,
        formula=formula_told(standing.balance, score, scheme, card),
        events=behind(entries_at(lines, positions[:limit]), standing.subject, period, hide_ratings=hide),
        next=cursor_of("position", str(positions[limit - 1])) if len(positions) > limit else None,
    )


def entries_at(lines: Lines, positions: Sequence[int]) -> list[tuple[int, bytes]]:
    """The entries at some positions, in the order of these."""
    stored = lines.lines_at(positions) if positions else {}
    return [(at, stored[at]) for at in positions]


def reads_router(reads: Reads) -> APIRouter:  # noqa: C901 - one function a route
    """The routes of scorecards, lists and rankings."""
    router = APIRouter()
    access = reads.access

    @router.get("/v1/dinas", **read_doc(Page, "Every dinas, by id"))
    def list_dinas(request: Request, period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
        at = reads.period(period)
        return reads.answer(request, at, lambda s: listed(s, at, s.dinas(at), limit, cursor), public=True)

    @router.get("/v1/dinas/{dinas}", **read_doc(Scorecard, "One dinas's scorecard", known=True))
    def read_dinas(request: Request, dinas: Dinas, period: PeriodText = None) -> Response:
        at = reads.period(period)
        return reads.answer(request, at, lambda s: s.card(found(s.one_dinas(dinas, at), dinas), at), public=True)

    @router.get(
        "/v1/dinas/{dinas}/asn",
        **read_doc(Page, "The ASN of a dinas, its facts alone counted", known=True, guarded=True),
    )
    def list_asn(
        request: Request, dinas: Dinas, period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        access.require(request, "read")
        at = reads.period(period)
        return reads.answer(request, at, lambda s: listed(s, at, _of_dinas(s, dinas, at), limit, cursor), public=False)

    @router.get(
        "/v1/dinas/{dinas}/why", **read_doc(None, "Why a dinas's score is what it is", known=True, guarded=True)
    )
    def why_dinas(
        request: Request, dinas: Dinas, period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        access.require(request, "read")
        at = reads.period(period)
        return reads.answer(
            request,
            at,
            lambda s: explained(s, at, found(s.one_dinas(dinas, at), dinas), reads.lines, limit, cursor),
            public=False,
        )

    @router.get("/v1/asn/{asn}", **read_doc(Scorecard, "One ASN's scorecard, over all dinas", known=True, guarded=True))
    def read_asn(request: Request, asn: Asn, period: PeriodText = None) -> Response:
        access.require(request, "read")
        at = reads.period(period)

        def card(snapshot: Snapshot) -> Scorecard:
            standing = found(snapshot.one_asn(asn, at), asn)
            return suppressed(snapshot.card(standing, at), snapshot.scheme(at))

        return reads.answer(request, at, card, public=False)

    @router.get("/v1/asn/{asn}/why", **read_doc(None, "Why an ASN's score is what it is", known=True, guarded=True))
    def why_asn(
        request: Request, asn: Asn, period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        access.require(request, "read")
        at = reads.period(period)
        return reads.answer(
            request,
            at,
            lambda s: explained(s, at, found(s.one_asn(asn, at), asn), reads.lines, limit, cursor),
            public=False,
        )

    @router.get("/v1/rankings/dinas", **read_doc(Page, "Every dinas, ranked"))
    def rank_dinas(request: Request, period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None) -> Response:
        at = reads.period(period)
        return reads.answer(request, at, lambda s: ranking(s, at, s.dinas(at), limit, cursor), public=True)

    @router.get("/v1/rankings/asn", **read_doc(Page, "The ASN of a dinas, ranked", known=True, guarded=True))
    def rank_asn(
        request: Request,
        dinas: Annotated[str, Query(description="Nobody is ranked beyond their own dinas", max_length=200)],
        period: PeriodText = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        access.require(request, "read")
        at = reads.period(period)
        return reads.answer(request, at, lambda s: ranking(s, at, _of_dinas(s, dinas, at), limit, cursor), public=False)

    @router.get("/v1/digest", **read_doc(DigestAnswer, "The digest of all that is folded"))
    def read_digest(request: Request) -> Response:
        return reads.answer(
            request, None, lambda s: DigestAnswer(s.position, s.digest(), s.version.at.vector), public=True
        )

    return router


def _of_dinas(snapshot: Snapshot, dinas: str, period: Period) -> list[Standing]:
    standings = snapshot.asn_of(dinas, period)
    if standings is None:
        raise Refusal("not-found", f"nothing ever named {dinas}")
    return standings
