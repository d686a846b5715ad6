"""The embedded follower: it reads the journal in pages and folds them into the store, woken by appends and by a poll.

It stops, with a log entry, at an entry this version does not know. It resumes only on the journal it folded from.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from domain.events.decoding import decoded
from projections.segment import JOURNAL, At, NotWritten, Segment, Superseded, WrongJournal
from streams.journal.journal import line_hash
from streams.retrying import PROMPT, Interrupted, Retrying

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.live import Live
    from projections.store.store import Store
    from streams.journal.journal import Journal

PAGE: Final = 1000
POLL_S: Final = 0.05
GATHER_S: Final = 0.08
"""The time the next fold waits for more entries: an event is visible sooner than a person can look."""
LOG: Final = logging.getLogger("neraca.follower")


def verified_position(journal: Journal, store: Store) -> int:
    """The position up to which a store is folded, checked against the journal's entry there.

    Raises: ``WrongJournal`` when the journal is another one, or was put back to an older state.
    """
    if store.is_divided():
        message = (
            "the balances are folded by workers, in partitions: start neraca worker, "
            "or fold them as one: neraca rebuild --undivided"
        )
        raise WrongJournal(message)
    source = store.source(JOURNAL)
    if source is None:
        return 0
    folded_from, position, hash_then = source
    hash_now = journal.hash_at(position) if position else ""
    if folded_from != journal.id or hash_now != hash_then:
        where = "ends before it" if hash_now is None else "holds another entry there"
        message = (
            f"the balances were folded up to position {position} of journal {folded_from}, "
            f"but journal {journal.id} {where}. "
            "Was an older journal restored? Then run: neraca rebuild --restored"
        )
        raise WrongJournal(message)
    return position


def read_segment(journal: Journal, after: int, page: int = PAGE) -> Segment | None:
    """The next page of entries after a position. Raises: ``StoppedAtEntry``, naming its position."""
    lines = journal.lines(after, page)
    if not lines:
        return None
    entries = decoded(lines)  # before any other look at a line, so that one that cannot be read is named
    last, line, _ = entries[-1]
    return Segment(JOURNAL, journal.id, after, last, line_hash(line), entries, ZoneInfo(journal.zone))


def catch_up(journal: Journal, store: Store, page: int = PAGE, progress: Callable[[int], None] = lambda _: None) -> int:
    """Fold everything the journal holds into a store; the position reached."""
    position = verified_position(journal, store)
    while (segment := read_segment(journal, position, page)) is not None:
        position = store.fold(segment).position
        progress(position)
    return position


class Follower:
    """A thread that keeps the served figures at the journal's head."""

    def __init__(self, journal: Journal, live: Live, reopen: Callable[[Live], None] = lambda _: None) -> None:
        self._journal = journal
        self._live = live
        self._reopen = reopen
        self._wake = threading.Event()
        self._ending = False
        self._retrying = Retrying(self._transient, PROMPT, on_failure=self._failed, pause=self._pause)
        self._thread = threading.Thread(target=self._run, name="neraca-follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the journal now, since something was appended."""
        self._wake.set()

    def close(self) -> None:
        """Finish the page under way, then stop."""
        self._ending = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with suppress(Interrupted):
                while not self._ending:
                    self._pause(POLL_S)
                    self._retrying.call(self._follow)
                    self._live.waiting = None
        except Exception as error:
            self._live.stopped = str(error)
            LOG.critical("the fold has stopped at position %d: %s", self._live.position, error, exc_info=error)

    def _pause(self, pause_s: float) -> bool:
        """Wait for something to fold; true when the thread has to end."""
        self._wake.wait(pause_s)
        self._wake.clear()
        return self._ending

    def _transient(self, error: Exception) -> bool:
        return isinstance(error, NotWritten) or self._journal.is_transient(error)

    def _failed(self, error: Exception, count: int) -> None:
        """Log the first failure of a row; meanwhile the balances stay as they are, and behind."""
        if count == 1:
            LOG.error("the fold waits at position %d: %s", self._live.position, error)
        self._live.waiting = str(error)

    def _follow(self) -> None:
        """Fold every entry there is. After less than a full page, wait: answers made meanwhile stay fresh longer."""
        try:
            count = self._step()
            while count == PAGE and not self._ending:
                count = self._step()
        except Superseded:
            self._reopen(self._live)
            return
        if count and not self._ending:
            time.sleep(GATHER_S)

    def _step(self) -> int:
        live = self._live
        segment = read_segment(self._journal, live.position)
        if segment is None:
            return 0
        before, move = live.position, live.store.fold(segment)
        live.at = At(move.position)
        live.movement.tell(before, move)
        return len(segment.entries)
