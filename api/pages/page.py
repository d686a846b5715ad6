"""A page as a type: its fields are the names that its template uses, and it hands over its own tables for spreadsheets.

A new page is a subclass of one of these, its template, and one line in `api/pages/router.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self

from msgspec import Struct

from api.pages.tables import LISTED, Tables
from domain.access.policy import Action, allowed
from domain.access.subjects import SOME, Subject, Unit
from domain.clock import instant_of, local_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from api.http.persons import Faces
    from api.pages.periods import Chosen
    from api.pages.words import Words
    from domain.periods import Period
    from projections.ports import Grant, Lines
    from projections.reading.reader import Snapshot
    from projections.reading.reversals import Reversals, Reversed

FRAMED: Final = frozenset({"lang", "tur"})
"""The parameters of every page: its language, and the step of a tour that shows it."""
READ: Final = frozenset({"period", "csv"})
"""Those of every page of a reading beside them: its period, and a table for a spreadsheet."""


class Need(NamedTuple):
    """The action that a caller has to be allowed, and its subject."""

    action: Action
    subject: Subject = SOME


FREE: Final = Need("read-public")
"""The need of what everybody may see."""


class Page(Struct, frozen=True):
    """A page. Its template may use its fields, and those of the frame around every page."""

    template: ClassVar[str]
    action: ClassVar[Action] = "read-public"
    """The action that seeing it is."""
    parameters: ClassVar[frozenset[str]] = frozenset()
    """The parameters of its address, beside those of every page: any other is refused."""

    @classmethod
    def known(cls) -> frozenset[str]:
        """Every parameter of its address."""
        return FRAMED | cls.parameters

    def tables(self, words: Words) -> Tables:  # noqa: ARG002 - a page without tables needs no words for them
        """The tables that the page offers to spreadsheets."""
        return {}


class Fragment(Page, frozen=True):
    """A part of a page that is sent by itself, without a frame. Of the frame's names it has words and addresses alone."""


class ReadingPage(Page, frozen=True):
    """A page of one reading of the balances. Its template may also use what the frame says of the reading."""

    @classmethod
    def known(cls) -> frozenset[str]:
        """Every parameter of its address."""
        return FRAMED | READ | cls.parameters


class AddressedPage(ReadingPage, frozen=True):
    """A page that follows from its address and one reading, and from nothing else."""

    shared: ClassVar[bool] = False
    """True if one copy serves all callers of one kind: the public opens it."""
    lifetime_s: ClassVar[float] = 0.0
    """The time for which a shared copy may be one of a position before, in seconds."""

    @classmethod
    @abstractmethod
    def of(cls, query: PageQuery) -> Self:
        """The page that a query asks for. Raises: ``Refusal``."""
        raise NotImplementedError

    @classmethod
    def need(cls, path: Mapping[str, str]) -> Need:
        """The need of the page at an address; whether an ASN is shown the reading decides."""
        if "asn" in path:
            return Need("read-person")
        return Need(cls.action, Unit(path["dinas"]) if "dinas" in path else SOME)


class PageQuery(Struct, frozen=True):
    """The question that a page answers: an address, a caller, a period, a language, and the reading to answer from."""

    snapshot: Snapshot
    lines: Lines
    period: Period
    chosen: Chosen
    words: Words
    grant: Grant | None
    path: Mapping[str, str]
    """The parts of the address that the route names, such as ``dinas``."""
    parameters: Mapping[str, str]
    now_us: int
    listed: int = LISTED
    """The rows of a paged list that are wanted; more for a spreadsheet."""
    reversals: Reversals | None = None
    faces: Faces | None = None
    """The ASN whom the caller is shown on the page of a dinas or an ASN."""

    def shows(self, asn: str) -> bool:
        """True if the caller is shown an ASN whom a fact or a file of the page's subject names."""
        return self.faces is None or self.faces.shows(asn)

    def allows(self, action: Action, subject: Subject = SOME) -> bool:
        """True if the caller may do an action on a subject."""
        return allowed(self.grant, action, subject, self.now_us)

    @property
    def cursor(self) -> str | None:
        """The cursor of a paged list."""
        return self.parameters.get("cursor")

    @property
    def running(self) -> str:
        """The name of the current month."""
        return self.chosen.current.name

    @property
    def today(self) -> date:
        """The day in the zone of the pages."""
        return local_date(self.now_us, self.words.zone)

    @property
    def tomorrow_us(self) -> int:
        """The instant at which the next day begins in the zone of the pages."""
        return instant_of(datetime.combine(self.today + timedelta(days=1), time(), self.words.zone))

    @property
    def midnight_us(self) -> int:
        """The instant at which the day began in the zone of the pages."""
        return instant_of(datetime.combine(self.today, time(), self.words.zone))

    def reversed_of(self, dinas: str) -> Reversed | None:
        """How many facts and ratings of a dinas were reversed."""
        if self.reversals is None:
            return None
        return self.reversals.of(dinas, self.period, self.snapshot.position, self.midnight_us)

    def most(self, first: int) -> int:
        """The rows to make of a list of which a page shows the first: these, or as many as a spreadsheet gets."""
        return first if self.listed == LISTED else self.listed
