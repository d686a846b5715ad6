"""The port of an emitter: a client sends a counter's events and says what became of them.

A client tells errors that may pass (``NotNow``) from those that will not (``NotTaken``).
"""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct


class NotNow(Exception):  # noqa: N818 - a state of the network
    """Nothing is known to be recorded; the same may be sent again."""


class NotTaken(Exception):  # noqa: N818 - an answer
    """The whole request was refused; sending it again changes nothing."""


class Answer(Struct):
    """The outcome of a batch; ``rejected`` holds the index and the problem of each rejected event."""

    accepted: int
    duplicates: int
    rejected: list[dict[str, Any]]


class Client(Protocol):
    """Sends a counter's events."""

    def send(self, lines: list[bytes]) -> Answer:
        """Send events, one a line. Raises: ``NotNow``, ``NotTaken``."""
        ...

    def close(self) -> None:
        """Drop the connection."""
        ...
