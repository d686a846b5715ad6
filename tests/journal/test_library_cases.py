"""The contract of the event store's library holds of the journal's recorder and factory: its own cases are run on them.

A case that cannot hold is overridden here, with its reason:

* `AggregateRecorderTestCase`, whole: run on `Unnumbered`. It wants `insert_events` to answer `None`; the journal's
  answers the positions.
* `ApplicationRecorderTestCase.optional_test_insert_subscribe`: not called, its refusal is tested. The library has no
  subscription on SQLite; the follower polls.
* `InfrastructureFactoryTestCase.test_mapper_with_cipher`, `…_with_cipher_and_compressor`, `…_with_wrong_cipher_key`:
  not run. Lines are never enciphered, and the cipher needs an extra that is not installed.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from eventsourcing.persistence import AggregateRecorder, ApplicationRecorder, StoredEvent, TrackingRecorder
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteDatastore, SQLiteProcessRecorder, SQLiteTrackingRecorder
from eventsourcing.utils import Environment

import tests.journal.library  # noqa: F401 - makes the next import possible without the cipher extra

from eventsourcing.tests.persistence import (  # isort: skip
    AggregateRecorderTestCase,
    ApplicationRecorderTestCase,
    InfrastructureFactoryTestCase,
    NonInterleavingNotificationIDsBaseCase,
)
from streams.journal.sqlite import JournalFactory, JournalRecorder


class Unnumbered(JournalRecorder):
    """The journal's recorder as an aggregate recorder: without positions in its answer."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Any:  # noqa: ANN401 - the library's
        """Insert, and return no positions."""
        super().insert_events(stored_events, **kwargs)


class OnDisk:
    """Gives each test a database file of its own."""

    def setUp(self) -> None:
        """A new directory."""
        self._directory = TemporaryDirectory()
        self._stores: list[SQLiteDatastore] = []
        self._before = set(threading.enumerate())

    def tearDown(self) -> None:
        """Give back connections and directory, once the case's readers, which it does not wait for, have ended."""
        for thread in set(threading.enumerate()) - self._before:
            thread.join()
        for store in self._stores:
            store.close()
        self._directory.cleanup()

    def recorder(self, of: type[JournalRecorder]) -> JournalRecorder:
        """A recorder over a new file."""
        store = SQLiteDatastore(str(Path(self._directory.name) / "journal.sqlite"))
        self._stores.append(store)
        recorder = of(store)
        recorder.create_table()
        return recorder


class TestAsAggregateRecorder(OnDisk, AggregateRecorderTestCase):
    """Events of an originator are selected in order, and a version is taken once."""

    def create_recorder(self) -> AggregateRecorder:
        """The journal's, its positions kept to itself."""
        return self.recorder(Unnumbered)


class TestAsApplicationRecorder(OnDisk, ApplicationRecorderTestCase[JournalRecorder]):
    """Notifications are numbered without gaps, selected in order, and writers do not disturb one another."""

    def create_recorder(self) -> JournalRecorder:
        """The journal's."""
        return self.recorder(JournalRecorder)

    def test_subscribe_is_refused(self) -> None:
        """The recorder refuses a subscription by an error, rather than going silent."""
        with pytest.raises(NotImplementedError, match="does not support subscriptions"):
            self.create_recorder().subscribe()


class TestNonInterleaving(OnDisk, NonInterleavingNotificationIDsBaseCase):
    """Two appends at once take two runs of positions, never woven into one another."""

    def create_recorder(self) -> ApplicationRecorder:
        """The journal's."""
        return self.recorder(JournalRecorder)


class Tracking(SQLiteTrackingRecorder):
    """A subclass, which the factory is asked to construct."""


class TestFactory(InfrastructureFactoryTestCase[JournalFactory]):
    """The factory is found by its name and constructs the journal's recorder; the rest is the library's."""

    def setUp(self) -> None:
        """The environment of the journal's application."""
        topic = "streams.journal.sqlite:JournalFactory"
        self.env = Environment("Neraca", {"PERSISTENCE_MODULE": topic, "SQLITE_DBNAME": ":memory:"})
        super().setUp()

    def expected_factory_class(self) -> type[JournalFactory]:
        """Ours."""
        return JournalFactory

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        """The library's: the journal never asks for one."""
        return SQLiteAggregateRecorder

    def expected_application_recorder_class(self) -> type[ApplicationRecorder]:
        """Ours."""
        return JournalRecorder

    def expected_tracking_recorder_class(self) -> type[TrackingRecorder]:
        """The library's."""
        return SQLiteTrackingRecorder

    def tracking_recorder_subclass(self) -> type[TrackingRecorder]:
        """Any subclass."""
        return Tracking

    def expected_process_recorder_class(self) -> type[Any]:
        """The library's."""
        return SQLiteProcessRecorder

    test_mapper_with_cipher = None  # type: ignore[assignment] # not run: see the table above
    test_mapper_with_cipher_and_compressor = None  # type: ignore[assignment] # not run: see the table above
    test_mapper_with_wrong_cipher_key = None  # type: ignore[assignment] # not run: see the table above
