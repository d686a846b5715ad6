"""The real PostgreSQL and the real Kafka that tests stand on, one of each for a session; a machine without them skips.

What a session was killed over is ended by each server's guard (``local/local_server.py``).
"""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from local.local_kafka import LocalKafka, Unfetched
from local.local_postgres import LocalPostgres
from local.local_server import LocalServer, Missing

_Server = TypeVar("_Server", bound=LocalServer)


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
            server.kill()


@pytest.fixture
def server_directory() -> Iterator[Path]:
    """A directory for a server of this test alone: no other user can pass those above ``tmp_path``."""
    with tempfile.TemporaryDirectory(prefix="neraca-server-") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    """A PostgreSQL of this process; durable, since a journal refuses one that is not."""
    yield from _for_a_session(LocalPostgres)


@pytest.fixture
def database_url(postgres: LocalPostgres) -> Iterator[str]:
    """An empty database of this test alone, also when the one before left the server down."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.start()
    yield postgres.database(name)
    postgres.start()
    postgres.drop(name)


@pytest.fixture(scope="session")
def kafka() -> Iterator[LocalKafka]:
    """A Kafka of this process."""
    yield from _for_a_session(LocalKafka)
