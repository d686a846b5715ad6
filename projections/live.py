"""The served generation: its store, its position, and the reason why its fold is waiting or has stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.movement import Movement

if TYPE_CHECKING:
    from projections.segment import At
    from projections.store.store import Store


class Live:
    """Shared by the follower, which moves it, and the readers. Each assignment is one step, so no lock is needed."""

    def __init__(self, journal: str, generation: int, store: Store, at: At) -> None:
        self.journal = journal
        self.served = (generation, store)
        self.at = at
        self.stopped: str | None = None
        self.waiting: str | None = None
        self.standing: dict[int, str] = {}
        """Partitions that have stopped, and why."""
        self.movement = Movement()

    @property
    def generation(self) -> int:
        """The number of the generation served."""
        return self.served[0]

    @property
    def store(self) -> Store:
        """The store of the generation served."""
        return self.served[1]

    @property
    def follows(self) -> bool:
        """True if the served balances are up to date: no fold is stopped, waiting or stuck."""
        return self.stopped is None and self.waiting is None and not self.standing

    @property
    def position(self) -> int:
        """The position up to which everything is folded."""
        return self.at.position
