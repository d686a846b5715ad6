"""The port of a location: a directory or a database that holds journal, balances and tokens.

The composition root works with a ``Location`` and does not ask which kind it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from projections.store.store import Store
    from streams.journal.journal import JournalLocation
    from streams.places.security import SecurityStore
    from streams.places.tokens import TokenStore


class InUse(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """Another process uses the location."""


class NoDatabase(Exception):  # noqa: N818 - an answer to the operator
    """The named database cannot be used; the message says why, without a secret."""


class BalanceGenerations(Protocol):
    """The generations of balances, in files or in a database."""

    def current(self) -> tuple[int, Store] | None:
        """The generation served, or ``None`` when there is none of this version."""
        ...

    def begin(self) -> tuple[int, Store]:
        """A new, empty generation that is not served yet."""
        ...

    def flip(self, generation: int, finish: Callable[[], object] = ..., *, undivided: bool = ...) -> None:
        """Serve a generation from now on, once ``finish`` has caught it up."""
        ...

    def sweep(self, keep: int) -> None:
        """Remove older generations."""
        ...


class Location(Protocol):
    """A directory, or a database."""

    @property
    def label(self) -> str:
        """Its name for people; no secret."""
        ...

    @property
    def journal(self) -> JournalLocation:
        """The location of the journal."""
        ...

    @property
    def unavailable(self) -> tuple[type[Exception], ...]:
        """The errors that reading raises while the location cannot be reached for a moment."""
        ...

    def generations(self) -> BalanceGenerations:
        """The generations of balances."""
        ...

    def token_store(self) -> TokenStore:
        """The tokens; made if missing."""
        ...

    def security_log(self) -> SecurityStore:
        """The security log; made if missing."""
        ...

    def locked(self) -> AbstractContextManager[None]:
        """Be the only process that folds here. Raises: ``InUse``."""
        ...

    def rebuilding(self) -> AbstractContextManager[None]:
        """The lock that a rebuild holds. Raises: ``InUse``."""
        ...

    def for_subprocess(self) -> tuple[list[str], dict[str, str]]:
        """The options and the settings that name this location to another process of the program."""
        ...


def ensure_served(generations: BalanceGenerations) -> tuple[int, Store]:
    """The generation served; a new one when there is none of this version.

    A new one is opened again after the flip, since only then it refuses to fold once another one is served.
    """
    current = generations.current()
    if current is None:
        number, fresh = generations.begin()
        fresh.engine.dispose()
        generations.flip(number)
        current = generations.current()
    assert current is not None, "just flipped"  # noqa: S101 - for the type checker
    return current
