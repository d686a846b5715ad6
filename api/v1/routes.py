"""The routes of reads as a table: an address, its documentation, its parameters, and the answer to a query."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from api.v1.answers import FilesAnswer, LateAnswer, RecentAnswer, Series, WhyAnswer
from api.v1.formulas import why_answer
from api.v1.histories import files, late_answer, recent, series
from api.v1.reads import Asn, Cursor, Dinas, Limit, PeriodText, Reads, explained, listed, ranking, required_reading
from api.v1.schemas import DigestAnswer, Page, read_doc
from domain.periods import Period
from domain.refusal import Refusal
from domain.score.scorecard import Scorecard, Standing, Subject
from projections.ports import Lines
from projections.reading.late import LateQuery
from projections.reading.reader import Snapshot

PEERS: Final = Query(description="Nobody is ranked beyond their own dinas", max_length=200)
EVERY: Final = Subject("dinas", "")
STAFF: Final = "The ASN of a dinas, its facts alone counted"
DIGEST: Final = "The digest of all that is folded"
DINAS_SERIES: Final = "A dinas's last twelve months"
FILES: Final = "The open files of a dinas, what is due first first"
DINAS_EVENTS: Final = "The events behind a dinas's score, newest first"
ASN_EVENTS: Final = "The events behind an ASN's score, newest first"
LATE_PERMITS: Final = "The decisions that were judged late, last recorded first"
LATE_TASKS: Final = "The tasks that were judged late, last recorded first"


class Part(NamedTuple):
    """A part of a list: the most items, and the cursor of the part before."""

    limit: int
    cursor: str | None


WHOLE: Final = Part(0, None)
"""The part of an answer that is no list."""


class Parameters(NamedTuple):
    """The parameters of a request: a subject, a period, and a part of a list. Of all dinas the id is empty."""

    subject: Subject
    period: str | None = None
    part: Part = WHOLE


class ReadQuery(NamedTuple):
    """A query about one reading: a period, the subject that the address names, and a part of a list."""

    snapshot: Snapshot
    lines: Lines
    period: Period
    subject: Subject
    part: Part

    @property
    def standing(self) -> Standing:
        """The standing of the subject. Raises: ``Refusal`` if nothing ever named it."""
        query = self.snapshot.one_dinas if self.subject.kind == "dinas" else self.snapshot.one_asn
        return required_reading(query(self.subject.id, self.period), self.subject.id)

    @property
    def staff(self) -> list[Standing]:
        """The standings of the ASN of a dinas. Raises: ``Refusal`` if nothing ever named it."""
        standings = self.snapshot.asn_of(self.subject.id, self.period)
        if standings is None:
            raise Refusal("not-found", f"nothing ever named {self.subject.id}")
        return standings


# One function for each set of parameters. They are coroutines: plain functions would run in a thread of the pool.


async def nothing() -> Parameters:
    """No parameter."""
    return Parameters(EVERY)


async def every(period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None) -> Parameters:
    """All dinas, in parts."""
    return Parameters(EVERY, period, Part(limit, cursor))


async def one_dinas(dinas: Dinas, period: PeriodText = None) -> Parameters:
    """One dinas."""
    return Parameters(Subject("dinas", dinas), period)


async def of_dinas(dinas: Dinas, period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None) -> Parameters:
    """A list of one dinas, in parts."""
    return Parameters(Subject("dinas", dinas), period, Part(limit, cursor))


async def of_dinas_now(dinas: Dinas, limit: Limit = 100, cursor: Cursor = None) -> Parameters:
    """A list of one dinas that is of no period."""
    return Parameters(Subject("dinas", dinas), None, Part(limit, cursor))


async def of_staff(
    dinas: Annotated[str, PEERS], period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None
) -> Parameters:
    """The ASN of one dinas, in parts."""
    return Parameters(Subject("dinas", dinas), period, Part(limit, cursor))


async def one_asn(asn: Asn, period: PeriodText = None) -> Parameters:
    """One ASN."""
    return Parameters(Subject("asn", asn), period)


async def of_asn(asn: Asn, period: PeriodText = None, limit: Limit = 100, cursor: Cursor = None) -> Parameters:
    """A list of one ASN, in parts."""
    return Parameters(Subject("asn", asn), period, Part(limit, cursor))


OF_NOW: Final = (nothing, of_dinas_now)
"""Parameters without a period: the answer is of now."""


def _dinas(query: ReadQuery) -> Page:
    return listed(query.snapshot, query.period, query.snapshot.dinas(query.period), *query.part)


def _staff(query: ReadQuery) -> Page:
    return listed(query.snapshot, query.period, query.staff, *query.part)


def _dinas_ranked(query: ReadQuery) -> Page:
    return ranking(query.snapshot, query.period, query.snapshot.dinas(query.period), *query.part)


def _staff_ranked(query: ReadQuery) -> Page:
    return ranking(query.snapshot, query.period, query.staff, *query.part)


def _card(query: ReadQuery) -> Scorecard:
    return query.snapshot.card(query.standing, query.period)


def _why(query: ReadQuery) -> WhyAnswer:
    return why_answer(explained(query.snapshot, query.period, query.standing, query.lines, *query.part))


def _series(query: ReadQuery) -> Series:
    return series(query.snapshot, query.period, query.standing)


def _events(query: ReadQuery) -> RecentAnswer:
    return recent(query.snapshot, query.period, query.standing, query.lines, *query.part)


def _files(query: ReadQuery) -> FilesAnswer:
    return files(query.snapshot, query.standing.subject.id, *query.part)


def _late_permits(query: ReadQuery) -> LateAnswer:
    page_query = LateQuery(query.standing.subject, query.period, "permits")
    return late_answer(query.snapshot, query.lines, page_query, *query.part)


def _late_tasks(query: ReadQuery) -> LateAnswer:
    page_query = LateQuery(query.standing.subject, query.period, "tasks")
    return late_answer(query.snapshot, query.lines, page_query, *query.part)


def _digest(query: ReadQuery) -> DigestAnswer:
    snapshot = query.snapshot
    return DigestAnswer(snapshot.position, snapshot.digest(), snapshot.version.at.vector)


class Read(NamedTuple):
    """A route. A read that is not public needs the scope `read`, or another that it names."""

    path: str
    name: str
    summary: str
    answer: type | None
    make: Callable[[ReadQuery], object]
    parameters: Callable[..., Coroutine[None, None, Parameters]]
    public: bool = False
    scope: str = "read"


READS: Final = (
    Read("/v1/dinas", "list_dinas", "Every dinas, by id", Page, _dinas, every, public=True),
    Read("/v1/dinas/{dinas}", "read_dinas", "One dinas's scorecard", Scorecard, _card, one_dinas, public=True),
    Read("/v1/dinas/{dinas}/asn", "list_asn", STAFF, Page, _staff, of_dinas),
    Read("/v1/dinas/{dinas}/why", "why_dinas", "Why a dinas's score is what it is", None, _why, of_dinas),
    Read("/v1/asn/{asn}", "read_asn", "One ASN's scorecard, over all dinas", Scorecard, _card, one_asn),
    Read("/v1/asn/{asn}/why", "why_asn", "Why an ASN's score is what it is", None, _why, of_asn),
    Read("/v1/rankings/dinas", "rank_dinas", "Every dinas, ranked", Page, _dinas_ranked, every, public=True),
    Read("/v1/rankings/asn", "rank_asn", "The ASN of a dinas, ranked", Page, _staff_ranked, of_staff),
    Read("/v1/digest", "read_digest", DIGEST, DigestAnswer, _digest, nothing, scope="audit"),
    Read("/v1/dinas/{dinas}/series", "series_dinas", DINAS_SERIES, Series, _series, one_dinas, public=True),
    Read("/v1/asn/{asn}/series", "series_asn", "An ASN's last twelve months", Series, _series, one_asn),
    Read("/v1/dinas/{dinas}/files", "list_files", FILES, FilesAnswer, _files, of_dinas_now),
    Read("/v1/dinas/{dinas}/events", "recent_dinas", DINAS_EVENTS, RecentAnswer, _events, of_dinas),
    Read("/v1/asn/{asn}/events", "recent_asn", ASN_EVENTS, RecentAnswer, _events, of_asn),
    Read("/v1/dinas/{dinas}/late/permits", "late_permits_dinas", LATE_PERMITS, LateAnswer, _late_permits, of_dinas),
    Read("/v1/dinas/{dinas}/late/tasks", "late_tasks_dinas", LATE_TASKS, LateAnswer, _late_tasks, of_dinas),
    Read("/v1/asn/{asn}/late/permits", "late_permits_asn", LATE_PERMITS, LateAnswer, _late_permits, of_asn),
    Read("/v1/asn/{asn}/late/tasks", "late_tasks_asn", LATE_TASKS, LateAnswer, _late_tasks, of_asn),
)


def reads_router(reads: Reads) -> APIRouter:
    """Every route of the table."""
    router = APIRouter()
    for route in READS:
        _add(router, reads, route)
    return router


def _add(router: APIRouter, reads: Reads, route: Read) -> None:
    is_of_subject, of_now = route.parameters not in (nothing, every), route.parameters in OF_NOW
    document = read_doc(route.answer, route.summary, of_subject=is_of_subject, needs_token=not route.public)

    @router.get(route.path, name=route.name, **document)
    def answer(request: Request, parameters: Annotated[Parameters, Depends(route.parameters)]) -> Response:
        if not route.public:
            reads.access.require(request, route.scope)
        subject, text, part = parameters
        period = reads.period(text)

        def make(snapshot: Snapshot) -> object:
            return route.make(ReadQuery(snapshot, reads.lines, period, subject, part))

        return reads.answer(request, None if of_now else period, make, public=route.public)
