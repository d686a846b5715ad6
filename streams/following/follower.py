"""The embedded follower: reads the journal in pages and folds them into the store, woken by appends, and a poll beside.

Stops, loudly, at an entry this version does not know; resumes only on the journal it folded from.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec

from domain.events.entries import decode
from projections.segment import JOURNAL, At, NotWritten, Segment, Superseded, WrongJournal
from streams.journal.journal import line_hash

if TYPE_CHECKING:
    from collections.abc import Callable

    from projections.live import Live
    from projections.store.store import Store
    from streams.journal.journal import Journal

PAGE: Final = 1000
POLL_S: Final = 0.05
GATHER_S: Final = 0.08
"""How long a fold waits for company after the last one: an event is visible sooner than a person can look."""
RETRY_S: Final = 0.5
LOG: Final = logging.getLogger("neraca.follower")


class UnknownEntry(Exception):  # noqa: N818 - a state of the journal, not a fault of the program
    """The journal holds an entry this version cannot read; it is not skipped."""


def verified_position(journal: Journal, store: Store) -> int:
    """How far a store is folded, checked against the journal's own entry at that position.

    Raises: ``WrongJournal`` when the journal is another, or an older state of the same has been put back.
    """
    if store.divided():
        message = (
            "the balances are folded by workers, in partitions: start neraca worker, "
            "or fold them as one: neraca rebuild --undivided"
        )
        raise WrongJournal(message)
    held = store.source(JOURNAL)
    if held is None:
        return 0
    folded_from, position, hash_then = held
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
    """The next page of entries after a position. Raises: ``UnknownEntry``, naming its position."""
    lines = journal.lines(after, page)
    if not lines:
        return None
    entries = []
    for position, line in lines:
        try:
            entries.append((position, line, decode(line)))
        except msgspec.DecodeError as error:
            message = f"position {position}: this version cannot read the entry there: {error}"
            raise UnknownEntry(message) from error
    last, line = lines[-1]
    return Segment(JOURNAL, journal.id, after, last, line_hash(line), entries)


def catch_up(journal: Journal, store: Store, page: int = PAGE, progress: Callable[[int], None] = lambda _: None) -> int:
    """Fold everything the journal holds into a store; the position reached."""
    position = verified_position(journal, store)
    while (segment := read_segment(journal, position, page)) is not None:
        position = store.fold(segment).position
        progress(position)
    return position


class Follower:
    """A thread that keeps what is served at the journal's head."""

    def __init__(self, journal: Journal, live: Live, reopen: Callable[[Live], None] = lambda _: None) -> None:
        self._journal = journal
        self._live = live
        self._reopen = reopen
        self._wake = threading.Event()
        self._ending = False
        self._late = False
        self._thread = threading.Thread(target=self._run, name="neraca-follower", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def wake(self) -> None:
        """Something was appended."""
        self._wake.set()

    def close(self) -> None:
        """Finish the page at hand, then stop."""
        self._ending = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending:
            self._wake.wait(POLL_S)
            self._wake.clear()
            try:
                self._follow()
                self._late, self._live.waiting = False, None
            except NotWritten as error:
                self._wait(error)
            except Superseded:
                self._reopen(self._live)
            except Exception as error:
                if self._journal.passing(error):
                    self._wait(error)
                    continue
                self._live.stopped = str(error)
                LOG.critical("the fold has stopped at position %d: %s", self._live.position, error, exc_info=error)
                return

    def _wait(self, error: Exception) -> None:
        """What may pass is waited for, and said once; the balances stay as they are, and behind."""
        if not self._late:
            LOG.error("the fold waits at position %d: %s", self._live.position, error)
        self._late, self._live.waiting = True, str(error)
        self._wake.wait(RETRY_S)

    def _follow(self) -> None:
        """Fold what is there. Below a full page, let the next entries gather: answers made meanwhile stay fresh longer."""
        folded = self._step()
        while folded == PAGE and not self._ending:
            folded = self._step()
        if folded and not self._ending:
            time.sleep(GATHER_S)

    def _step(self) -> int:
        live = self._live
        segment = read_segment(self._journal, live.position)
        if segment is None:
            return 0
        before, moved = live.position, live.store.fold(segment)
        live.at = At(moved.position)
        live.movement.tell(before, moved)
        return len(segment.entries)
