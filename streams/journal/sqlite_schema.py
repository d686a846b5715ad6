"""The tables of a journal on SQLite, and the triggers that keep its lines as they are.

A journal of a former version is completed when it is opened: what it holds stays as it is.
"""

from __future__ import annotations

from typing import Final

from streams.journal.appending import RULE_LIST
from streams.journal.searching import RARE_INDEX, RARE_LIST

UNCHANGED: Final = "a line of the journal is never changed"
"""The beginning of the message with which a trigger refuses a statement."""
LEAVES: Final = "leaves"


def create_statements(table: str) -> list[str]:
    """The tables, the partial indexes that find rules and rare entries among millions of facts, and the triggers."""
    return [
        (
            f"CREATE TABLE IF NOT EXISTS {table} (rowid INTEGER PRIMARY KEY, originator_id TEXT NOT NULL, "
            "originator_version INTEGER NOT NULL, topic TEXT NOT NULL, state BLOB NOT NULL, "
            "UNIQUE (originator_id, originator_version))"
        ),
        f"CREATE INDEX IF NOT EXISTS {table}_rules ON {table} (rowid) WHERE topic IN ({RULE_LIST})",
        f"CREATE INDEX IF NOT EXISTS {table}_{RARE_INDEX} ON {table} (topic) WHERE topic IN ({RARE_LIST})",
        f"CREATE TABLE IF NOT EXISTS {LEAVES} (position INTEGER PRIMARY KEY, leaf BLOB NOT NULL)",
        "CREATE TABLE IF NOT EXISTS natural_keys (key TEXT PRIMARY KEY, holder TEXT NOT NULL) WITHOUT ROWID",
        (
            "CREATE TABLE IF NOT EXISTS case_notes (key TEXT, position INTEGER, "
            "PRIMARY KEY (key, position)) WITHOUT ROWID"
        ),
        *_triggers(table, "rowid", "originator_id = NEW.originator_id AND originator_version = NEW.originator_version"),
        *_triggers(LEAVES, "position", "position = NEW.position"),
    ]


def _triggers(table: str, place: str, same: str) -> list[str]:
    """Refuse to update or delete rows, also by ``INSERT OR REPLACE``, which deletes without asking a trigger."""
    conditions = {
        "update": "BEFORE UPDATE ON {0}",
        "delete": "BEFORE DELETE ON {0}",
        "replace": "BEFORE INSERT ON {0} WHEN EXISTS (SELECT 1 FROM {0} WHERE {1} = NEW.{1}) "
        "OR EXISTS (SELECT 1 FROM {0} WHERE {2})",
    }
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_{word} {condition.format(table, place, same)} "
        f"BEGIN SELECT RAISE(ABORT, '{UNCHANGED}: {word}'); END"
        for word, condition in conditions.items()
    ]


def lines_query(table: str, where: str) -> str:
    """The query for position, line and leaf of some entries, in order."""
    return (
        f"SELECT {table}.rowid, state, leaf FROM {table} LEFT JOIN {LEAVES} ON position = {table}.rowid "
        f"WHERE {where} ORDER BY {table}.rowid"
    )
