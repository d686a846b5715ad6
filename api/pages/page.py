"""A page as a type: its fields are the names that its template uses, and it hands over its own tables for spreadsheets.

A new page is a subclass of one of these, its template, and one line in `api/pages/router.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Self

from msgspec import Struct

from domain.clock import instant_of, local_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from api.pages.periods import Chosen
    from api.pages.tables import Tables
    from api.pages.words import Words
    from domain.periods import Period
    from projections.ports import Grant, Lines
    from projections.reading.reader import Snapshot

FRAMED: Final = frozenset({"lang", "tur"})
"""The parameters of every page: its language, and the step of a tour that shows it."""
READ: Final = frozenset({"period", "csv"})
"""Those of every page of a reading beside them: its period, and a table for a spreadsheet."""
LISTED: Final = 50
"""The rows of a paged list that a page shows at once."""


class Page(Struct, frozen=True):
    """A page. Its template may use its fields, and those of the frame around every page."""

    template: ClassVar[str]
    scope: ClassVar[str] = ""
    """The scope that a caller needs to see it; empty if everybody may."""
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

    @property
    def may_read(self) -> bool:
        """True if the caller may read about persons."""
        return self.grant is not None and "read" in self.grant.scopes

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

    def most(self, first: int) -> int:
        """The rows to make of a list of which a page shows the first: these, or as many as a spreadsheet gets."""
        return first if self.listed == LISTED else self.listed
