"""The ports between rooms: what the apps ask of intake, journal and tokens. `neraca.py` wires what is behind them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct

from domain.intake.wire import Submission
from domain.refusal import Refusal
from domain.score.scorecard import Scorecard


class Grant(Struct, frozen=True):
    """What a caller may do: scopes, and for facts the dinas and sources it may speak for (``None``: any)."""

    id: str
    scopes: frozenset[str]
    dinas: frozenset[str] | None = None
    sources: frozenset[str] | None = None


SCOPES = ("fact", "rulebook", "reverse", "read", "audit")
LOCAL = Grant("local", frozenset(SCOPES))
"""Loopback without a token: the operator at the machine."""


class Receipt(Struct, frozen=True, gc=False):
    """What an emitter gets for an event: its position, its name, when it was recorded; the same again on a repeat."""

    position: int
    event: dict[str, str]
    recorded_at: str


class Accepted(Struct, frozen=True, gc=False):
    """An event the journal holds, now or since before."""

    receipt: Receipt
    repeated: bool = False


Outcome = Accepted | Refusal


class Intake(Protocol):
    """Takes well-formed events into the journal."""

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """Record what can be recorded, in one transaction; an outcome for each, in order.

        Raises: ``Unavailable`` when nothing was recorded and the same may be sent again.
        """
        ...


class Unavailable(Exception):  # noqa: N818 - an answer to the caller
    """Nothing of a request was recorded; it may be sent again."""


class LineSearch(Struct, frozen=True):
    """Which lines to look for.

    ``types``: the types they may have; any, if there are none. ``texts``: groups of texts; a line must hold one text of
    each group, where letters of ASCII match in either case.
    """

    types: tuple[str, ...] = ()
    texts: tuple[tuple[str, ...], ...] = ()


class FoundLines(NamedTuple):
    """Lines that were found, the newest first; every position above ``reached`` was looked at."""

    lines: list[tuple[int, bytes]]
    reached: int


class Lines(Protocol):
    """Reads the journal's lines."""

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """Up to ``limit`` positions and lines after a position and not beyond ``stop``, in order."""
        ...

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        ...

    def newest(self, search: LineSearch, after: int, until: int, limit: int) -> FoundLines:
        """The newest lines of ``(after, until]`` that match, up to ``limit``.

        One call looks at so many positions as take no long time, and says how far it came.
        """
        ...

    def head(self) -> int:
        """The position of the last entry."""
        ...


class Tokens(Protocol):
    """Knows tokens by their hashes."""

    def grant(self, secret: str) -> Grant | None:
        """What a token allows, or ``None`` when it is not known or revoked."""
        ...

    def by_id(self, token_id: str) -> tuple[Grant, bytes] | None:
        """What a token allows, by its id, and a key that ends with it; ``None`` when there is none or it is revoked."""
        ...


class Question(Struct, frozen=True):
    """What is to be replayed: a period, up to an end, told also as of an earlier one; ``digest`` names lines to compare with.

    An end is a position, a vector as ``/v1/digest`` says it, or (the earlier) an instant of recording.
    """

    period: str
    until: str
    since: str = ""
    digest: str = ""


class Past(Struct, frozen=True):
    """What a journal led to at one end: its digest, and the scorecard of each dinas."""

    position: int
    digest: str
    dinas: dict[str, Scorecard]


class Between(Struct, frozen=True):
    """How many entries of each kind were recorded between the ends that bear on a dinas, and on every one."""

    dinas: dict[str, dict[str, int]]
    every: dict[str, int]


class Difference(Struct, frozen=True):
    """A line of the digest as it was kept, and as it was replayed."""

    kept: str | None
    replayed: str | None


class Against(Struct, frozen=True):
    """How many lines differ from those that were kept, and the first of them."""

    digest: str
    differs: int
    first: tuple[Difference, ...]


class Replayed(Past, frozen=True):
    """What a replay printed."""

    then: Past | None = None
    between: Between | None = None
    against: Against | None = None


class Running(Struct, frozen=True):
    """A replay goes on: since when, and how many events are folded; ``other`` when it is of another question."""

    took_s: float
    events: int
    other: bool = False


class Done(Struct, frozen=True):
    """A replay has ended: what it printed, how long it took, when it ended."""

    replayed: Replayed
    took_s: float
    at_us: int


class Failed(Struct, frozen=True):
    """A replay could not be made. Said once: asked again, it is begun again."""

    why: str


class Replays(Protocol):
    """Folds the journal from zero, apart from the balances and from this process, one question at a time."""

    def ask(self, question: Question, *, begin: bool) -> Running | Done | Failed | None:
        """How a question stands; it is begun when it may be and nothing else goes on."""
        ...

    def keep(self, until: str, lines: Iterable[bytes], at_us: int) -> str:
        """Keep the lines of what was served up to an end, to compare with them; their digest."""
        ...

    def kept_at(self, until: str, digest: str) -> int | None:
        """When it was kept that this digest was served up to an end; ``None`` when that is not known here."""
        ...

    def kept_file(self, until: str, digest: str) -> Path | None:
        """Where the lines lie that were kept; ``None`` when they are not, or no more."""
        ...

    def finished(self) -> list[tuple[Question, Done]]:
        """The questions that were answered of late, the last first."""
        ...
