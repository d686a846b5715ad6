"""The page of one dinas: open files first, then indicators with their reasons, trend, services, and its ASN."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Self

from msgspec import Struct

from api.pages.bare import bare_subject
from api.pages.drawing import rank_text
from api.pages.page import AddressedPage
from api.pages.sentences import name_of
from api.pages.services import listed_of, services_of, services_table
from api.pages.subject.beam import beam
from api.pages.subject.files import files_table, open_files
from api.pages.subject.subject import (
    counts_table,
    indicators_table,
    months_table,
    reading_of,
    subject_view,
)
from api.pages.tables import Table, rank_cells
from api.v1.reads import after_cursor, listed, number_after, ranking, required_reading
from domain.access.subjects import Unit
from projections.reading import subject as reading

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from api.pages.bare import Bare
    from api.pages.page import PageQuery
    from api.pages.services import ListedServices, Services
    from api.pages.subject.beam import Beam
    from api.pages.subject.files import OpenFiles
    from api.pages.subject.subject import SubjectView
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.periods import Period
    from domain.score.scorecard import Scorecard
    from projections.reading.reader import Snapshot
    from projections.reading.reversals import Reversed
    from projections.store.open_files import Ahead

FILES_FIRST: Final = 8
"""The open files shown here; a page of their own lists all of them."""


class Staff(Struct, frozen=True):
    """A page of the ASN of a dinas, by id or by score."""

    cards: tuple[Scorecard, ...]
    first: int
    last: int
    total: int
    next: str | None
    by_score: bool


class DinasPage(AddressedPage, frozen=True):
    """One dinas. ``files`` and ``staff`` are none for a caller who may not read about persons."""

    template: ClassVar[str] = "dinas.html"
    shared: ClassVar[bool] = True
    parameters: ClassVar[frozenset[str]] = frozenset({"order", "cursor", "layanan"})

    name: str
    view: SubjectView
    bare: Bare | None
    rank: str
    beam: Beam | None
    services: Services
    listed_services: ListedServices
    ahead: Ahead
    today: date
    files: OpenFiles | None
    staff: Staff | None
    reversed: Reversed | None

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """The dinas that an address names. Raises: ``Refusal``."""
        snapshot, period, words, dinas = query.snapshot, query.period, query.words, query.path["dinas"]
        subject = reading_of(query)
        view = subject_view(subject, words, query.running)
        rank, peers = peers_of(snapshot, view.card, period, words)
        services = services_of(snapshot, subject.standing, period, query.today)
        ahead = snapshot.ahead(dinas, query.tomorrow_us)
        files = staff = None
        if query.allows("read-files", Unit(dinas)):
            files = open_files(query, dinas, None, query.most(FILES_FIRST))
        if query.allows("read-people", Unit(dinas)):
            by_score = query.parameters.get("order") == "score"
            staff = staff_of(query, dinas, by_score=by_score)
        bare = bare_subject(subject, query.chosen)
        drawing = beam(view.card.iku.value, peers, view.band)
        names = (name_of(snapshot, dinas), view, bare, rank, drawing)
        listed_services = listed_of(services, query.parameters.get("layanan", ""))
        return cls(*names, services, listed_services, ahead, query.today, files, staff, query.reversed_of(dinas))

    def tables(self, words: Words) -> Tables:
        """Open files, indicators, services, counts, months, and ASN."""
        return {
            "files": lambda: files_table(self.files, words, ("dinas", self.view.card.subject.id, "files")),
            "indicators": lambda: indicators_table(self.view, words),
            "services": lambda: services_table(self.services, words),
            "counts": lambda: counts_table(self.view, words),
            "months": lambda: months_table(self.view, words),
            "staff": lambda: _staff_table(self.staff, words),
        }


def peers_of(snapshot: Snapshot, card: Scorecard, period: Period, words: Words) -> tuple[str, tuple[Decimal, ...]]:
    """The rank of a dinas among those of its covered set, and the scores of the others of that set."""
    if card.iku.value is None:
        return words("subject.no_rank"), ()
    peers = reading.peers_of(snapshot, card, period)
    mine = next((peer for peer in peers if peer.subject == card.subject), card)
    rank = words("page.of", n=rank_text(mine, words), total=words.number(len(peers)))
    scores = (peer.iku.value for peer in peers if peer.subject != card.subject)
    return rank, tuple(score for score in scores if score is not None)


def staff_of(query: PageQuery, dinas: str, *, by_score: bool) -> Staff:
    """A page of the ASN of a dinas whom the caller is shown, by id or by rank. Raises: ``Refusal`` for a cursor of another list."""
    period, cursor = query.period, query.cursor
    everybody = required_reading(query.snapshot.asn_of(dinas, period), dinas)
    standings = everybody if query.faces is None else query.faces.among(everybody)
    page = (ranking if by_score else listed)(query.snapshot, period, standings, query.listed, cursor)
    if by_score:
        before = number_after(cursor, "rank")
    else:
        after = after_cursor(cursor, "id")
        before = sum(standing.subject.id <= after for standing in standings)
    first = before + 1 if page.items else 0
    return Staff(tuple(page.items), first, before + len(page.items), len(standings), page.next, by_score)


def _staff_table(staff: Staff | None, words: Words) -> Table:
    names = (
        "board.rank",
        "subject.staff_score",
        "subject.permits",
        "subject.ratings",
        "subject.tasks",
        "board.open",
        "board.overdue",
    )
    rows = [(card, card.counts) for card in (staff.cards if staff is not None else ())]
    return Table(
        ["ASN", *(words(name) for name in names)],
        [
            (
                card.subject.id,
                rank_cells(card)[0],
                card.iku.value,
                counts.permits,
                counts.ratings,
                counts.tasks,
                counts.permits_open,
                counts.permits_open_overdue,
            )
            for card, counts in rows
        ],
        None if staff is None else staff.next,
    )
