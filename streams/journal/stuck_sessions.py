"""Terminates sessions that hold locks while their client is stopped, if the server's own limit does not apply.

``idle_in_transaction_session_timeout`` ends a session that waits between statements. One that waits for its client within
a pipeline of statements, or within a COPY, counts as active: if its process is stopped there, it holds its locks for
as long as it stays stopped.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from projections.store.generations_postgres import IDLE_MS

if TYPE_CHECKING:
    import psycopg

LOG: Final = logging.getLogger("neraca.standing")
WAITED_FOR: Final = """
SELECT unnest(pg_blocking_pids(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
_STANDING: Final = """
SELECT pid, state_change FROM pg_stat_activity
WHERE pid IN ({of})
AND datname = current_database() AND usename = current_user AND state = 'active' AND wait_event = 'ClientRead'
AND state_change < clock_timestamp() - %s * interval '1 ms'
"""
_END: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND state_change = %s"


class StuckSessions:
    """Sessions of this role that hold locks others need, while they themselves wait for their client.

    The query ``of`` names the candidates: by default, the sessions that others wait for at the moment.
    """

    def __init__(self, of: str = WAITED_FOR) -> None:
        self._standing = _STANDING.replace("{of}", of).encode()
        self._seen = frozenset[tuple[object, object]]()

    def end(self, db: psycopg.Connection[Any] | psycopg.Cursor[Any]) -> int:
        """End sessions found in the same statement at the last call too; returns their number. Raises: ``psycopg.Error``."""
        sessions = frozenset((pid, since) for pid, since in db.execute(self._standing, (IDLE_MS,)))
        for pid, since in sessions & self._seen:
            LOG.warning("ending session %d, which holds what others wait for and has stood still since %s", pid, since)
            db.execute(_END, (pid, since))
        sessions_ended, self._seen = len(sessions & self._seen), sessions - self._seen
        return sessions_ended
