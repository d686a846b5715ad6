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
        *refuse_changes(table, "rowid", UNCHANGED, f"{_same('originator_id')} AND {_same('originator_version')}"),
        *refuse_changes(LEAVES, "position", UNCHANGED),
    ]


def refuse_changes(table: str, key: str, message: str, also: str = "FALSE") -> list[str]:
    """The triggers by which a table's rows stay as they are: they refuse to update and to delete one.

    They refuse ``INSERT OR REPLACE`` too, which deletes without asking a trigger: of rows of the same ``key``, and of rows
    that ``also`` says are the same. ``message`` begins the text of each refusal.
    """
    conditions = {
        "update": f"BEFORE UPDATE ON {table}",
        "delete": f"BEFORE DELETE ON {table}",
        "replace": f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {_same(key)}) "
        f"OR EXISTS (SELECT 1 FROM {table} WHERE {also})",
    }
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_{word} {condition} BEGIN SELECT RAISE(ABORT, '{message}: {word}'); END"
        for word, condition in conditions.items()
    ]


def _same(column: str) -> str:
    """The condition that a row has the value of a row to be inserted."""
    return f"{column} = NEW.{column}"


def lines_query(table: str, where: str) -> str:
    """The query for position, line and leaf of some entries, in order."""
    return (
        f"SELECT {table}.rowid, state, leaf FROM {table} LEFT JOIN {LEAVES} ON position = {table}.rowid "
        f"WHERE {where} ORDER BY {table}.rowid"
    )
