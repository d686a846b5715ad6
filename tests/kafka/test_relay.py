"""The relay against a real broker that comes and goes, and against its own death: nothing is lost, nothing counts twice."""

import signal
import socket
import threading
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import psycopg
import pytest
from kafka.admin import KafkaAdminClient

from domain.fold.partition import partition_of
from local.local_kafka import LocalKafka
from local.local_server import HOST
from neraca.cluster import database_journal, watched_balances
from streams.kafka.broker import NoBroker, Sender, check_topic
from streams.kafka.segment_record import SegmentRecord, unpacked
from streams.kafka.settings import KafkaSettings
from streams.layouts import Layouts
from streams.places.database import Database
from streams.relay.relay import Relay
from tests.kafka.serving import PARTITIONS, Scaled, Traffic
from tests.kafka.topics import Topics
from tests.serving import ZONE, Clock, event, until

SEGMENTS: Final = "neraca.segments.1"
TURN: Final = (
    "SELECT a.pid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) "
    "WHERE l.locktype = 'advisory' AND a.application_name = 'neraca relay' AND l.granted"
)
"""The session that has the turn."""
SENT_AND_NOT_MOVED: Final = (
    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'neraca relay' AND wait_event_type = 'Lock' "
    "AND query LIKE 'UPDATE neraca.relays%'"
)
WAITS: Final = (
    "SELECT 1 FROM pg_stat_activity WHERE application_name = 'neraca relay' AND wait_event_type = 'Lock' "
    "AND query LIKE 'LOCK TABLE neraca.layouts%'"
)
BEYOND: Final = "SELECT 1 FROM neraca.relays WHERE scanned > %s"
END: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'neraca relay'"
RELAYED: Final = "SELECT 1 FROM neraca.relays WHERE scanned = %s AND scanned = ALL (sent)"


def tasks(since: int, number: int, dinas: str = "disdukcapil") -> list[dict[str, Any]]:
    data = {"dinas": dinas, "asn": "a-1", "completed_at": "2026-11-24T10:00:00+07:00"}
    return [event("task-completed", f"t{n}", {**data, "task": f"t{n}"}) for n in range(since, since + number)]


def segments(topics: Topics) -> list[tuple[int, SegmentRecord]]:
    """Every segment on the topic, with the partition it lies in."""
    return [(record.partition, unpacked(record.value)) for record in topics.read(SEGMENTS)]


def relaying(cluster: Scaled, name: str, times: int = 1) -> None:
    """Wait until a relay has had its turn so often."""
    until(lambda: cluster.output(name).count("relaying to") == times, f"{name} has its turn", within_s=60)


def relayed(cluster: Scaled, head: int) -> None:
    """Wait until the relay has nothing left to do."""
    until(lambda: cluster.sql(RELAYED, head), "everything is relayed to every partition")


def test_partitions_without_entries_reach_the_head_too(cluster: Scaled, topics: Topics) -> None:
    """Only one dinas moves: its partition gets the entries, the others get the position scanned so far."""
    cluster.start("intake", "api", "relay", "worker")
    cluster.post(tasks(0, 20))
    head = cluster.settle()
    assert cluster.partitions() == [head] * PARTITIONS
    mine = partition_of("disdukcapil", PARTITIONS)
    assert {partition for partition, segment in segments(topics) if segment.entries} == {mine}
    assert {segment.partition for partition, segment in segments(topics) if segment.partition == partition} == {
        *range(PARTITIONS)
    }
    assert cluster.prove() == head == 21


@pytest.mark.faults
def test_a_second_relay_waits_and_takes_over(cluster: Scaled) -> None:
    """The turn is that of a session of the database: it passes when the first is killed, not when it is stopped.

    A stopped relay keeps its session, and with it the turn, until it goes on, or until the database has not heard of it
    for longer than the session's limit. It then finds its session gone, and waits for its turn like any other.
    """
    cluster.start("intake", "api", "relay", "worker")
    relaying(cluster, "relay")
    cluster.start("relay-2")
    cluster.post(tasks(0, 10))
    cluster.settle()
    assert "relaying to" not in cluster.output("relay-2")
    cluster.kill("relay")
    relaying(cluster, "relay-2")
    cluster.post(tasks(10, 10))
    cluster.settle()

    cluster.signal("relay-2", signal.SIGSTOP)
    ((turn,),) = cluster.sql(TURN)
    cluster.start("relay")
    cluster.post(tasks(20, 10))
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_try_advisory_lock%%' AND state = 'idle' AND pid <> %s"
    )
    until(lambda: cluster.sql(query, turn), "the first asks for the turn")
    assert cluster.sql(TURN) == [(turn,)]
    assert "relaying to" not in cluster.output("relay")
    cluster.signal("relay-2", signal.SIGCONT)
    cluster.settle()
    assert [cluster.stop(name) for name in ("relay", "relay-2")] == [0, 0]

    limits = "".join(f"-c%20{limit}_timeout%3D2s%20" for limit in ("idle_session", "idle_in_transaction_session"))
    url = f"{cluster.database_url}?options={limits}"
    cluster.start("relay", settings={"NERACA_DATABASE_URL": url})
    relaying(cluster, "relay")
    with psycopg.connect(cluster.database_url) as changing:
        changing.execute("LOCK TABLE neraca.layouts IN EXCLUSIVE MODE")
        until(lambda: cluster.sql(WAITS), "it is inside a transaction")
        cluster.signal("relay", signal.SIGSTOP)
    cluster.start("relay-2")
    cluster.post(tasks(30, 10))
    relaying(cluster, "relay-2")
    cluster.settle()
    cluster.signal("relay", signal.SIGCONT)
    until(lambda: "relaying again in a moment" in cluster.output("relay"), "the first finds its session gone")
    cluster.kill("relay-2")
    cluster.post(tasks(40, 10))
    relaying(cluster, "relay", times=2)
    assert cluster.prove() == 51


@pytest.mark.faults
def test_a_broker_that_is_away_costs_time_and_no_event(cluster: Scaled, kafka: LocalKafka, topics: Topics) -> None:
    """Relay and worker may be started before it, and stay while it is killed and started again under load."""
    topics.make("facts")
    senders = [Sender(KafkaSettings((kafka.bootstrap,)), ack_s=ack_s) for ack_s in (1, 60)]
    for sender in senders:
        sender.send([("facts", 0, None, b"acknowledged", [])])
    kafka.kill()
    with pytest.raises(NoBroker, match="not acknowledged"):
        senders[0].send([("facts", 0, None, b"in doubt", [])])
    senders[1]._producer.send("facts", b"unsent")
    for sender in senders:
        sender.close()
    cluster.start("intake", "api", "relay", "worker")
    cluster.post(tasks(0, 10))
    until(lambda: "no broker answers" in cluster.output("relay"), "the relay looks for a broker")
    until(lambda: "no broker answers" in cluster.output("worker"), "the worker looks for a broker")
    kafka.start()
    cluster.settle()
    with Traffic(cluster, seed=7) as traffic:
        traffic.more(200)
        kafka.kill()
        traffic.more(400)
        kafka.start()
        traffic.more(200)
    assert cluster.prove(within_s=120) > 800
    for name in ("relay", "worker"):
        assert "Traceback" not in cluster.output(name), name


@pytest.mark.faults
def test_a_relay_that_waits_for_a_broker_ends_when_it_is_told_to(cluster: Scaled, kafka: LocalKafka) -> None:
    """Acknowledgements could take half a minute; an operator waits 15 s for the relay to end, and nothing is lost."""
    cluster.start("intake", "api", "relay", "worker")
    cluster.post(tasks(0, 10))
    head = cluster.settle()
    relayed(cluster, head)
    kafka.kill()
    cluster.post(tasks(10, 10))
    with psycopg.connect(cluster.database_url, autocommit=True) as db:
        db.execute("SELECT pg_sleep(1)")
    assert not cluster.sql(BEYOND, head)
    assert cluster.stop("relay", within_s=15) == 0
    kafka.start()
    cluster.start("relay")
    assert cluster.prove() == head + 10


@pytest.mark.faults
def test_a_relay_killed_before_it_moved_its_cursors_sends_again_and_it_counts_once(
    cluster: Scaled, topics: Topics
) -> None:
    """Between the acknowledgement and the cursors lies the one moment that counts: here it is held open, then hit."""
    cluster.start("intake", "api", "relay", "worker")
    for since in (0, 100):
        head = cluster.settle()
        relayed(cluster, head)
        with psycopg.connect(cluster.database_url) as holding:
            holding.execute("SELECT 1 FROM neraca.relays FOR UPDATE")
            cluster.post(tasks(since, 50))
            until(lambda: cluster.sql(SENT_AND_NOT_MOVED), "the relay has sent, and cannot move its cursors")
            cluster.kill("relay")
            cluster.sql(END)
        cluster.post(tasks(since + 50, 50))
        cluster.start("relay")
    with Traffic(cluster, seed=11) as traffic:
        for _ in range(3):
            traffic.more(40)
            cluster.kill("relay")
            traffic.more(40)
            cluster.start("relay")
            relaying(cluster, "relay")
    cluster.prove()
    times = Tally(position for _, segment in segments(topics) for position, _ in segment.entries)
    twice = [position for position, number in times.items() if number > 1]
    assert len(twice) >= 100, "what was sent before each of the two kills was sent again"


@pytest.mark.faults
def test_what_is_recorded_while_a_layout_is_changed_belongs_to_the_new_one_alone(cluster: Scaled) -> None:
    """The change has taken the journal's head and is not committed yet: here that moment is held open."""
    cluster.start("intake", "api", "relay", "worker")
    cluster.post(tasks(0, 10))
    head = cluster.settle()
    with psycopg.connect(cluster.database_url) as changing:
        changing.execute("LOCK TABLE neraca.layouts IN EXCLUSIVE MODE")
        cluster.post(tasks(10, 10))
        until(lambda: cluster.sql(WAITS) or cluster.sql(BEYOND, head), "the relay waits, or goes on regardless")
        changing.execute("INSERT INTO neraca.layouts VALUES (2, 3, %s)", (head,))
    with Traffic(cluster, seed=3) as traffic:
        traffic.more(100)
    assert cluster.prove() > 120
    assert len(cluster.partitions()) == 3


def test_a_topic_that_the_broker_does_not_know_yet_ends_no_process(kafka: LocalKafka) -> None:
    """A relay and a worker make it in the same moment: the slower one tries again, as when the broker is away."""
    with closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap)) as admin, pytest.raises(NoBroker, match="yet"):
        check_topic(admin, "neraca.segments.unknown", 12)


@pytest.fixture
def mute() -> Iterator[str]:
    """A broker that takes connections and says nothing."""
    with socket.create_server((HOST, 0)) as listening:
        yield f"{HOST}:{listening.getsockname()[1]}"


def test_a_relay_that_the_database_does_not_hear_of_loses_its_turn(database_url: str, clock: Clock, mute: str) -> None:
    """It is stopped, or cut off: whichever relay waits goes on without it."""
    database, ending = Database(database_url).prepare(), threading.Event()
    with database_journal(database, ZONE, clock) as journal, psycopg.connect(database_url, autocommit=True) as db:
        watched_balances(database, journal)
        kafka = KafkaSettings((mute,))
        relay = Relay(database, journal, Layouts(database, journal), kafka, partitions=1, silent_s=0.5)
        thread = threading.Thread(target=relay.run, args=(ending,))
        thread.start()
        try:
            until(lambda: db.execute(TURN).fetchall(), "it has the turn, and waits for the broker")
            until(lambda: not db.execute(TURN).fetchall(), "it has it no longer", within_s=3)
            assert relay.state.failures == 0, "it still waits for the broker, and knows nothing"
        finally:
            ending.set()
            thread.join()
