"""The tables of a journal on PostgreSQL beside the library's own, and the triggers that keep its lines as they are.

A journal of a former version is completed when its owner opens it, and its lines stay as they are. A table or trigger that
exists is left alone, since to make it anew would take locks that a running intake waits for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg.sql import SQL, Identifier, Literal

from streams.journal.appending import RULE_LIST
from streams.journal.searching import RARE_INDEX, RARE_LIST

if TYPE_CHECKING:
    from psycopg.sql import Composed

UNCHANGED: Final = "a line of the journal is never changed"
"""The beginning of the message with which the trigger refuses a statement."""
LOCK: Final = "append_lock"
"""An empty table: an append locks it, for which its role needs no right to change the table of lines."""

_COMPLETE: Final = """
DO $$ BEGIN
IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = {name}::regclass AND attname = 'leaf' AND NOT attisdropped) THEN
    ALTER TABLE {events} ADD COLUMN leaf bytea;
END IF;
IF NOT EXISTS (SELECT FROM pg_proc WHERE proname = 'refuse_change' AND pronamespace = {schema_name}::regnamespace) THEN
    CREATE FUNCTION {schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''%: %'', TG_ARGV[0], lower(TG_OP) USING ERRCODE = ''restrict_violation''; END';
END IF;
IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = {name}::regclass AND tgname = 'unchanged') THEN
    CREATE TRIGGER unchanged BEFORE UPDATE OR DELETE OR TRUNCATE ON {events}
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change({message});
END IF;
END $$
"""


def create_statements(schema: str, table: str) -> list[Composed]:
    """The statements that follow the library's own."""
    names = {
        "schema": Identifier(schema),
        "events": Identifier(schema, table),
        "rules": Identifier(f"{table}_rules"),
        "rare": Identifier(f"{table}_{RARE_INDEX}"),
        "lock": Identifier(LOCK),
        "name": Literal(f'"{schema}"."{table}"'),
        "schema_name": Literal(f'"{schema}"'),
        "message": Literal(UNCHANGED),
    }
    statements = (
        "CREATE INDEX IF NOT EXISTS {rules} ON {events} (notification_id) WHERE topic IN (" + RULE_LIST + ")",
        "CREATE INDEX IF NOT EXISTS {rare} ON {events} (topic, notification_id) WHERE topic IN (" + RARE_LIST + ")",
        "CREATE TABLE IF NOT EXISTS {schema}.natural_keys (key text PRIMARY KEY, holder text NOT NULL)",
        "CREATE TABLE IF NOT EXISTS {schema}.case_notes (key text, position bigint, PRIMARY KEY (key, position))",
        "CREATE TABLE IF NOT EXISTS {schema}.{lock} ()",
        _COMPLETE,
    )
    return [SQL(statement).format(**names) for statement in statements]
