"""The PostgreSQL database of a Neraca of many processes: its connections, its tables, and the locks of those that fold."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as SQLTimeoutError

from projections.store.generations_postgres import SCHEMA, PostgresGenerations, postgres_engine
from streams.journal.journal import JournalApplication, PersistenceError
from streams.places.location import InUse, NoDatabase
from streams.places.roles import WORKER, prepare_roles
from streams.places.security import SecurityStore
from streams.places.tokens import TokenStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

UNAVAILABLE: Final = (
    NoDatabase,
    OperationalError,
    InterfaceError,
    SQLTimeoutError,
    PersistenceError,
    psycopg.OperationalError,
)
"""The errors that reading raises while the server is away, or does not answer in time."""
_MAKING: Final = 7_305_531_001
"""The lock of a process that makes missing tables: PostgreSQL's IF NOT EXISTS does not protect from a neighbour."""
_FOLDING: Final = 7_305_531_002
"""The lock of those that fold: exclusive for a process that folds everything, shared among workers."""
_TABLES: Final = f"""
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
CREATE TABLE IF NOT EXISTS {SCHEMA}.generations (generation int PRIMARY KEY, version int NOT NULL, served boolean NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.layouts (layout int PRIMARY KEY, partitions int NOT NULL, from_position bigint NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.segment_keys (layout int PRIMARY KEY, name text NOT NULL, key bytea NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.relays (
    layout int PRIMARY KEY, scanned bigint NOT NULL, sent bigint[] NOT NULL, again bigint[] NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.workers (name text PRIMARY KEY, epoch bigint NOT NULL, holder text NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.gaps (source text, position bigint, times int NOT NULL, PRIMARY KEY (source, position));
CREATE TABLE IF NOT EXISTS {SCHEMA}.parked (key text PRIMARY KEY, record bytea NOT NULL, until_us bigint NOT NULL);
"""
_OWNED: Final = "SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = %s"
_WORKERS: Final = """
SELECT has_schema_privilege(oid, %s, 'USAGE') AND pg_has_role(current_user, oid, 'MEMBER') FROM pg_roles WHERE rolname = %s
"""
_PREPARED: Final = f"""
SELECT FROM pg_attribute WHERE attrelid = to_regclass('{SCHEMA}.neraca_events') AND attname = 'leaf'
AND to_regclass('{SCHEMA}.tokens') IS NOT NULL AND to_regclass('{SCHEMA}.segment_keys') IS NOT NULL
"""


class Database:
    """A PostgreSQL database, by its URL."""

    unavailable: Final = UNAVAILABLE

    def __init__(self, url: str, password: str | None = None) -> None:
        """``password`` is that of a URL without one."""
        try:
            self._url = make_url(url)
        except ArgumentError:
            message = "NERACA_DATABASE_URL: not an address such as postgresql://user:password@host:5432/database"
            raise NoDatabase(message) from None
        if self._url.get_backend_name() != "postgresql" or not self._url.database:
            message = f"NERACA_DATABASE_URL: {self.label} is no PostgreSQL database"
            raise NoDatabase(message)
        if password is not None and self._url.password is None:
            self._url = self._url.set(password=password)
        self._settings: dict[str, Any] = {
            "host": self._url.host,
            "port": self._url.port or 5432,
            "user": self._url.username,
            "password": self._url.password,
            "dbname": self._url.database,
            **self._url.query,
        }
        self.is_owner = True
        """True if this user owns the tables, or would by making them; ``prepare`` finds out."""
        self._balances_role: str | None = None
        """The role as which an owner makes balances once there are roles, so that the others can read them."""

    @property
    def label(self) -> str:
        """The address without its password."""
        return self._url.render_as_string(hide_password=True)

    @property
    def journal(self) -> Database:
        """The location of the journal: this database."""
        return self

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which the event store's library finds the journal."""
        return {
            "PERSISTENCE_MODULE": "streams.journal.postgres:PostgresJournalFactory",
            "POSTGRES_SCHEMA": SCHEMA,
            "POSTGRES_DBNAME": self._url.database or "",
            "POSTGRES_HOST": self._url.host or "",
            "POSTGRES_PORT": str(self._url.port or 5432),
            "POSTGRES_USER": self._url.username or "",
            "POSTGRES_PASSWORD": self._url.password or "",
            "POSTGRES_PRE_PING": "y",
            "CREATE_TABLE": "y" if self.is_owner else "n",
            "POSTGRES_CONNECT_TIMEOUT": "5",
            # After a restart of the server the pool pauses for each dead connection it still holds, ever longer: hold few.
            "POSTGRES_POOL_SIZE": "1",
        }

    def exists(self) -> bool:
        """Assume that there is a database: connecting says why not."""
        return True

    def prepare(self) -> Database:
        """As the owner, make the schema and missing tables; as another role, see that they are there.

        Raises: ``NoDatabase`` when the database cannot be reached, or its owner has yet to prepare it.
        """
        with self.connected("prepare") as db, db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
            row = db.execute(_OWNED, (SCHEMA,)).fetchone()
            self.is_owner = row is None or bool(row[0])
            if self.is_owner:
                db.execute(_TABLES.encode())
                row = db.execute(_WORKERS, (SCHEMA, WORKER)).fetchone()
                self._balances_role = WORKER if row is not None and row[0] else None
            elif db.execute(_PREPARED).fetchone() is None:
                message = f"{self.label}: tables are missing; its owner has to run: neraca database prepare"
                raise NoDatabase(message)
        return self

    def prepare_roles(self, passwords: Mapping[str, str]) -> None:
        """Make all tables, the roles of the processes and their rights. Raises: ``NoDatabase`` for any but the owner."""
        if not self.is_owner:
            message = f"{self.label}: only the owner of the tables prepares the database"
            raise NoDatabase(message)
        JournalApplication(self.environment).close()
        self.token_store().close()
        self.security_log().close()
        try:
            with self.connected("prepare") as db, db.transaction():
                db.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
                prepare_roles(db, passwords)
            self._balances_role = WORKER
        except psycopg.errors.InsufficientPrivilege as error:
            message = f"{self.label}: {str(error).strip()}; the owner needs CREATEROLE"
            raise NoDatabase(message) from None

    @property
    def makes_balances(self) -> bool:
        """True if this user may make a generation of balances: workers, and the owner."""
        with self.connected("rights") as db:
            row = db.execute("SELECT has_database_privilege(current_database(), 'CREATE')").fetchone()
        return row is not None and bool(row[0])

    @property
    def appends(self) -> bool:
        """True if this user may add to the journal: intakes, and the owner."""
        with self.connected("rights") as db:
            query = f"SELECT to_regclass('{SCHEMA}.append_lock') IS NULL OR has_table_privilege('{SCHEMA}.append_lock', 'UPDATE')"
            row = db.execute(query.encode()).fetchone()
        return row is not None and bool(row[0])

    @contextmanager
    def making(self) -> Iterator[None]:
        """Be the only process that makes missing tables."""
        with self.connected("making") as db, db.transaction():
            db.execute("SELECT pg_advisory_xact_lock(%s)", (_MAKING,))
            yield

    def connect(self, application: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A new connection that commits each statement. Raises: ``psycopg.OperationalError``."""
        return psycopg.connect(
            **self._settings,
            application_name=f"neraca {application}",
            connect_timeout=5,
            autocommit=True,
            row_factory=tuple_row,
        )

    @contextmanager
    def connected(self, application: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A connection for the length of a ``with``. Raises: ``NoDatabase`` when none can be made."""
        try:
            db = self.connect(application)
        except psycopg.OperationalError as error:
            message = f"{self.label}: {str(error).strip()}"
            raise NoDatabase(message) from None
        with db:
            yield db

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only process that folds this database. Raises: ``InUse`` when another one does."""
        with self.connected("alone") as db:
            row = db.execute("SELECT pg_try_advisory_lock(%s)", (_FOLDING,)).fetchone()
            if row is None or not row[0]:
                message = f"{self.label}: another neraca folds this database, alone or as a worker"
                raise InUse(message)
            yield

    def rebuilding(self) -> AbstractContextManager[None]:
        """No lock: a rebuild runs beside the processes that fold."""
        return nullcontext()

    def for_subprocess(self) -> tuple[list[str], dict[str, str]]:
        """A setting that names this database to another process. It holds a password, so it must not be an option."""
        return [], {"NERACA_DATABASE_URL": self._url.render_as_string(hide_password=False)}

    def share_folding(self, db: psycopg.Connection[tuple[Any, ...]]) -> None:
        """Fold beside other workers for as long as ``db`` is open. Raises: ``InUse`` when one process folds alone."""
        row = db.execute("SELECT pg_try_advisory_lock_shared(%s)", (_FOLDING,)).fetchone()
        if row is None or not row[0]:
            message = f"{self.label}: neraca up folds this database alone; stop it before workers start"
            raise InUse(message)

    def generations(self) -> PostgresGenerations:
        """The generations of balances. Workers own them: an owner of the database acts as one, once there are roles."""
        return PostgresGenerations(self._driver_url(), self._balances_role)

    def token_store(self) -> TokenStore:
        """The tokens; made if missing."""
        with self.making():
            return TokenStore(postgres_engine(self._driver_url(), SCHEMA))

    def security_log(self) -> SecurityStore:
        """The security log; made if missing."""
        with self.making():
            return SecurityStore(postgres_engine(self._driver_url(), SCHEMA))

    def _driver_url(self) -> str:
        return self._url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
