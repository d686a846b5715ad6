"""What is served now: the generation, its store, how far it is folded, and why the fold waits or has stopped."""

from projections.movement import Movement
from projections.store import Store


class Live:
    """Shared by the follower, which moves it, and the readers. Assignments are single steps, so no lock is needed."""

    def __init__(self, journal: str, generation: int, store: Store, position: int) -> None:
        self.journal = journal
        self.generation = generation
        self.store = store
        self.position = position
        self.stopped: str | None = None
        self.waiting: str | None = None
        self.movement = Movement()
