"""The routes of reads as a table: an address, its documentation, its parameters, and the answer to a query."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.http.cache import key_of
from api.http.disclosure import PUBLIC as PUBLIC_VIEW
from api.http.persons import Faces, shown_to
from api.v1.answers import FilesAnswer, LateAnswer, RecentAnswer, Series, WhyAnswer
from api.v1.faces import scoped, with_faces
from api.v1.formulas import why_answer
from api.v1.histories import files, late_answer, recent, series
from api.v1.reads import Asn, Cursor, Dinas, Limit, PeriodText, Reads, explained, listed, ranking, required_reading
from api.v1.schemas import DigestAnswer, Page, read_doc
from domain.access.policy import PUBLIC, Action
from domain.access.subjects import SOME, Unit
from domain.access.subjects import Subject as Wanted
from domain.periods import Period
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
    faces: Faces

    @property
    def standing(self) -> Standing:
        """The standing of the subject. Raises: ``Refusal`` if nothing ever named it."""
        query = self.snapshot.one_dinas if self.subject.kind == "dinas" else self.snapshot.one_asn
        return required_reading(query(self.subject.id, self.period), self.subject.id)

    @property
    def staff(self) -> list[Standing]:
        """The standings of the ASN of a dinas whom the caller is shown. Raises: ``Refusal`` if nothing ever named it."""
        standings = required_reading(self.snapshot.asn_of(self.subject.id, self.period), self.subject.id)
        return self.faces.among(standings)


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
    """A route, and the action that it is; its subject is the dinas or the ASN that the address names."""

    path: str
    name: str
    summary: str
    answer: type | None
    make: Callable[[ReadQuery], object]
    parameters: Callable[..., Coroutine[None, None, Parameters]]
    action: Action

    @property
    def public(self) -> bool:
        """True if everybody may read it."""
        return self.action in PUBLIC

    def subject_of(self, subject: Subject) -> Wanted:
        """The subject of the action: a dinas; of an ASN it is decided once the reading is there."""
        return SOME if subject.kind == "asn" or not subject.id else Unit(subject.id)


READS: Final = (
    Read("/v1/dinas", "list_dinas", "Every dinas, by id", Page, _dinas, every, "read-public"),
    Read("/v1/dinas/{dinas}", "read_dinas", "One dinas's scorecard", Scorecard, _card, one_dinas, "read-public"),
    Read("/v1/dinas/{dinas}/asn", "list_asn", STAFF, Page, _staff, of_dinas, "read-people"),
    Read(
        "/v1/dinas/{dinas}/why", "why_dinas", "Why a dinas's score is what it is", None, _why, of_dinas, "read-reasons"
    ),
    Read("/v1/asn/{asn}", "read_asn", "One ASN's scorecard, over all dinas", Scorecard, _card, one_asn, "read-person"),
    Read("/v1/asn/{asn}/why", "why_asn", "Why an ASN's score is what it is", None, _why, of_asn, "read-person"),
    Read("/v1/rankings/dinas", "rank_dinas", "Every dinas, ranked", Page, _dinas_ranked, every, "read-public"),
    Read("/v1/rankings/asn", "rank_asn", "The ASN of a dinas, ranked", Page, _staff_ranked, of_staff, "read-people"),
    Read("/v1/digest", "read_digest", DIGEST, DigestAnswer, _digest, nothing, "audit"),
    Read("/v1/dinas/{dinas}/series", "series_dinas", DINAS_SERIES, Series, _series, one_dinas, "read-public"),
    Read("/v1/asn/{asn}/series", "series_asn", "An ASN's last twelve months", Series, _series, one_asn, "read-person"),
    Read("/v1/dinas/{dinas}/files", "list_files", FILES, FilesAnswer, _files, of_dinas_now, "read-files"),
    Read("/v1/dinas/{dinas}/events", "recent_dinas", DINAS_EVENTS, RecentAnswer, _events, of_dinas, "read-reasons"),
    Read("/v1/asn/{asn}/events", "recent_asn", ASN_EVENTS, RecentAnswer, _events, of_asn, "read-person"),
    Read(
        "/v1/dinas/{dinas}/late/permits",
        "late_permits_dinas",
        LATE_PERMITS,
        LateAnswer,
        _late_permits,
        of_dinas,
        "read-reasons",
    ),
    Read(
        "/v1/dinas/{dinas}/late/tasks",
        "late_tasks_dinas",
        LATE_TASKS,
        LateAnswer,
        _late_tasks,
        of_dinas,
        "read-reasons",
    ),
    Read(
        "/v1/asn/{asn}/late/permits", "late_permits_asn", LATE_PERMITS, LateAnswer, _late_permits, of_asn, "read-person"
    ),
    Read("/v1/asn/{asn}/late/tasks", "late_tasks_asn", LATE_TASKS, LateAnswer, _late_tasks, of_asn, "read-person"),
)
ACTIONS: Final = {route.path: route.action for route in READS if route.parameters not in OF_NOW}
"""The actions of the routes that have a period, by path."""


def reads_router(reads: Reads) -> APIRouter:
    """Every route of the table."""
    router = APIRouter()
    for route in READS:
        _add(router, reads, route)
    return router


def _add(router: APIRouter, reads: Reads, route: Read) -> None:
    is_of_subject, of_now = route.parameters not in (nothing, every), route.parameters in OF_NOW
    document = read_doc(route.answer, route.summary, of_subject=is_of_subject, needs_token=not route.public)

    def answer(request: Request, parameters: Parameters) -> Response:
        subject, text, part = parameters
        grant = None if route.public else reads.access.require(request, route.action, route.subject_of(subject))
        period = reads.period(text)

        def make(snapshot: Snapshot) -> object:
            if subject.kind == "asn":
                snapshot = shown_to(grant, snapshot, subject.id, period)
            faces = Faces(grant, snapshot, subject, period)
            answer = route.make(ReadQuery(snapshot, reads.lines, period, subject, part, faces))
            return scoped(with_faces(answer, faces), snapshot)

        return reads.answer(request, None if of_now else period, make, grant=grant)

    async def read(request: Request, parameters: Annotated[Parameters, Depends(route.parameters)]) -> Response:
        if not route.public:
            return await run_in_threadpool(answer, request, parameters)
        async with reads.answers.making(key_of(request.scope, PUBLIC_VIEW)):
            return await run_in_threadpool(answer, request, parameters)

    router.add_api_route(route.path, read, name=route.name, **document)
