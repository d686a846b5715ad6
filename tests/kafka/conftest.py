"""A Neraca of many processes for each test: a database of its own, on a broker that holds nothing of an earlier one."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.local_kafka import LocalKafka
from streams.places.database import Database
from tests.kafka.guard_database import Partitions
from tests.kafka.serving import Scaled
from tests.kafka.topics import Topics


@pytest.fixture
def topics(kafka: LocalKafka) -> Topics:
    """The session's broker, up and empty."""
    return Topics.cleared(kafka)


@pytest.fixture
def cluster(tmp_path: Path, database_url: str, topics: Topics) -> Iterator[Scaled]:
    """Nothing of it runs until the test starts it."""
    with Scaled(tmp_path, database_url, topics.bootstrap) as cluster:
        yield cluster


@pytest.fixture
def setup(database_url: str) -> Iterator[Partitions]:
    """Three segments of partition 1 and of partition 0, of which nothing is folded."""
    with ExitStack() as ending:
        yield Partitions(Database(database_url).prepare(), ending)
