"""The guards that need a real broker: a worker's offsets, the records it leaves unread, its client's private parts.

Each check is also run on the same process without the guard, and must then fail.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.structs import OffsetAndMetadata

from streams.kafka.broker import Sender, ensure_topic
from streams.kafka.settings import KafkaSettings
from streams.places.database import Database
from streams.worker.fold import Record
from streams.worker.shell import group_of
from streams.worker.supervisor import Exit
from tests.journal.desk import task
from tests.kafka.guard_database import Setup
from tests.kafka.guard_worker import PARTITIONS, VARIANTS
from tests.serving import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local.local_kafka import LocalKafka
    from tests.kafka.topics import Topics

CITY: Final = ("disdukcapil", "dpmptsp", "dinkes", "Dinas Pékerjaan", "x", "bappeda", "dishub", "dlh")


class Broker(Setup):
    """A journal whose segments lie on a real broker, and workers' processes that fold them."""

    def __init__(self, url: str, servers: str, topics: Topics, folder: Path, ending: ExitStack) -> None:
        super().__init__(Database(url).prepare(), ending)
        self.topics = topics
        self.servers = servers
        self.layout = self.layouts.current(PARTITIONS)
        self.group = group_of(self.journal.id, self.layout)
        kafka = KafkaSettings((servers,))
        ensure_topic(kafka, self.layout.topic, PARTITIONS)
        self.sender = Sender(kafka)
        ending.callback(self.sender.close)
        self._folder = folder
        self._environment = {**os.environ, "NERACA_DATABASE_URL": url, "NERACA_KAFKA": servers}
        self._told = 0

    def tell(self, times: int = 1) -> int:
        """A task of each dinas, relayed; the journal's head."""
        for _ in range(times):
            self._told += 1
            self.record(*(task(f"{dinas}-{self._told}", dinas=dinas) for dinas in CITY))
            self.relay(self.layout, self.sender.send)
        return self.journal.head()

    def records(self) -> list[Record]:
        """All that lies on the topic."""
        return [Record(record.partition, record.offset, record.value) for record in self.topics.read(self.layout.topic)]

    def worker(self, variant: str, name: str = "w-1") -> Worker:
        """Start a process; it is killed when the test ends."""
        assert variant in VARIANTS
        worker = Worker(name, variant, self._environment, self._folder / f"{name} {variant}.said")
        self.ending.callback(worker.kill)
        return worker

    def folded(self) -> bool:
        """True if every partition has reached the journal's head."""
        return {at for source, at in self.sources().items() if "/" in source} == {self.journal.head()}

    def stored(self) -> dict[int, int]:
        """The offset that each partition is to read next."""
        rows = self.sql("SELECT source, read_next FROM sources WHERE source LIKE '%%/%%'")
        return {int(row[0].partition("/")[2]): row[1] for row in rows}

    def commit(self, offset: int) -> None:
        """The group commits an offset for each partition; nobody of it is there."""
        garbage = {
            TopicPartition(self.layout.topic, number): OffsetAndMetadata(offset, "", -1) for number in range(PARTITIONS)
        }
        with closing(
            KafkaConsumer(bootstrap_servers=self.servers, group_id=self.group, enable_auto_commit=False)
        ) as consumer:
            consumer.commit(garbage)
        assert set(self.committed().values()) == {offset}

    def committed(self) -> dict[int, int]:
        """The group's committed offsets, of partitions that have one."""
        with closing(KafkaAdminClient(bootstrap_servers=self.servers)) as admin:
            groups = admin.list_group_offsets(self.group)
        offsets: Any = groups.get(self.group, groups)
        return {partition.partition: at.offset for partition, at in offsets.items() if at.offset >= 0}

    def members(self) -> set[str | None]:
        """The static names of the group's members."""
        with closing(KafkaAdminClient(bootstrap_servers=self.servers)) as admin:
            return {
                member["group_instance_id"] for member in admin.describe_groups([self.group])[self.group]["members"]
            }


class Worker:
    """A worker's process, and its output."""

    def __init__(self, name: str, variant: str, environment: dict[str, str], log: Path) -> None:
        self._said = log
        with log.open("wb") as into:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kafka.guard_worker", name, variant],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=into,
                stderr=into,
                start_new_session=True,
            )

    @property
    def code(self) -> int | None:
        """The exit code; ``None`` while it runs."""
        return self._process.poll()

    def output(self) -> str:
        """All its output."""
        return self._said.read_text(errors="replace")

    def told(self, what: str) -> list[dict[str, Any]]:
        """Its lines of one kind."""
        lines = re.findall(r'\{"what":.*\}$', self.output(), re.MULTILINE)
        return [message for message in map(msgspec.json.decode, lines) if message["what"] == what]

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def awaited(self, what: str) -> dict[str, Any]:
        """Wait for a line of a kind."""
        until(lambda: self.told(what) or self.code is not None, f"the worker says {what}", within_s=60)
        assert self.told(what), self.output()
        return self.told(what)[0]


@pytest.fixture
def broker(database_url: str, kafka: LocalKafka, topics: Topics, tmp_path: Path) -> Iterator[Broker]:
    """A broker with an empty topic."""
    with ExitStack() as ending:
        yield Broker(database_url, kafka.bootstrap, topics, tmp_path, ending)


def seek_check(broker: Broker, variant: str) -> None:
    """Guard 1: with any offsets committed by the group, a worker reads on from those stored beside the balances."""
    broker.tell()
    broker.fold(broker.layout).fold(broker.records())
    offsets = broker.stored()
    broker.tell(3)
    broker.commit(max(record.offset for record in broker.records()) + 1)
    worker = broker.worker(variant)
    offsets_read = worker.awaited("sought")["offsets"]
    assert {int(partition): offset for partition, offset in offsets_read.items()} == offsets
    until(broker.folded, "all is folded", within_s=60)
    assert broker.members() == {"w-1"}
    assert worker.code is None


def test_a_worker_reads_from_the_offsets_stored_beside_the_balances(broker: Broker) -> None:
    seek_check(broker, "whole")


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_guard_a_worker_reads_from_what_the_group_committed(broker: Broker) -> None:
    with pytest.raises(AssertionError):
        seek_check(broker, "committed")
    assert not broker.folded()


def failing_check(broker: Broker, variant: str) -> None:
    """Guard 8: a fold that fails ends the process; neither the stored offset nor the group's has moved past the record."""
    broker.tell()
    worker = broker.worker(variant)
    worker.awaited("failing")
    until(lambda: worker.code is not None or any(broker.committed().values()), "it ends, or commits", within_s=60)
    assert worker.code == Exit.FAILED, worker.output()
    assert not any(broker.committed().values())
    assert set(broker.stored().values()) == {0}


def test_a_fold_that_fails_ends_the_process_and_nothing_is_acknowledged(broker: Broker) -> None:
    failing_check(broker, "failing")


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_guard_what_failed_is_acknowledged_and_skipped(broker: Broker) -> None:
    with pytest.raises(AssertionError):
        failing_check(broker, "failing unguarded")
    assert any(broker.committed().values())


def coordinator_check(broker: Broker, variant: str, why: str, within_s: float = 20.0) -> None:
    """Guard 5: the names under which the worker looks at its client are the client's; what it finds there ends it."""
    worker = broker.worker(variant)
    worker.awaited("harmed")
    try:
        until(lambda: worker.code is not None, "it ends", within_s=within_s)
    except TimeoutError as error:
        raise AssertionError(worker.output()) from error
    assert worker.code == Exit.READ_AGAIN, worker.output()
    assert why in worker.output()


@pytest.mark.parametrize(
    ("variant", "why"), [("fenced", "the coordinator failed"), ("over", "the coordination has ended")]
)
def test_what_the_coordinator_keeps_to_itself_ends_the_process(broker: Broker, variant: str, why: str) -> None:
    coordinator_check(broker, variant, why)


@pytest.mark.planted
@pytest.mark.speed("soak")
def test_without_its_guard_nobody_reads_the_coordinators_error(broker: Broker) -> None:
    with pytest.raises(AssertionError):
        coordinator_check(broker, "fenced unwatched", "the coordinator failed", within_s=4.0)


def test_rebalances_in_quick_succession_lose_nothing(broker: Broker) -> None:
    """Guard 1: two more workers join while one folds, one of them leaves at once: no offset is passed over, all is folded once."""
    broker.tell()
    first = broker.worker("whole")
    first.awaited("sought")
    second, third = broker.worker("whole", "w-2"), broker.worker("whole", "w-3")
    while not (second.told("sought") and third.told("sought")):
        broker.tell()
        assert second.code is None, second.output()
        assert third.code is None, third.output()
    third.kill()
    broker.tell(5)
    until(broker.folded, "all is folded", within_s=60)
    assert broker.sql("SELECT position, count(*) FROM why GROUP BY position HAVING count(*) > 1") == []
    assert len(first.told("sought")) > 1
    for worker in (first, second):
        assert worker.code is None, worker.output()
        assert "passed over" not in worker.output()
