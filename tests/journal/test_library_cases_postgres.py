"""The event store library's own cases, on the recorder and factory of PostgreSQL.

A case that cannot hold is overridden here, with its reason:

* `AggregateRecorderTestCase`, whole: run on `Unnumbered`. It wants `insert_events` to answer `None`; the journal's
  answers the positions.
* `InfrastructureFactoryTestCase.test_mapper_with_cipher`, `…_with_cipher_and_compressor`, `…_with_wrong_cipher_key`:
  not run. Lines are never enciphered, and the cipher needs an extra that is not installed.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, StoredEvent, TrackingRecorder
from eventsourcing.utils import Environment

import tests.journal.library  # noqa: F401 - makes the next import possible without the cipher extra

from eventsourcing.tests.persistence import (  # isort: skip
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
)

pytest.importorskip("psycopg", reason="the extra is not installed: pip install 'neraca[postgres]'")

import psycopg
from eventsourcing.postgres import (
    PostgresAggregateRecorder,
    PostgresDatastore,
    PostgresProcessRecorder,
    PostgresTrackingRecorder,
)
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import URL, make_url

from streams.journal.postgres import PostgresJournalFactory, PostgresJournalRecorder
from streams.places.database import Database


class Unnumbered(PostgresJournalRecorder):
    """The journal's recorder as an aggregate recorder: without positions in its answer."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Any:  # noqa: ANN401 - the library's
        """Insert, and return no positions."""
        super().insert_events(stored_events, **kwargs)


@contextmanager
def notified(url: URL, channel: str) -> Iterator[None]:
    """Notices on a channel, ten a second; each makes a subscription read again."""
    ending = threading.Event()

    def notify() -> None:
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            while not ending.wait(0.1):
                connection.execute(SQL("NOTIFY {}").format(Identifier(channel)))

    notifier = threading.Thread(target=notify)
    notifier.start()
    try:
        yield
    finally:
        ending.set()
        notifier.join()


class OnServer:
    """Gives each test a database of its own."""

    @pytest.fixture(autouse=True)
    def _empty(self, database_url: str) -> None:
        self._url = make_url(database_url)
        Database(database_url).prepare()
        self._stores: list[PostgresDatastore] = []

    def tearDown(self) -> None:
        """Give back the connections."""
        for store in self._stores:
            store.close()

    def recorder(self, of: type[PostgresJournalRecorder]) -> PostgresJournalRecorder:
        """A recorder over the database."""
        url = self._url
        store = PostgresDatastore(
            url.database or "",
            url.host or "",
            url.port or 0,
            url.username or "",
            "",
            pool_size=5,
            max_overflow=10,
            schema="neraca",
        )
        self._stores.append(store)
        recorder = of(store)
        recorder.create_table()
        return recorder


class TestAsAggregateRecorder(OnServer, AggregateRecorderTestCase):
    """Events of an originator are selected in order, and a version is taken once."""

    def create_recorder(self) -> AggregateRecorder:
        """The journal's, its positions kept to itself."""
        return self.recorder(Unnumbered)


class TestAsApplicationRecorder(OnServer, ApplicationRecorderTestCase[PostgresJournalRecorder]):
    """Notifications are numbered without gaps, selected in order, and writers do not disturb one another."""

    def create_recorder(self) -> PostgresJournalRecorder:
        """The journal's."""
        return self.recorder(PostgresJournalRecorder)

    def test_insert_subscribe(self) -> None:
        """On PostgreSQL the library can subscribe; it is notified of our appends too.

        Its subscription reads before it listens, and waits for ever for an append between the two. The product keeps a poll
        beside it; here a notice now and then does.
        """
        with notified(self._url, self.recorder(PostgresJournalRecorder).channel_name):
            self.optional_test_insert_subscribe()


class TestNonInterleaving(OnServer, NonInterleavingNotificationIDsBaseCase):
    """Two appends at once take two runs of positions, never woven into one another."""

    def create_recorder(self) -> ApplicationRecorder:
        """The journal's."""
        return self.recorder(PostgresJournalRecorder)


class Tracking(PostgresTrackingRecorder):
    """A subclass, which the factory is asked to construct."""


class TestFactory(OnServer, InfrastructureFactoryTestCase[PostgresJournalFactory]):
    """The factory is found by its name and constructs the journal's recorder; the rest is the library's."""

    def setUp(self) -> None:
        """The environment of the journal's application."""
        self.env = Environment("Neraca", Database(self._url.render_as_string(hide_password=False)).environment)
        super().setUp()

    def expected_factory_class(self) -> type[PostgresJournalFactory]:
        """Ours."""
        return PostgresJournalFactory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        """The library's: the journal never asks for one."""
        return PostgresAggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        """Ours."""
        return PostgresJournalRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        """The library's."""
        return PostgresTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        """Any subclass."""
        return Tracking

    def expected_process_recorder_class(self) -> type[Any]:
        """The library's."""
        return PostgresProcessRecorder

    test_mapper_with_cipher = None  # type: ignore[assignment] # not run: see the table above
    test_mapper_with_cipher_and_compressor = None  # type: ignore[assignment] # not run: see the table above
    test_mapper_with_wrong_cipher_key = None  # type: ignore[assignment] # not run: see the table above
