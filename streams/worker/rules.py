"""Folds the rulebook's entries from the journal: the first worker that comes does it, the others skip the turn."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

import psycopg

from domain.events.decoding import decoded
from projections.segment import NotWritten
from streams.journal.journal import PersistenceError

if TYPE_CHECKING:
    from domain.events.entries import AnyEntry
    from projections.store.partitions import PartitionStore
    from streams.journal.journal import Journal

RULES_S: Final = 0.2
LOG: Final = logging.getLogger("neraca.rules")


class Rules:
    """A thread that keeps the rulebook of the balances at the journal's head."""

    def __init__(self, store: PartitionStore, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._at = -1

    def start(self) -> None:
        """Begin to fold them."""
        threading.Thread(target=self._run, name="neraca-rules", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                self.step()
            except (NotWritten, PersistenceError, psycopg.Error) as error:
                LOG.info("the rulebook waits: %s", error)
            except Exception:
                LOG.exception("the rulebook was not folded")
            time.sleep(RULES_S)

    def step(self) -> None:
        """Fold the rules up to the journal's head of now. If another worker is doing so, look again the next time."""
        head = self._journal.head()
        if head == self._at:
            return
        if self._store.fold_rules(head, self._journal.hash_at(head) or "", self._entries):
            self._at = head

    def _entries(self, after: int) -> list[tuple[int, bytes, AnyEntry]]:
        return decoded(self._journal.rule_lines(after))
