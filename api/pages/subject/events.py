"""The events behind one number of a subject, a service or a measure, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self

from msgspec import Struct

from api.http.persons import masked
from api.pages.measures import measure_label
from api.pages.page import AddressedPage
from api.pages.sentences import Event, event_row, name_of
from api.pages.subject.subject import standing_of
from api.pages.tables import Table
from api.v1.reads import cursor_of, number_after, shown_behind
from domain.measures import INDEX
from domain.refusal import Fault, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.pages.page import PageQuery
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action
    from domain.score.scorecard import Standing, Subject
    from projections.reading.why import Behind

SCANNED_MOST: Final = 40
"""A page looks through so many times as many events as it lists; if few of them count for the number, it is short."""
COUNTS: Final = {"ratings": ("respondents", "overall_n")}
"""Counts of a scorecard that are a sum of measures."""


class Events(Struct, frozen=True):
    """A page of events, and the service and the measure that they are limited to."""

    rows: tuple[Event, ...]
    service: str
    measure: str
    next: str | None


class EventsPage(AddressedPage, frozen=True):
    """The events behind a number of a dinas or an ASN."""

    template: ClassVar[str] = "events.html"
    action: ClassVar[Action] = "read-reasons"
    parameters: ClassVar[frozenset[str]] = frozenset({"service", "measure", "cursor"})

    events: Events
    subject: Subject
    name: str
    cursor: str | None
    filters: dict[str, str]

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The events of the subject that an address names. Raises: ``Refusal``."""
        standing, limits = standing_of(query), query.parameters
        subject = standing.subject
        return cls(
            events_behind(query, standing, limits, query.listed),
            subject,
            name_of(query.snapshot, subject.id) if subject.kind == "dinas" else subject.id,
            query.cursor,
            {name: limits[name] for name in ("service", "measure") if limits.get(name)},
        )

    def tables(self, words: Words) -> Tables:
        """The events."""
        return {"events": lambda: events_table(self.events.rows, self.events.next, words)}


def events_behind(query: PageQuery, standing: Standing, limits: Mapping[str, str], most: int) -> Events:
    """The events that moved a balance; ``limits`` may name a service, a measure, a cursor. Raises: ``Refusal``."""
    snapshot, period, words = query.snapshot, query.period, query.words
    service, measure = limits.get("service", ""), limits.get("measure", "")
    if measure and measure not in INDEX and measure not in COUNTS:
        raise Refusal("invalid-query", f"measure: {measure} is none", Fault("/measure", "is none"))
    before = number_after(limits.get("cursor"), "before")
    scheme = snapshot.scheme(period)
    rows: list[Event] = []
    entries = shown_behind(
        snapshot, query.lines, standing.subject, period, before, newest=True, service=service or None
    )
    for number, event in enumerate(entries, start=1):
        if _counts(event, service, measure):
            rows.append(event_row(masked(event, query.shows), scheme, words))
        if len(rows) == most or number == SCANNED_MOST * most:
            return Events(tuple(rows), service, _label(measure, words), cursor_of("before", str(event.position)))
    return Events(tuple(rows), service, _label(measure, words), None)


def events_table(events: Sequence[Event], rest: str | None, words: Words, page: tuple[str, ...] = ()) -> Table:
    """Events with what they posted; ``page`` is the one that lists all of them, if it is another."""
    names = (
        "receipt.position",
        "receipt.occurred",
        "receipt.event",
        "csv.detail",
        "csv.name",
        "receipt.posted",
        "journal.recorded",
    )
    return Table(
        [words(name) for name in names],
        [
            (event.at, event.instant, event.what, event.detail, event.name, event.posted, event.recorded_at)
            for event in events
        ],
        rest,
        page,
    )


def _counts(event: Behind, service: str, measure: str) -> bool:
    """True if an event counts for a number."""
    postings = [posting for posting in event.postings if not service or posting["account"][2] == service]
    names = COUNTS.get(measure, (measure,))
    return not measure or any(posting["amounts"].get(name) for posting in postings for name in names)


def _label(measure: str, words: Words) -> str:
    if not measure:
        return ""
    return words(f"count.{measure}") if measure in COUNTS else measure_label(measure, words)
