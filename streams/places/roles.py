"""Roles of a PostgreSQL database: one for each kind of process, none of which can change a line of the journal.

The owner of the schema ``neraca`` makes tables and grants, and serves nothing. Workers own the balances, which they make
anew. `neraca database prepare` writes all of it; run again, it changes nothing.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from psycopg.sql import SQL, Identifier, Literal

from projections.store.generations_postgres import SCHEMA, schema_of
from projections.store.private import write_private

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import psycopg

    Db = psycopg.Connection[tuple[Any, ...]]

INTAKE: Final = "neraca_intake"
RELAY: Final = "neraca_relay"
WORKER: Final = "neraca_worker"
API: Final = "neraca_api"
ROLES: Final = (INTAKE, RELAY, WORKER, API)
PASSWORD_BYTES: Final = 24
_READ: Final = dict.fromkeys(ROLES, "SELECT")


class Right(NamedTuple):
    """The privileges of each role on one table; on a table that no version has made yet nothing is granted."""

    table: str
    roles: Mapping[str, str]


RIGHTS: Final = (
    Right("neraca_events", _READ | {INTAKE: "SELECT, INSERT"}),
    Right("natural_keys", _READ | {INTAKE: "SELECT, INSERT, UPDATE, DELETE"}),
    Right("case_notes", _READ | {INTAKE: "SELECT, INSERT"}),
    Right("append_lock", {INTAKE: "UPDATE"}),  # to lock a table takes a right to change it, and this one is empty
    Right("parked", {INTAKE: "SELECT, INSERT, DELETE"}),
    Right("tokens", {INTAKE: "SELECT, INSERT, UPDATE", API: "SELECT"}),
    Right("token_limits", {INTAKE: "SELECT, INSERT, UPDATE", API: "SELECT"}),
    Right("generations", _READ | {WORKER: "SELECT, INSERT, UPDATE, DELETE"}),
    Right("layouts", _READ | {WORKER: "SELECT, INSERT, UPDATE", RELAY: "SELECT, UPDATE"}),  # to lock it, as above
    Right("segment_keys", {WORKER: "SELECT, INSERT", RELAY: "SELECT"}),
    Right("relays", {RELAY: "SELECT, INSERT, UPDATE", WORKER: "SELECT, UPDATE", API: "SELECT"}),
    Right("workers", {WORKER: "SELECT, INSERT, UPDATE"}),
    Right("gaps", {WORKER: "SELECT, INSERT, UPDATE, DELETE"}),
    Right("sessions", dict.fromkeys((API, INTAKE), "SELECT, INSERT, UPDATE, DELETE")),
    Right("looks", dict.fromkeys((API, INTAKE), "SELECT, INSERT, UPDATE")),
    Right("marks", dict.fromkeys((API, INTAKE), "SELECT, INSERT, UPDATE, DELETE")),
    Right("security_log", dict.fromkeys((API, INTAKE), "INSERT, SELECT (id)")),  # the id of the note that it made
)
"""The table of rights on the schema of everything but the balances."""


def prepare_roles(db: Db, passwords: Mapping[str, str]) -> None:
    """Make the roles and their rights, within the caller's transaction. Raises: ``psycopg.errors.InsufficientPrivilege``."""
    for role in ROLES:
        _make(db, role, passwords.get(role))
    _grant_journal(db)
    _hand_over_balances(db)


def _make(db: Db, role: str, password: str | None) -> None:
    """A role that may sign in and nothing more; a password that is given is set."""
    name = Identifier(role)
    if db.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        db.execute(SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(name))
    if password is not None:
        # The server keeps this verifier and no password, so none stands in the statement that its log may show.
        verifier = db.pgconn.encrypt_password(password.encode(), role.encode()).decode()
        db.execute(SQL("ALTER ROLE {} PASSWORD {}").format(name, Literal(verifier)))
    db.execute(SQL("GRANT CONNECT ON DATABASE {} TO {}").format(_database(db), name))


def _database(db: Db) -> Identifier:
    return Identifier(str(db.info.dbname))


def _grant_journal(db: Db) -> None:
    """Take away whatever a role had on the schema, then give what the table says."""
    schema, roles = Identifier(SCHEMA), SQL(", ").join(map(Identifier, ROLES))
    db.execute(SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, roles))
    db.execute(SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM PUBLIC, {}").format(schema, roles))
    db.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, roles))
    tables = {row[0] for row in db.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (SCHEMA,))}
    for table, grants in RIGHTS:
        for role, privileges in grants.items() if table in tables else ():
            text = f"GRANT {privileges} ON {{}} TO {{}}"
            db.execute(SQL(text).format(Identifier(SCHEMA, table), Identifier(role)))
    if "security_log" in tables:
        noting = SQL(", ").join(map(Identifier, (API, INTAKE)))
        db.execute(SQL("GRANT USAGE ON SEQUENCE {} TO {}").format(Identifier(SCHEMA, "security_log_id_seq"), noting))


def _hand_over_balances(db: Db) -> None:
    """Workers own every generation of balances, those of before too, and may make another; the others read them."""
    worker, readers = Identifier(WORKER), SQL(", ").join(Identifier(role) for role in ROLES if role != WORKER)
    db.execute(SQL("GRANT CREATE ON DATABASE {} TO {}").format(_database(db), worker))
    db.execute(SQL("GRANT {} TO CURRENT_USER").format(worker))
    for what, kind in (("USAGE", "SCHEMAS"), ("SELECT", "TABLES")):
        text = f"ALTER DEFAULT PRIVILEGES FOR ROLE {{}} GRANT {what} ON {kind} TO {{}}"
        db.execute(SQL(text).format(worker, readers))
    for schema in _generations(db):
        name = Identifier(schema)
        db.execute(SQL("ALTER SCHEMA {} OWNER TO {}").format(name, worker))
        # Another's alone: the change of an owner, even to the same, locks the table, and workers fold meanwhile.
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tableowner <> %s"
        for (table,) in db.execute(query, (schema, WORKER)).fetchall():
            db.execute(SQL("ALTER TABLE {} OWNER TO {}").format(Identifier(schema, table), worker))
        db.execute(SQL("GRANT USAGE ON SCHEMA {} TO {}").format(name, readers))
        db.execute(SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(name, readers))


def _generations(db: Db) -> Iterator[str]:
    """The schema of each generation of balances that is there."""
    for (generation,) in db.execute(f"SELECT generation FROM {SCHEMA}.generations ORDER BY generation").fetchall():
        schema = schema_of(generation)
        if db.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is not None:
            yield schema


def passwords_in(folder: Path) -> dict[str, str]:
    """The password of each role, from a file of its name; a file that is missing is written, readable by its owner alone."""
    passwords = {}
    for role in ROLES:
        file = folder / role
        if not file.exists():
            write_private(file, secrets.token_urlsafe(PASSWORD_BYTES).encode())
        passwords[role] = file.read_text(encoding="utf-8").strip()
    return passwords
