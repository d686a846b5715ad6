"""The page of one ASN: the trend before the rank, the reasons of each indicator, open files, and the newest events."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self

from api.http.persons import dinas_shown
from api.pages.bare import bare_subject
from api.pages.page import AddressedPage
from api.pages.sentences import name_of
from api.pages.subject.beam import beam
from api.pages.subject.events import events_behind, events_table
from api.pages.subject.files import files_table, open_files_of_asn
from api.pages.subject.ranks import dinas_ranks_of
from api.pages.subject.subject import counts_table, indicators_table, months_table, reading_of, subject_view

if TYPE_CHECKING:
    from api.pages.bare import Bare
    from api.pages.page import PageQuery
    from api.pages.subject.beam import Beam
    from api.pages.subject.events import Events
    from api.pages.subject.files import OpenFiles
    from api.pages.subject.ranks import DinasRank
    from api.pages.subject.subject import SubjectView
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.access.policy import Action

EVENTS_FIRST: Final = 8
"""The events shown here; a page of their own lists all of them."""


class AsnPage(AddressedPage, frozen=True):
    """One ASN, over all dinas."""

    template: ClassVar[str] = "asn.html"
    action: ClassVar[Action] = "read-person"

    name: str
    view: SubjectView
    bare: Bare | None
    beam: Beam | None
    dinas_ranks: tuple[DinasRank, ...]
    files: OpenFiles
    events: Events
    within: tuple[str, ...]
    """The names of the dinas by whose accounts alone the ASN is shown; none if all count."""

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The ASN that an address names. Raises: ``Refusal``."""
        snapshot, period, words, asn = query.snapshot, query.period, query.words, query.path["asn"]
        subject = reading_of(query)
        view = subject_view(subject, words, query.running)
        return cls(
            asn,
            view,
            bare_subject(subject, query.chosen),
            beam(view.card.iku.value, (), view.band),
            dinas_ranks_of(snapshot, asn, period, words),
            open_files_of_asn(snapshot, asn, words, query.now_us, query.listed),
            events_behind(query, subject.standing, {}, query.most(EVENTS_FIRST)),
            tuple(name_of(snapshot, dinas) for dinas in dinas_shown(snapshot)),
        )

    def tables(self, words: Words) -> Tables:
        """Indicators, months, counts, open files and events."""
        return {
            "indicators": lambda: indicators_table(self.view, words),
            "months": lambda: months_table(self.view, words),
            "counts": lambda: counts_table(self.view, words),
            "files": lambda: files_table(self.files, words),
            "events": lambda: events_table(
                self.events.rows, self.events.next, words, ("asn", self.view.card.subject.id, "events")
            ),
        }
