"""The auditor's desk: a replay to a chosen instant beside today's figures, and a digest beside the served one.

The question is in the address, so a page that waits asks again by itself, and an answer can be passed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from msgspec import Struct

from api.pages.auditor.digests import Comparison, checks_table, compared, digest_table
from api.pages.auditor.downloads import downloads_router
from api.pages.auditor.journal import AUDIT, about_journal, filter_of, opened_at, rows_of
from api.pages.auditor.journal_routes import journal_router
from api.pages.auditor.question import address, asking, question_in, start_replay
from api.pages.auditor.replay import indicators_of, indicators_table, moved
from api.pages.auditor.search import Wanted, searched
from api.pages.links import code_of
from api.pages.page import ReadingPage
from domain.periods import parse_period
from projections.ports import Done, Failed, Running

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from api.pages.auditor.journal import About, Row
    from api.pages.auditor.question import Asking
    from api.pages.auditor.replay import IndicatorEnds, Moved
    from api.pages.page import PageQuery
    from api.pages.site import Site
    from api.pages.tables import Tables
    from api.pages.words import Words
    from api.v1.reads import Reads
    from domain.access.policy import Action
    from domain.periods import Period
    from projections.ports import Question, Replays

REFRESH_S: Final = 2
ROWS: Final = 10
OF_AN_ANSWER: Final = frozenset({"indicators", "digest"})
"""Tables of a replay that has ended; while it has not, there is no table to give."""
_STARTS: Final = frozenset({"at", "position", "check"})

State = Running | Done | Failed | None


class Desk(Struct, frozen=True):
    """A question and its state; ``picked`` is the unit shown in full, ``still`` a page that does not refresh itself."""

    question: Question | None
    state: State
    picked: str
    still: bool
    head: int


class DeskPage(ReadingPage, frozen=True):
    """The desk: at most one of ``running``, ``failed`` and ``done`` is there."""

    template: ClassVar[str] = "auditor.html"
    action: ClassVar[Action] = "audit"
    parameters: ClassVar[frozenset[str]] = frozenset(
        {"until", "since", "digest", "at", "position", "check", "pick", "still"}
    )

    question: Question | None
    scored: Period
    asking: Asking
    address: dict[str, str]
    still: bool
    refresh_s: int
    running: Running | None
    total: int | None
    failed: Failed | None
    done: Done | None
    moved: Moved | None
    indicators: tuple[IndicatorEnds, ...]
    compared: Comparison | None
    others: list[Comparison]
    fields: dict[str, str]
    rows: tuple[Row, ...]
    about: About

    @classmethod
    def of(cls, query: PageQuery, replays: Replays, desk: Desk) -> Self:
        """The desk with a question and its state. Raises: ``Refusal``."""
        snapshot, words, question, state = query.snapshot, query.words, desk.question, desk.state
        period = query.period if question is None else parse_period(question.period)
        ends, comparison = None, None
        earlier = _compared(replays, [answer for answer in replays.answers() if answer[0] != question], query)
        if question is not None and isinstance(state, Done):
            ends = moved(question, state.replayed, snapshot, words, desk.picked)
            comparison = next(iter(_compared(replays, [(question, state)], query)), None)
        newest = searched(query.lines, Wanted(), desk.head + 1, ROWS).entries
        return cls(
            question=question,
            scored=period,
            asking=asking(question, period, opened_at(query.lines), words, query.now_us),
            address={} if question is None else address(question, words),
            still=desk.still,
            refresh_s=REFRESH_S,
            running=state if isinstance(state, Running) else None,
            total=int(question.until) if question is not None and question.until.isdigit() else None,
            failed=state if isinstance(state, Failed) else None,
            done=state if isinstance(state, Done) else None,
            moved=ends,
            indicators=indicators_of(ends.picked, snapshot.scheme(period), words) if ends and ends.picked else (),
            compared=comparison,
            others=earlier,
            fields=filter_of({}, words).fields,
            rows=rows_of(snapshot, newest, words),
            about=about_journal(query, desk.head),
        )

    def tables(self, words: Words) -> Tables:
        """The indicators of the picked unit, the lines that differ, and the other checks."""
        return {
            "indicators": lambda: indicators_table(self.moved, self.indicators, words),
            "digest": lambda: digest_table(self.compared, words),
            "checks": lambda: checks_table(self.others, words),
        }


def _compared(replays: Replays, answers: list[tuple[Question, Done]], query: PageQuery) -> list[Comparison]:
    """The comparisons among some answers: those whose question has a digest."""
    return [
        compared(question, answer, replays.kept_at(question.until, question.digest), query.words, query.snapshot)
        for question, answer in answers
        if question.digest
    ]


def auditor_router(site: Site, reads: Reads, replays: Replays) -> APIRouter:
    """The desk, the files to take away, and the journal."""
    router = APIRouter()
    router.include_router(downloads_router(site, reads, replays))
    router.include_router(journal_router(site, reads))

    @router.get("/auditor", response_class=HTMLResponse)
    def show_desk(request: Request) -> Response:
        def answer(_: object) -> Response:
            query, by_reader = request.query_params, _by_reader(request)
            if by_reader and "until" not in query and any(query.get(name) for name in _STARTS):
                return RedirectResponse(_start_replay(site, reads, replays, request), 303)
            question, table = question_in(reads, query), query.get("csv")
            state = None if question is None else replays.ask(question, begin=by_reader and table is None)
            if table in OF_AN_ANSWER and not isinstance(state, Done):
                return RedirectResponse(_without_table(query), 303)  # it is replayed there first
            desk = Desk(question, state, query.get("pick", ""), query.get("still") == "1", reads.lines.head())
            finish_times = [earlier.at_us for _, earlier in replays.answers()[:1]]
            extra_state = f"{desk.head} {_state_tag(state)} {finish_times}"
            return site.page(
                request, lambda page_query: DeskPage.of(page_query, replays, desk), need=AUDIT, extra_state=extra_state
            )

        return site.guarded(request, AUDIT, answer)

    return router


def _without_table(query: QueryParams) -> str:
    """The address of the page that a table is asked of."""
    rest = [(name, value) for name, value in query.multi_items() if name != "csv"]
    return f"/auditor?{urlencode(rest)}" if rest else "/auditor"


def _by_reader(request: Request) -> bool:
    """True if a reader asks: no page of another site starts a replay, and no browser that prefetches."""
    headers = request.headers
    foreign = headers.get("sec-fetch-site") in ("cross-site", "same-site")
    return not foreign and "prefetch" not in headers.get("sec-purpose", "")


def _start_replay(site: Site, reads: Reads, replays: Replays, request: Request) -> str:
    """The address of the answer that a form asks for, its replay begun. Raises: ``Refusal``."""
    query = {**request.query_params, "period": reads.period(request.query_params.get("period")).name}
    with reads.reader.snapshot() as snapshot:
        return start_replay(snapshot, reads.lines, replays, query, site.words[code_of(request)], reads.reader.now_us())


def _state_tag(state: State) -> str:
    """The part of a state by which two pages of it differ."""
    if isinstance(state, Running):
        return f"{state.events} {state.took_s:.1f} {state.other}"
    return "" if state is None else type(state).__name__
