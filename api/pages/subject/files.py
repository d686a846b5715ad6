"""Open files: the promise for each, whether it is past, and the reason why a file waits. Their page lists those of a dinas."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self

from msgspec import Struct
from msgspec.structs import replace

from api.http.problems import bad_query
from api.pages.page import AddressedPage
from api.pages.sentences import name_of
from api.pages.subject.subject import standing_of
from api.pages.tables import Table
from api.v1.histories import file_answer, files
from domain.clock import parse_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from api.v1.answers import FileAnswer
    from domain.access.policy import Action
    from projections.reading.reader import Snapshot

OVERDUE: Final = "overdue"
"""The state of open files past their standard, as an address names it."""


class OpenRow(Struct, frozen=True):
    """An open file, in words."""

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


class FilesPage(AddressedPage, frozen=True):
    """The open files of a dinas, the one that is due first at the top."""

    template: ClassVar[str] = "files.html"
    action: ClassVar[Action] = "read-files"
    parameters: ClassVar[frozenset[str]] = frozenset({"cursor", "state", "service"})

    id: str
    name: str
    files: OpenFiles
    cursor: str | None
    overdue: bool
    service: str
    filters: dict[str, str]
    """The two above as the query of a link."""

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The open files of the dinas that an address names. Raises: ``Refusal``."""
        dinas = standing_of(query).subject.id
        filters = {name: query.parameters[name] for name in ("state", "service") if query.parameters.get(name)}
        if filters.get("state", OVERDUE) != OVERDUE:
            raise bad_query("state", f"must be {OVERDUE}, or left out")
        rows = open_files(query, dinas, query.cursor, query.listed, filters)
        service = filters.get("service", "")
        return cls(dinas, name_of(query.snapshot, dinas), rows, query.cursor, "state" in filters, service, filters)

    def tables(self, words: Words) -> Tables:
        """The open files."""
        return {"files": lambda: files_table(self.files, words)}


def open_files(
    query: PageQuery, dinas: str, cursor: str | None, limit: int, filters: Mapping[str, str] | None = None
) -> OpenFiles:
    """A page of the open files of a dinas, by the time they are due. Raises: ``Refusal``.

    ``filters``: with a ``state`` the overdue ones alone, with a ``service`` those of it.
    """
    filters = filters or {}
    overdue, service = "state" in filters, filters.get("service", "")
    page = files(query.snapshot, dinas, limit, cursor, overdue=overdue, service=service)
    rows = (file if file.asn is None or query.shows(file.asn) else replace(file, asn=None) for file in page.items)
    return OpenFiles(tuple(_row(dinas, file, query.words, query.now_us) for file in rows), page.next)


def open_files_of_asn(snapshot: Snapshot, asn: str, words: Words, now_us: int, limit: int) -> OpenFiles:
    """The first open files of an ASN, by the time they are due."""
    rows = snapshot.files_of_asn(asn, limit)
    return OpenFiles(tuple(_row(row.file.dinas, file_answer(row, snapshot), words, now_us) for row in rows), None)


def files_table(files: OpenFiles | None, words: Words, page: tuple[str, ...] = ()) -> Table:
    """Open files; ``page`` is the one that lists all of them, if it is another than the one at hand."""
    names = ("open.file", "csv.service", "open.received", "open.due", "open.state")
    rows, rest = (files.rows, files.next) if files is not None else ((), None)
    return Table(
        [*(words(name) for name in names), "ASN"],
        [(row.case, row.service, row.received_at, row.due_at, _state(row), row.asn) for row in rows],
        rest,
        page,
    )


def _state(row: OpenRow) -> str:
    return row.left if row.overdue else row.paused or row.left


def time_left(due_us: int | None, words: Words, now_us: int, *, stands: bool) -> str:
    """The time until a file is due, or since; empty without a promise, or while its clock is stopped in time."""
    if due_us is None or stands:
        return ""
    return words("open.over" if due_us < now_us else "open.left", length=words.span(abs(due_us - now_us)))


def _row(dinas: str, file: FileAnswer, words: Words, now_us: int) -> OpenRow:
    due_us = None if file.due_at is None else parse_instant(file.due_at)
    received_us = parse_instant(file.received_at)
    pause_text = ""
    if file.paused_at is not None:
        reason = next((pause.reason for pause in reversed(file.pauses) if pause.at == file.paused_at), "")
        since = words.moment(parse_instant(file.paused_at), short=True)
        pause_text = words("open.paused", reason=words.named("pause", reason) if reason else "–", since=since)
    return OpenRow(
        dinas,
        file.service,
        file.case,
        file.asn or "",
        words.moment(received_us, short=True),
        words.sortable(received_us),
        "" if due_us is None else words.moment(due_us, short=True),
        "" if due_us is None else words.sortable(due_us),
        file.overdue,
        time_left(due_us, words, now_us, stands=file.paused_at is not None and not file.overdue),
        pause_text,
    )
