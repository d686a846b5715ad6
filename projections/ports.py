"""The ports between rooms: what the apps ask of intake, journal and tokens. `neraca.py` wires what is behind them."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from domain.refusal import Refusal
from domain.wire import Submission


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


class Lines(Protocol):
    """Reads the journal's lines."""

    def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
        """Up to ``limit`` positions and lines after a position and not beyond ``stop``, in order."""
        ...

    def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
        """The lines at some positions."""
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
