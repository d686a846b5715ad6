"""What is served now: the generation, its store, how far it is folded, and why the fold waits or has stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.movement import Movement

if TYPE_CHECKING:
    from projections.store.store import Store


class At(NamedTuple):
    """How far balances are folded: a position; where partitions are folded apart, the least of them and the rulebook's."""

    position: int
    partitions: tuple[int, ...] = ()
    rulebook: int = 0

    @property
    def vector(self) -> dict[str, object] | None:
        """The position of each partition and of the rulebook, as served; ``None`` where all is folded as one."""
        return {"partitions": list(self.partitions), "rulebook": self.rulebook} if self.partitions else None


class Live:
    """Shared by the follower, which moves it, and the readers. Assignments are single steps, so no lock is needed."""

    def __init__(self, journal: str, generation: int, store: Store, at: At) -> None:
        self.journal = journal
        self.served = (generation, store)
        self.at = at
        self.stopped: str | None = None
        self.waiting: str | None = None
        self.standing: dict[int, str] = {}
        """Partitions that stand still, and why."""
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
        """Whether all that is served follows the journal: nothing has stopped, waits or stands still."""
        return self.stopped is None and self.waiting is None and not self.standing

    @property
    def position(self) -> int:
        """Up to which position everything is folded."""
        return self.at.position
