"""The real PostgreSQL and the real Kafka that tests stand on, one of each for a session; a machine without them skips.

When a session is killed, each server's guard ends it (``local/local_server.py``).
"""

from __future__ import annotations

import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

from local.local_kafka import SHORT_LIVED, LocalKafka, Unfetched
from local.local_postgres import LocalPostgres
from local.local_server import LocalServer, Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

_Server = TypeVar("_Server", bound=LocalServer)
IN_ITS_FOLDER: Final = {"dynamic_shared_memory_type": "mmap"}
"""Memory that a PostgreSQL shares lies in its own folder, and goes with it when the server is killed."""
BEGUN: Final = "test_begun"
"""The template of databases in which everything is made and nothing is recorded."""


def installed(server: _Server) -> _Server:
    """A server that can be started here; elsewhere the test is skipped, with the reason."""
    try:
        server.require()
    except (Missing, Unfetched) as reason:
        pytest.skip(str(reason))
    return server


def _for_a_session(make: Callable[[Path], _Server]) -> Iterator[_Server]:
    with tempfile.TemporaryDirectory(prefix="neraca-server-") as directory:
        server = installed(make(Path(directory)))
        try:
            server.start()
            yield server
        finally:
            server.stop() if isinstance(server, LocalPostgres) else server.kill()


class Databases:
    """The databases of one server. Each is a copy, and all are made and removed over one connection.

    A test may leave the server down, or start it anew: then the next call starts it and connects again.
    """

    def __init__(self, server: LocalPostgres) -> None:
        self._server = server
        self._connection: psycopg.Connection[Any] | None = None
        self._has_template = False

    def empty(self) -> str:
        """The URL of a new database with nothing in it."""
        return self._copy("template0")

    def begun(self) -> str:
        """The URL of a new database with all tables and a first, empty generation; its journal is not begun."""
        if not self._has_template:
            self._execute(f"DROP DATABASE IF EXISTS {BEGUN} WITH (FORCE)")
            self._copy("template0", BEGUN)
            _fill(self._server.url_of(BEGUN))
            self._has_template = True
        return self._copy(BEGUN)

    def drop(self, url: str) -> None:
        """Remove a database, even while clients are connected to it."""
        self._execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def close(self) -> None:
        """Give the connection back."""
        if self._connection is not None:
            self._connection.close()

    def _copy(self, template: str, name: str | None = None) -> str:
        name = name or f"test_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self._server.url_of(name)

    def _execute(self, statement: str) -> None:
        import psycopg  # noqa: PLC0415 - an extra

        self._server.start()
        if self._connection is not None:
            with suppress(psycopg.OperationalError):
                self._connection.execute(statement.encode())
                return
            self._connection.close()
        self._connection = psycopg.connect(self._server.url, autocommit=True)
        self._connection.execute(statement.encode())


def _fill(url: str) -> None:
    """Make all that ``neraca up`` makes in a new database, except the journal's first entry."""
    from streams.journal.journal import JournalApplication  # noqa: PLC0415 - an extra
    from streams.places.database import Database  # noqa: PLC0415 - the same

    database = Database(url).prepare()
    JournalApplication(database.environment).close()
    generations = database.generations()
    number, store = generations.begin()
    generations.flip(number)
    store.engine.dispose()
    generations.close()
    database.token_store()._engine.dispose()


@pytest.fixture
def server_directory() -> Iterator[Path]:
    """A directory for a server of this test alone: no other user can pass those above ``tmp_path``."""
    with tempfile.TemporaryDirectory(prefix="neraca-server-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """A PostgreSQL of this process; durable, since a journal refuses one that is not."""
    yield from _for_a_session(lambda directory: LocalPostgres(directory, settings=IN_ITS_FOLDER))


@pytest.fixture(scope="session")
def databases(postgres: LocalPostgres) -> Iterator[Databases]:
    """The databases of this process's PostgreSQL."""
    databases = Databases(postgres)
    yield databases
    databases.close()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """An empty database of this test alone, also when the one before left the server down."""
    url = databases.empty()
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def kafka() -> Iterator[LocalKafka]:
    """A Kafka of this process."""
    yield from _for_a_session(lambda directory: LocalKafka(directory, jvm=SHORT_LIVED))
