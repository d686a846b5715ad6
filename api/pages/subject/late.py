"""The late files or tasks behind a count of a dinas or an ASN: when each was due and done, and by how much it was late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from msgspec import Struct

from api.pages.page import AddressedPage
from api.pages.sentences import name_of
from api.pages.subject.subject import late_counts, standing_of
from api.pages.tables import Table, hours
from api.pages.targets import Target, target_of
from api.v1.histories import late_page
from domain.refusal import Fault, Refusal
from projections.reading.late import LateQuery

if TYPE_CHECKING:
    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action
    from domain.score.scorecard import Subject
    from projections.reading.late import LateFact, LateKind

KINDS: Final[dict[str, LateKind]] = {"permits": "permits", "tasks": "tasks"}


class LateRow(Struct, frozen=True):
    """A late file or task in words."""

    name: str
    service: str
    dinas: str
    unit: str
    asn: str
    due: str
    due_at: str
    done: str
    done_at: str
    late: str
    late_us: int
    position: int
    target: Target | None


class LatePage(AddressedPage, frozen=True):
    """The late files or tasks of a subject in a period; ``total`` is the count that they are behind, if all are of it."""

    template: ClassVar[str] = "late.html"
    action: ClassVar[Action] = "read-reasons"
    parameters: ClassVar[frozenset[str]] = frozenset({"kind", "service", "cursor"})

    subject: Subject
    name: str
    kind: str
    service: str
    total: int | None
    rows: tuple[LateRow, ...]
    next: str | None
    cursor: str | None
    filters: dict[str, str]

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The late files or tasks that an address names. Raises: ``Refusal``."""
        standing, parameters = standing_of(query), query.parameters
        kind, service = KINDS.get(parameters.get("kind", "permits")), parameters.get("service", "")
        if kind is None:
            raise Refusal("invalid-query", "kind: permits or tasks", Fault("/kind", "must be permits or tasks"))
        subject = standing.subject
        late_query = LateQuery(subject, query.period, kind, service)
        page = late_page(query.snapshot, query.lines, late_query, query.listed, query.cursor)
        return cls(
            subject,
            name_of(query.snapshot, subject.id) if subject.kind == "dinas" else subject.id,
            kind,
            service,
            None if service else late_counts(query.snapshot.card(standing, query.period).counts)[f"{kind}_late"].number,
            tuple(_row(fact, query) for fact in page.items),
            page.next,
            query.cursor,
            {"kind": kind} | ({"service": service} if service else {}),
        )

    def tables(self, words: Words) -> Tables:
        """The late files or tasks."""
        return {"late": lambda: _table(self.rows, self.kind, self.next, words)}


def _row(late: LateFact, query: PageQuery) -> LateRow:
    data, words, values = late.fact.data, query.words, late.fact.resolved
    asn = data.get("asn", "")
    standard_us = values.promise_us if values.due_us is None else None
    length = words.span(late.late_us) if standard_us is None else words.against(late.late_us, standard_us)
    return LateRow(
        data["case"] if "case" in data else data["task"],
        data.get("service", ""),
        late.dinas,
        name_of(query.snapshot, late.dinas),
        asn if query.shows(asn) else "",
        words.moment(late.due_us, short=True),
        words.sortable(late.due_us),
        words.moment(late.completed_us, short=True),
        words.sortable(late.completed_us),
        words("open.over", length=length),
        late.late_us,
        late.position,
        target_of(late.fact.type, data if query.shows(asn) else _nameless(data), late.position),
    )


def _nameless(data: dict[str, Any]) -> dict[str, Any]:
    """Data that name no ASN, and so lead to no page of one."""
    return {name: value for name, value in data.items() if name != "asn"}


def _table(rows: tuple[LateRow, ...], kind: str, rest: str | None, words: Words) -> Table:
    name = words("open.file") if kind == "permits" else words("late.task")
    names = ("csv.service", "open.due", "late.done", "late.hours", "receipt.position")
    return Table(
        [name, *(words(key) for key in names), "ASN"],
        [(row.name, row.service, row.due_at, row.done_at, hours(row.late_us), row.position, row.asn) for row in rows],
        rest,
    )
