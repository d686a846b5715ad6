"""The answers about what led to today's figures: twelve months, newest events, open files, and the journal itself."""

from collections.abc import Iterator
from typing import Annotated, Final, NamedTuple

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.http.problems import bad_query
from api.v1.answers import (
    FileAnswer,
    FilesAnswer,
    JournalAnswer,
    JournalEntry,
    LateAnswer,
    LateItem,
    Pause,
    RecentAnswer,
    Series,
)
from api.v1.reads import Reads, after_cursor, cursor_of, number_after, part_of, shown_behind
from api.v1.schemas import read_doc
from domain.clock import utc_text
from domain.intake.recorded import read_line, stated
from domain.periods import Period, months_until
from domain.score.scorecard import Standing
from projections.ports import Lines
from projections.reading.late import LateFact, LateQuery, late_facts
from projections.reading.reader import Snapshot
from projections.store.open_files import FOREVER, ListedFile

MONTHS: Final = 12
SCANNED_MOST: Final = 5000
"""The most entries that one page of the journal looks through; if few of them match, the page is short."""
_AFTER: Final = msgspec.json.Decoder(tuple[Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)], str, str])
_ONE: Final = Field(None, max_length=500, description="Entries of this one alone")


class LatePart(NamedTuple):
    """A page of late facts, and the cursor of the next."""

    items: tuple[LateFact, ...]
    next: str | None


class JournalQuery(BaseModel):
    """The entries of the journal to list, and the number of them on a page."""

    type: str | None = _ONE
    source: str | None = _ONE
    id: str | None = _ONE
    dinas: str | None = _ONE
    asn: str | None = _ONE
    service: str | None = _ONE
    case: str | None = _ONE
    limit: int = Field(100, ge=1, le=1000, description="How many items a page holds")
    cursor: str | None = Field(None, description="`next` of the page before")

    @property
    def wanted(self) -> dict[str, str]:
        """The values that entries must have, by name."""
        return self.model_dump(exclude={"limit", "cursor"}, exclude_none=True)


def series(snapshot: Snapshot, period: Period, standing: Standing) -> Series:
    """The twelve months that end with the last month of a period."""
    months = months_until(period, MONTHS)
    cards = snapshot.series(standing, months)
    return Series(standing.subject, snapshot.position, cards)


def files(
    snapshot: Snapshot, dinas: str, limit: int, cursor: str | None, *, overdue: bool = False, service: str = ""
) -> FilesAnswer:
    """A page of open files; the overdue ones alone, or those of a service, where asked. Raises: ``Refusal``."""
    text = after_cursor(cursor, "file")
    try:
        after = _AFTER.decode(text) if text else None
    except msgspec.DecodeError:
        raise bad_query("cursor", "is none of this list's") from None
    rows = snapshot.files(dinas, after, limit + 1, overdue=overdue, service=service)
    page = rows[:limit]
    following = None
    if len(rows) > limit:
        last = page[-1].file
        place = (FOREVER if last.due_us is None else last.due_us, last.service, last.case)
        following = cursor_of("file", msgspec.json.encode(place).decode())
    return FilesAnswer(dinas, snapshot.position, [file_answer(row, snapshot) for row in page], following)


def file_answer(row: ListedFile, snapshot: Snapshot) -> FileAnswer:
    """An open file as served."""
    file, state = row
    return FileAnswer(
        file.service,
        file.case,
        file.asn or None,
        utc_text(file.received_us),
        text_of(file.due_us),
        file.kind,
        snapshot.is_overdue(file),
        text_of(file.paused_us),
        [Pause(utc_text(at), reason) for at, reason in state.pauses],
        [utc_text(at) for at in state.resumed],
    )


def text_of(instant_us: int | None) -> str | None:
    """An instant in UTC; none without one."""
    return None if instant_us is None else utc_text(instant_us)


def recent(
    snapshot: Snapshot, period: Period, standing: Standing, lines: Lines, limit: int, cursor: str | None
) -> RecentAnswer:
    """A page of the events behind a standing, the newest first; without ratings for all but auditors and the operator."""
    before = number_after(cursor, "before")
    entries = shown_behind(snapshot, lines, standing.subject, period, before, newest=True)
    events, following = part_of(entries, limit, "before")
    return RecentAnswer(standing.subject, period.name, snapshot.position, events, following)


def journal(snapshot: Snapshot, lines: Lines, query: JournalQuery) -> JournalAnswer:
    """A page of the entries of the journal that match a query."""
    after, stop, filters = number_after(query.cursor, "entry"), snapshot.position, query.wanted
    page = lines.stored_lines(after, SCANNED_MOST if filters else query.limit, stop)
    items: list[JournalEntry] = []
    last = after
    for last, line in page:
        entry = _entry(last, line)
        if all(value in _values(entry, name) for name, value in filters.items()):
            items.append(entry)
        if len(items) == query.limit:
            break
    following = cursor_of("entry", str(last)) if page and last < stop else None
    return JournalAnswer(snapshot.version.journal, stop, items, following)


def late_page(snapshot: Snapshot, lines: Lines, query: LateQuery, limit: int, cursor: str | None) -> LatePart:
    """A page of late decisions or tasks, the last recorded first. Raises: ``Refusal``."""
    page = late_facts(snapshot, lines, query, number_after(cursor, "before"), limit)
    return LatePart(page.items, None if page.before is None else cursor_of("before", str(page.before)))


def late_answer(snapshot: Snapshot, lines: Lines, query: LateQuery, limit: int, cursor: str | None) -> LateAnswer:
    """The same as served."""
    page = late_page(snapshot, lines, query, limit, cursor)
    items = [_late(late) for late in page.items]
    return LateAnswer(query.subject, query.period.name, snapshot.position, query.kind, items, page.next)


def _late(late: LateFact) -> LateItem:
    data, resolution = late.fact.data, late.fact.resolved
    return LateItem(
        late.position,
        late.dinas,
        data.get("asn") or None,
        data.get("service"),
        data.get("case"),
        data.get("task"),
        text_of(resolution.received_us),
        utc_text(late.due_us),
        utc_text(late.completed_us),
        late.late_us,
        resolution.promise_us,
    )


def _entry(position: int, line: bytes) -> JournalEntry:
    event = read_line(line)
    return JournalEntry(
        position, event.type, event.source, event.id, event.time, event.recordedtime, event.recordedby, event.data
    )


def _values(entry: JournalEntry, name: str) -> Iterator[object]:
    """The values of an entry under a name: of its attributes, or of its data; for a reversal also of its facts."""
    if name in ("type", "source", "id"):
        yield getattr(entry, name)
        return
    yield from (data.get(name) for data in stated(entry.data))


def journal_router(reads: Reads) -> APIRouter:
    """The route of the journal."""
    router = APIRouter()

    @router.get("/v1/journal", **read_doc(JournalAnswer, "The journal's entries, for an auditor", needs_token=True))
    def list_journal(request: Request, query: Annotated[JournalQuery, Query()]) -> Response:
        grant = reads.access.require(request, "audit")
        return reads.answer(request, None, lambda snapshot: journal(snapshot, reads.lines, query), grant=grant)

    return router
