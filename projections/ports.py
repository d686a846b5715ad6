"""The ports between rooms: what the web apps need of intake, journal, tokens and replays.

The rooms above never import one another. The composition root decides which object implements each port.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from msgspec import Struct

from domain.access.grant import LOCAL as LOCAL  # noqa: PLC0414 - the ports name it too
from domain.access.grant import Grant as Grant  # noqa: PLC0414 - the ports name it too
from domain.intake.wire import Submission
from domain.refusal import Refusal
from domain.score.replayed import Replayed


class Receipt(Struct, frozen=True, gc=False):
    """An emitter's receipt for an event: its position, its name, when it was recorded. A repeat gets the same one."""

    position: int
    event: dict[str, str]
    recorded_at: str


class Accepted(Struct, frozen=True, gc=False):
    """An event that the journal holds: recorded now, or ``repeated`` when it was recorded before.

    ``unpromised``: a receipt or a decision recorded now that nothing promised a time, so that it counts as volume.
    """

    receipt: Receipt
    repeated: bool = False
    unpromised: bool = False


UNPROMISED = "neraca-unpromised"
"""The header of a batch's answer with the number of its accepted events that are ``unpromised``."""
Outcome = Accepted | Refusal


class Intake(Protocol):
    """Takes well-formed events into the journal."""

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """Record every acceptable event in one transaction; the outcomes are in the order of the events.

        Raises: ``Unavailable`` when nothing was recorded and the same may be sent again.
        """
        ...


class Unavailable(Exception):  # noqa: N818 - an answer to the caller
    """Nothing of a request was recorded; it may be sent again."""


class LineSearch(Struct, frozen=True):
    """A search for lines.

    ``types``: the types they may have; any, if there are none. ``texts``: groups of texts; a line must contain one text of
    each group, where ASCII letters match in either case.
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
        """Up to ``limit`` positions and lines after a position and not beyond ``stop``, in order, as they were recorded.

        Raises: ``ChangedEntry`` at the first that is not.
        """
        ...

    def stored_lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """The same as they are stored, unchecked: to be shown, not to be folded."""
        ...

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
        ...

    def newest(self, search: LineSearch, after: int, until: int, limit: int) -> FoundLines:
        """The newest lines of ``(after, until]`` that match, up to ``limit``.

        One call looks only at as many positions as take little time, and returns the position that it reached.
        """
        ...

    def head(self) -> int:
        """The position of the last entry."""
        ...

    def of_case(self, dinas: str, service: str, case: str) -> list[tuple[int, bytes]]:
        """Every line about the file of one case, in order: receipt, pauses, decision, and the reversals of these."""
        ...

    def course_of(self, position: int) -> list[tuple[int, bytes]]:
        """The course of a fact, in order: the fact, and every reversal of it. ``position`` is that of any of these."""
        ...

    def reversed_at(self, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """The position of the reversal of each event that has one; events are named by source and id."""
        ...


class Session(Struct, frozen=True):
    """A session that stands: its name, the id of its token, when it was begun and last used, and when it ends."""

    name: str
    token: str
    begun_us: int
    seen_us: int
    until_us: int


class Sessions(Protocol):
    """Knows the sessions of browsers by the hashes of their ids."""

    def begin(self, token_id: str, now_us: int, *, lasts_us: int, idle_us: int) -> str:
        """A new session's secret. It ends ``lasts_us`` after ``now_us``, and ``idle_us`` after its last call."""
        ...

    def holder(self, secret: str, now_us: int) -> str | None:
        """The id of the token that a session is bound to; ``None`` when there is no such session, or it has ended."""
        ...

    def end(self, secret: str) -> None:
        """End a session."""
        ...

    def spend(self, secret: str, now_us: int) -> bool:
        """Spend a sign-in link; false when it is not known, was spent, or is too old."""
        ...


class Tokens(Protocol):
    """Knows tokens by their hashes."""

    @property
    def sessions(self) -> Sessions:
        """The sessions that are bound to the tokens."""
        ...

    def grant(self, secret: str) -> Grant | None:
        """The grant of a token, or ``None`` when the token is unknown or revoked."""
        ...

    def by_id(self, token_id: str) -> Grant | None:
        """The grant of a token by its id; ``None`` when it is unknown or revoked."""
        ...


class Question(Struct, frozen=True):
    """One replay to make: a period, the end to replay to, an earlier end to compare with, and a digest to compare with.

    An end is a position or a vector in the form of ``/v1/digest``; the earlier one may also be an instant of recording.
    """

    period: str
    until: str
    since: str = ""
    digest: str = ""


class Running(Struct, frozen=True):
    """A running replay: its time so far and the number of events folded; ``other`` if it answers another question."""

    took_s: float
    events: int
    other: bool = False


class Done(Struct, frozen=True):
    """A finished replay: its output, its duration, and the instant of its end."""

    replayed: Replayed
    took_s: float
    at_us: int


class Failed(Struct, frozen=True):
    """A failed replay. It is reported once: the next request for it starts it again."""

    why: str


class Replays(Protocol):
    """Folds the journal from zero, apart from the balances and from this process, one question at a time."""

    def ask(self, question: Question, *, begin: bool) -> Running | Done | Failed | None:
        """The state of a question; with ``begin`` its replay starts, unless another one is running."""
        ...

    def keep(self, until: str, lines: Iterable[bytes], at_us: int) -> str:
        """Keep the digest lines that were served up to an end, for a later comparison; returns their digest."""
        ...

    def kept_at(self, until: str, digest: str) -> int | None:
        """The instant at which a digest served up to an end was kept; ``None`` when it is not known here."""
        ...

    def kept_file(self, until: str, digest: str) -> Path | None:
        """The file of the lines that were kept; ``None`` when there is none, or it is gone."""
        ...

    def answers(self) -> list[tuple[Question, Done]]:
        """The questions answered recently, newest first."""
        ...
