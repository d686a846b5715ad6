"""The frame of all pages: the services behind it, and the names that every template may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.http.threads import Threads
    from api.http.tickets import Tickets
    from api.http.watching import Security
    from api.pages.links import Links
    from api.pages.periods import Choices, Chosen
    from api.pages.tours import Step
    from api.pages.words import Words
    from domain.periods import Period
    from projections.ports import Intake, Replays
    from projections.reading.backlog import Backlog


class Forms(Struct, frozen=True):
    """The services of the forms that record: the intake, here or elsewhere, the tickets of citizens, and the intake's threads."""

    intake: Intake
    tickets: Tickets
    threads: Threads


class PageServices(Struct, frozen=True):
    """Services of the pages beside readings: a reset of practice, replays, forms; and the marks on every page.

    ``link_spent`` is called once the sign-in link has been spent.
    """

    simulated: bool = False
    notice: Callable[[], str | None] = lambda: None
    reset: Callable[[], None] | None = None
    replays: Replays | None = None
    forms: Forms | None = None
    link_spent: Callable[[], None] = lambda: None
    security: Security | None = None


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
