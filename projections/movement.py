"""Recent changes to balances: replayed to reconnecting readers, pushed to listeners."""

import threading
from collections import deque
from collections.abc import Callable

from projections.segment import Moved

KEPT = 2000


class Movement:
    """Thread-safe: the follower reports each ``Moved``, and listeners are called with them in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[tuple[int, Moved]] = deque(maxlen=KEPT)
        self._listeners: list[Callable[[Moved], None]] = []

    def tell(self, before: int, move: Moved) -> None:
        """The fold went from position ``before`` to ``moved.position``."""
        with self._lock:
            self._kept.append((before, move))
            listeners = list(self._listeners)
        for listener in listeners:
            listener(move)

    def listen(self, listener: Callable[[Moved], None]) -> Callable[[], None]:
        """Call ``listener`` with each later change; the function returned ends this."""
        with self._lock:
            self._listeners.append(listener)

        def end() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return end

    def since(self, position: int, head: int) -> list[Moved] | None:
        """The changes after a position; ``None`` when they are no longer, or were never, known here."""
        if position == head:
            return []
        with self._lock:
            moves = [(before, move) for before, move in self._kept if move.position > position]
        if not moves or moves[0][0] > position or position > head:
            return None
        return [move for _, move in moves]
