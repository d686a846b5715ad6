"""The frame of all pages: the names that templates may use beside those of the page itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from api.pages.links import Links
    from api.pages.periods import Choices, Chosen
    from api.pages.tours import Step
    from api.pages.words import Words
    from domain.periods import Period
    from projections.reading.backlog import Backlog


class Frame(Struct, frozen=True):
    """The names that every template may use: words, addresses, and the marks and the caller shown around each page."""

    t: Words
    link: Links
    style: str
    simulated: bool
    practice: bool
    signed: str
    at_machine: bool
    plain: bool
    step: Step | None
    practised: frozenset[str]


class Reading(Struct, frozen=True):
    """The names that the template of a ``ReadingPage`` may use: which reading and period it shows."""

    position: int
    read_us: int
    period: Period
    chosen: Chosen
    choices: tuple[Choices, ...]
    behind: Backlog | None
    notice: str | None
    stopped: bool
