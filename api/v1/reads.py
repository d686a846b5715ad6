"""The answers to reads: scorecards, lists, rankings and their reasons, each of one position and with an entity tag."""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Annotated, Any, Final, TypeVar

import msgspec
from fastapi import Path, Query, Request, Response

from api.http.access import Access
from api.http.cache import Answer, Answers, key_of
from api.http.conditional import has_any, has_it
from api.http.disclosure import PUBLIC, View, view_of, view_to
from api.http.guards import mark_for_one
from api.http.persons import never_named
from api.http.problems import bad_query
from api.http.withheld import formula_told
from api.v1.schemas import Page
from domain.fold.ledger import amounts_by_measure
from domain.periods import Period
from domain.score.scorecard import Standing, Subject
from projections.ports import Grant, Lines
from projections.reading.reader import Reader, Snapshot
from projections.reading.why import Behind, Why, behind

BATCH: Final = 51
"""The entries behind a balance that are read first: one more than a page lists. Then twice as many each time."""
BATCH_MOST: Final = 1000
ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
PERIOD: Final = Query(description="2026-11, 2026-Q4, 2026-S2 or 2026; the current month by default")
Dinas = Annotated[str, Path(description="The id of a dinas, verbatim", max_length=200)]
Asn = Annotated[str, Path(description="The opaque id of an ASN, verbatim", max_length=200)]
PeriodText = Annotated[str | None, PERIOD]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many items a page holds")]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]

Reading = TypeVar("Reading")


class Reads:
    """The shared part of all reads: the snapshot, the period, the tag, and the answer kept for the next caller."""

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
        self, request: Request, period: Period | None, make: Callable[[Snapshot], Any], *, grant: Grant | None = None
    ) -> Response:
        """The answer that ``make`` reads, with its entity tag; 304 to a caller who has it.

        ``grant`` is that of a guarded answer's caller; without one the answer is the same for all who have the same view.
        """
        if grant is not None:
            return self._read(request, period, make, grant, view_of(grant))
        view = view_to(self.access, request)
        if view != PUBLIC:
            mark_for_one(request.scope)
        earlier = self.answers.fresh(key_of(request.scope, view))
        if earlier is None:
            return self._read(request, period, make, None, view)
        headers = {name.decode(): value.decode() for name, value in earlier.headers}
        conditions = request.headers.getlist("if-none-match")
        if has_any(conditions) or has_it(conditions, headers["etag"]):
            left_out = ("content-length", "content-type")
            return Response(status_code=304, headers={n: value for n, value in headers.items() if n not in left_out})
        return Response(earlier.body, 200, headers, "application/json")

    def _read(
        self,
        request: Request,
        period: Period | None,
        make: Callable[[Snapshot], Any],
        grant: Grant | None,
        view: View,
    ) -> Response:
        path, query = request.scope["path"], request.scope["query_string"]
        with self.reader.snapshot(published=view.published, own=view.own) as snapshot:
            day = snapshot.version.day if view.published else "exact"
            whose = f"guarded {grant.id}" if grant else "public", day, view.name
            scope = (period.name if period else "", path, query.decode("latin-1"), *whose)
            etag = f'"{snapshot.version.tag(*scope)}"'
            headers = {"etag": etag, "cache-control": "no-cache", "vary": "authorization, cookie"} | _vector(snapshot)
            conditions = request.headers.getlist("if-none-match")
            if has_it(conditions, etag):
                return Response(status_code=304, headers=headers)
            body = ENCODER.encode(make(snapshot))
            if has_any(conditions):
                return Response(status_code=304, headers=headers)
        response = Response(body, 200, headers, "application/json")
        if grant is None:
            # Until the month ends in the zone, the default period stays the same.
            until_us = None if "period" in request.query_params else self.period(None).end_us(self.reader.zone)
            key = key_of(request.scope, view)
            self.answers.keep(key, Answer(snapshot.version, until_us, etag, response.raw_headers, body))
        return response


def _vector(snapshot: Snapshot) -> dict[str, str]:
    """The header that says how far each partition is folded, if partitions are folded apart."""
    vector = snapshot.version.at.vector
    return {} if vector is None else {"neraca-vector": ENCODER.encode(vector).decode()}


def required_reading(reading: Reading | None, subject: str) -> Reading:
    """The reading of a subject. Raises: ``Refusal`` if nothing ever named the subject."""
    if reading is None:
        raise never_named(subject)
    return reading


def after_cursor(cursor: str | None, kind: str) -> str:
    """The value of a cursor of one kind; ``""`` for the first page. Raises: ``Refusal``."""
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
    """The number in a cursor; 0 for the first page. Raises: ``Refusal``."""
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
    cards = [snapshot.card(standing, period) for standing in page]
    return Page(period.name, snapshot.position, cards, following)


def ranking(snapshot: Snapshot, period: Period, standings: list[Standing], limit: int, cursor: str | None) -> Page:
    """A page of a ranking."""
    start = number_after(cursor, "rank")
    cards = snapshot.ranking(standings, period, start, limit)
    following = cursor_of("rank", str(start + limit)) if len(standings) > start + limit else None
    return Page(period.name, snapshot.position, cards, following)


def explained(
    snapshot: Snapshot, period: Period, standing: Standing, lines: Lines, limit: int, cursor: str | None
) -> Why:
    """A standing's reasons, with a page of the entries behind it."""
    entries = shown_behind(snapshot, lines, standing.subject, period, number_after(cursor, "position"))
    events, following = part_of(entries, limit, "position")
    scheme, score = snapshot.scheme(period), snapshot.score(standing, period)
    card = snapshot.card(standing, period, score)
    return Why(
        subject=standing.subject,
        period=period.name,
        position=snapshot.position,
        scheme=scheme.id,
        scorecard=card,
        balance=amounts_by_measure(standing.balance),
        formula=formula_told(standing.balance, score, scheme, card),
        events=events,
        next=following,
    )


def part_of(entries: Iterator[Behind], limit: int, kind: str) -> tuple[list[Behind], str | None]:
    """The first entries behind a score, and the cursor of those that follow, if any do."""
    events = list(islice(entries, limit + 1))
    following = cursor_of(kind, str(events[limit - 1].position)) if len(events) > limit else None
    return events[:limit], following


def shown_behind(
    snapshot: Snapshot,
    lines: Lines,
    subject: Subject,
    period: Period,
    after: int,
    *,
    newest: bool = False,
    service: str | None = None,
) -> Iterator[Behind]:
    """The entries behind a subject's balance that a reading shows, one by one.

    A page of them ends, and the next begins, at an entry that is shown: so no cursor tells the position of a rating.
    """
    batch = BATCH
    while True:
        positions = snapshot.positions(subject, period, after, batch, newest=newest, service=service)
        yield from behind(entries_at(lines, positions), subject, period, published=snapshot.published)
        if len(positions) < batch:
            return
        after, batch = positions[-1], min(2 * batch, BATCH_MOST)


def entries_at(lines: Lines, positions: Sequence[int]) -> list[tuple[int, bytes]]:
    """The entries at some positions, in the order of these."""
    line_at = lines.lines_at(positions) if positions else {}
    return [(at, line_at[at]) for at in positions]
