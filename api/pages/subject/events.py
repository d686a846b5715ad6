"""The events behind one number, of a subject, a service or a measure, the newest first; and the open files of a dinas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.http.withheld import hides_ratings
from api.pages.subject.receipt import Event, event_row, measure_label
from api.v1.histories import file_answer, files
from api.v1.reads import cursor_of, entries_at, number_after
from domain.clock import parse_instant
from domain.measures import INDEX
from domain.refusal import Fault, Refusal
from projections.reading.why import behind

if TYPE_CHECKING:
    from api.pages.words import Words
    from api.v1.answers import FileAnswer
    from api.v1.reads import Reads
    from domain.periods import Period
    from domain.score.scorecard import Standing
    from projections.reading.reader import Snapshot
    from projections.reading.why import Behind

BATCH: Final = 50
BATCH_MOST: Final = 1000
SCANNED_MOST: Final = 40
"""How many times what it lists one page looks through at most; where few events count for the number, it is short."""
FILES_FIRST, EVENTS_FIRST = 8, 8
"""How many open files the page of a dinas shows, and how many events that of an ASN; their own pages have all of them."""
COUNTS: Final = {"ratings": ("respondents", "overall_n")}
"""Counts of a scorecard that are a sum of measures."""


class Events(Struct, frozen=True):
    """A page of events, and of which number they are."""

    rows: tuple[Event, ...]
    service: str
    measure: str
    next: str | None


class OpenRow(Struct, frozen=True):
    """An open file: what is promised, whether that is past, and why it waits."""

    dinas: str
    service: str
    case: str
    asn: str
    received: str
    received_at: str
    due: str
    due_at: str
    overdue: bool
    left: str
    paused: str


class OpenFiles(Struct, frozen=True):
    """A page of open files."""

    rows: tuple[OpenRow, ...]
    next: str | None


def events_behind(
    snapshot: Snapshot, reads: Reads, standing: Standing, period: Period, words: Words, asked: dict[str, str], limit: int,
) -> Events:  # fmt: skip
    """The events that moved a subject's balance, of one service or measure where asked. Raises: ``Refusal``."""
    service, measure = asked.get("service", ""), asked.get("measure", "")
    if measure and measure not in INDEX and measure not in COUNTS:
        raise Refusal("invalid-query", f"measure: {measure} is none", Fault("/measure", "is none"))
    before = number_after(asked.get("cursor"), "before")
    scheme = snapshot.scheme(period)
    hide = hides_ratings(snapshot.card(standing, period), scheme)
    rows: list[Event] = []
    batch = min(max(BATCH, limit), BATCH_MOST)
    for _ in range(0, SCANNED_MOST * limit, batch):
        positions = snapshot.positions(standing.subject, period, before, batch, newest=True, service=service or None)
        for event in behind(entries_at(reads.lines, positions), standing.subject, period, hide_ratings=hide):
            before = event.position
            if _counts(event, service, measure):
                rows.append(event_row(event, scheme, words))
            if len(rows) == limit:
                return Events(tuple(rows), service, _label(measure, words), cursor_of("before", str(before)))
        if len(positions) < batch:
            return Events(tuple(rows), service, _label(measure, words), None)
    return Events(tuple(rows), service, _label(measure, words), cursor_of("before", str(before)))


def _counts(event: Behind, service: str, measure: str) -> bool:
    mine = [posting for posting in event.postings if not service or posting["account"][2] == service]
    wanted = COUNTS.get(measure, (measure,))
    return not measure or any(posting["amounts"].get(one) for posting in mine for one in wanted)


def _label(measure: str, words: Words) -> str:
    if not measure:
        return ""
    return words(f"count.{measure}") if measure in COUNTS else measure_label(measure, words)


def open_files(
    snapshot: Snapshot, dinas: str, words: Words, now_us: int, cursor: str | None, limit: int
) -> OpenFiles:  # fmt: skip
    """A page of the open files of a dinas, what is due first first. Raises: ``Refusal``."""
    page = files(snapshot, dinas, limit, cursor)
    return OpenFiles(tuple(_row(dinas, file, words, now_us) for file in page.items), page.next)


def open_files_of_asn(snapshot: Snapshot, asn: str, words: Words, now_us: int, limit: int) -> OpenFiles:
    """The first open files of an ASN, what is due first first."""
    listed = snapshot.files_of_asn(asn, limit)
    return OpenFiles(tuple(_row(one.file.dinas, file_answer(one, snapshot), words, now_us) for one in listed), None)


def time_left(due_us: int | None, words: Words, now_us: int, *, stands: bool) -> str:
    """How long until a file is due, or since; nothing without a promise, or while its clock stands in time."""
    if due_us is None or stands:
        return ""
    return words("open.over" if due_us < now_us else "open.left", length=words.span(abs(due_us - now_us)))


def _row(dinas: str, file: FileAnswer, words: Words, now_us: int) -> OpenRow:
    due_us = None if file.due_at is None else parse_instant(file.due_at)
    left = time_left(due_us, words, now_us, stands=file.paused_at is not None and not file.overdue)
    paused = ""
    if file.paused_at is not None:
        reason = next((pause.reason for pause in reversed(file.pauses) if pause.at == file.paused_at), "")
        since = words.moment(parse_instant(file.paused_at), short=True)
        paused = words("open.paused", reason=words.named("pause", reason) if reason else "–", since=since)
    return OpenRow(
        dinas, file.service, file.case, file.asn or "",
        words.moment(parse_instant(file.received_at), short=True), words.sortable(parse_instant(file.received_at)),
        words.moment(due_us, short=True) if due_us is not None else "",
        words.sortable(due_us) if due_us is not None else "", file.overdue, left, paused,
    )  # fmt: skip
