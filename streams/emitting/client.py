"""The port of an emitter: a client sends a counter's events and returns the outcome of each.

An answer that accounts for every event is the only acknowledgement. Any other is one of three: it may pass (``NotNow``),
somebody has to act (``NotTaken``), or what the request carries was refused as a whole (``RequestRefused``).
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from msgspec import Struct

from domain.refusal import OUR_PROBLEMS

FORBIDDEN: Final = f"{OUR_PROBLEMS}forbidden"


class NotNow(Exception):  # noqa: N818 - a state of the network
    """Nothing is known to be recorded; the same may be sent again.

    ``after_s``: the pause that the server asks for. ``had_connection``: the connection stood, so the request may have been too
    large or too slow for this network.
    """

    def __init__(self, detail: str, *, after_s: float = 0.0, had_connection: bool = False) -> None:
        super().__init__(detail)
        self.after_s = after_s
        self.had_connection = had_connection


class NotTaken(Exception):  # noqa: N818 - an answer
    """The sender is refused, whatever it sends: a token is missing, unknown, or covers nothing of this."""


class RequestRefused(Exception):  # noqa: N818 - an answer
    """A request was refused as a whole, which says nothing yet of any one event in it.

    ``problem`` is the answer, as a problem object; ``ours``: the intake itself wrote it, not something on the way.
    """

    def __init__(self, problem: dict[str, Any], *, ours: bool) -> None:
        super().__init__(f"{problem['status']} {problem['detail']}")
        self.problem = problem
        self.ours = ours


class Rejection(Struct):
    """A refused event of a batch: its index, and its problem."""

    index: int
    problem: dict[str, Any]

    @property
    def for_now(self) -> bool:
        """True if the same event may be accepted later; a right that is missing can be granted, and the event is still true."""
        return self.problem.get("retry") is True or self.problem.get("type") == FORBIDDEN


class Answer(Struct):
    """The outcome of a batch."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]
    unpromised: int = 0
    """The receipts and decisions accepted without a standard of their time."""

    def accounts_for(self, number: int) -> bool:
        """True if it says of each of so many events what became of it."""
        indexes = {rejection.index for rejection in self.rejected}
        whole = (
            self.accepted + self.duplicates + len(indexes)
            == number
            == self.accepted + self.duplicates + len(self.rejected)
        )
        return whole and min(self.accepted, self.duplicates, *indexes, 0) == 0 and max(indexes, default=-1) < number


class Client(Protocol):
    """Sends a counter's events."""

    def send(self, lines: list[bytes]) -> Answer:
        """Send events, one a line. Raises: ``NotNow``, ``NotTaken``, ``RequestRefused``."""
        ...

    def probe(self, within_s: float) -> None:
        """Ask soon whether the intake can be reached, without sending anything. Raises: as ``send``."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...
