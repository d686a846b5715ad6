"""A Neraca of many processes for each test: a database of its own, on a broker that holds nothing of an earlier one."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from deploy.local_kafka import LocalKafka
from tests.kafka.serving import Scaled
from tests.kafka.topics import Topics

FAULTS: Final = os.environ.get("NERACA_FAULTS") == "1"
"""``NERACA_FAULTS=1``, as `make soak` sets it, runs the files whose recovery times a busy machine stretches beyond their limits."""
collect_ignore = [] if FAULTS else ["test_faults.py", "test_relay.py"]


@pytest.fixture
def topics(kafka: LocalKafka) -> Topics:
    """The session's broker, up and empty."""
    kafka.start()
    topics = Topics(kafka.bootstrap)
    topics.clear()
    return topics


@pytest.fixture
def scaled(tmp_path: Path, database_url: str, topics: Topics) -> Iterator[Scaled]:
    """Nothing of it runs until the test starts it."""
    with Scaled(tmp_path, database_url, topics.bootstrap) as scaled:
        yield scaled
