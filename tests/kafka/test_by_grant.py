"""A topic for each grant on a broker with users and rights: who may produce where, and what the intake makes of it."""

from __future__ import annotations

import csv
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pytest
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from api.http.problems import problem
from domain.access.grant import Grant
from domain.access.limits import Limits
from domain.clock import utc_text
from local.local_kafka import SHORT_LIVED, LocalKafka
from local.local_server import free_port
from streams.intake.kafka import KafkaIntake
from streams.intake.parking import ParkedInDatabase
from streams.intake.recording import Policy
from streams.intake.refused import CUT, REFUSED_TOPIC, refused_record
from streams.intake.service import IntakeService
from streams.intake.topics import ONE_TOPIC, grants_of, topic_of
from streams.journal.journal import Journal
from streams.kafka.broker import Headers, NoBroker, Sender, ensure_topic
from streams.kafka.settings import KafkaSettings
from streams.places.database import Database
from tests.kafka.serving import Scaled
from tests.kafka.topics import Topics
from tests.services import installed
from tests.serving import ROOT, ZONE, event, ndjson, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from streams.places.tokens import TokenStore
    from tests.serving import Clock

WORD: Final = "a-word-of-each-"
USERS: Final = ("relay", "worker", "intake", "loket-1", "loket-2")
SENDERS: Final = ("loket-1", "loket-2")
STRUCTURED: Final[Headers] = [("content-type", b"application/cloudevents+json")]


def settings_of(user: str, address: str) -> dict[str, str]:
    """The settings by which a process signs in as a user."""
    return {
        "NERACA_KAFKA": address,
        "NERACA_KAFKA_SECURITY": "SASL_PLAINTEXT",
        "NERACA_KAFKA_USER": user,
        "NERACA_KAFKA_PASSWORD": WORD + user,
    }


def _acl(user: str, resource: str, pattern: str, name: str, operation: str) -> ACL:
    return ACL(
        f"User:{user}",
        "*",
        ACLOperation[operation.upper()],
        ACLPermissionType.ALLOW,
        ResourcePattern(ResourceType[resource.upper()], name, ACLResourcePatternType[pattern.upper()]),
    )


def acls() -> list[ACL]:
    """The rights that the project ships, and those of two senders: each may write to its own topic."""
    with (ROOT / "compose" / "kafka-acls.csv").open(encoding="ascii") as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    rows += [[sender, "topic", "literal", topic_of(sender), "Describe Write"] for sender in SENDERS]
    return [
        _acl(user, resource, pattern, name, operation)
        for user, resource, pattern, name, operations in rows
        for operation in operations.split()
    ]


class Guarded:
    """A broker with a password for each user, and no right that was not given."""

    def __init__(self, broker: LocalKafka, address: str) -> None:
        self.address = address
        self.topics = Topics(broker.bootstrap)
        admin: Any = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, WORD + user) for user in USERS]
        )
        answer = admin.create_acls(acls())
        assert not answer["failed"], answer
        admin.close()

    def settings(self, user: str) -> KafkaSettings:
        """How a user signs in."""
        return KafkaSettings.of(settings_of(user, self.address))


@pytest.fixture
def site(server_directory: Path) -> Iterator[Guarded]:
    """The one listener without a password is on loopback, and its user may do anything, as in the compose file."""
    address = f"127.0.0.1:{free_port()}"
    properties = {
        "listeners": f"SASL_PLAINTEXT://{address}",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }
    with installed(LocalKafka(server_directory / "kafka", properties=properties, jvm=SHORT_LIVED)) as broker:
        yield Guarded(broker, address)


def task(name: str, dinas: str, sender: str = "loket-1") -> dict[str, Any]:
    data = {"dinas": dinas, "asn": "a-1", "task": name, "completed_at": "2026-11-24T10:00:00+07:00"}
    return event("task-completed", name, data, source=f"/{sender}")


def produced(site: Guarded, user: str, topic: str, *events: dict[str, Any]) -> None:
    sender = Sender(site.settings(user), ack_s=8)
    try:
        sender.send([(topic, None, None, ndjson([content]), STRUCTURED) for content in events])
    finally:
        sender.close()


@contextmanager
def taking(database: Database, site: Guarded, tokens: TokenStore, clock: Clock) -> Iterator[Journal]:
    """An intake that reads the topics of two senders, signed in as the user of the intakes."""
    with ExitStack() as ending:
        journal = Journal.open(database.journal, ZONE, clock())
        ending.callback(journal.close)
        service = IntakeService(journal, Policy(ZoneInfo(ZONE)), clock)
        ending.callback(service.close)
        intake = KafkaIntake(
            site.settings("intake"),
            service,
            ParkedInDatabase(database),
            problem,
            clock,
            partitions=1,
            grants=grants_of(",".join(SENDERS), tokens.by_id),
        )
        stop = threading.Event()
        thread = threading.Thread(target=intake.run, args=(stop,))
        thread.start()
        ending.callback(thread.join)
        ending.callback(stop.set)
        yield journal


def test_who_may_produce_to_a_topic_has_its_grant_and_no_other(database_url: str, site: Guarded, clock: Clock) -> None:
    """Another sender's topic, and the segments, refuse it; an event beyond its grant is refused; an ended grant takes nothing."""
    database = Database(database_url).prepare()
    tokens = database.token_store()
    for sender, dinas in zip(SENDERS, ("disdukcapil", "dpmptsp"), strict=True):
        limits = Limits(dinas=frozenset({dinas}), sources=frozenset({f"/{sender}"}))
        tokens.make(sender, ["counter"], utc_text(clock()), limits)
        ensure_topic(site.settings("intake"), topic_of(sender), 1)
    ensure_topic(site.settings("relay"), "neraca.segments.1", 1)
    with taking(database, site, tokens, clock) as journal:
        for topic in (topic_of("loket-2"), "neraca.segments.1", "neraca.intake", REFUSED_TOPIC):
            with pytest.raises(NoBroker):
                produced(site, "loket-1", topic, task("no", "disdukcapil"))
        produced(site, "loket-1", topic_of("loket-1"), task("t1", "disdukcapil"), task("t2", "dpmptsp"))
        produced(site, "loket-2", topic_of("loket-2"), task("t3", "dpmptsp", "loket-2"))
        until(lambda: journal.head() == 3, "what the grants cover is recorded", within_s=60)
        lines = [msgspec.json.decode(line) for _, line in journal.lines(1, 10)]
        assert {(line["id"], line["recordedby"]) for line in lines} == {("t1", "loket-1"), ("t3", "loket-2")}
        (record,) = until(lambda: site.topics.read(REFUSED_TOPIC), "what they do not cover is refused", within_s=60)
        assert (
            msgspec.json.decode(dict(record.headers)["problem"])["detail"]
            == "the token may not speak for dinas dpmptsp"
        )
        assert tokens.revoke("loket-1", utc_text(clock()))
        produced(site, "loket-1", topic_of("loket-1"), task("t4", "disdukcapil"))
        until(lambda: len(site.topics.read(REFUSED_TOPIC)) == 2, "an ended grant records nothing", within_s=60)
        assert journal.head() == 3
    tokens.close()


def test_relay_workers_and_intake_work_with_the_rights_of_their_users(
    database_url: str, site: Guarded, clock: Clock, tmp_path: Path
) -> None:
    """The intake reads the topics that its setting names, each under the grant of a token.

    A forged segment, even by the relay's own user, is poison: it is not signed by the key of its layout.
    """
    from streams.kafka.segment_record import SegmentRecord, packed  # noqa: PLC0415 - beside its one use

    with Scaled(tmp_path, database_url, site.address, partitions=2) as cluster:
        cluster.start("relay", settings=settings_of("relay", site.address))
        cluster.start("worker", settings=settings_of("worker", site.address))
        limits = Limits(dinas=frozenset({"disdukcapil"}), sources=frozenset({"/loket-1"}))
        tokens = Database(database_url).prepare().token_store()
        tokens.make("petugas-1", ["counter"], utc_text(clock()), limits)
        tokens.close()
        topics = {"NERACA_INTAKE_TOPICS": "loket-1=petugas-1"}
        cluster.start("intake", options=["--kafka"], settings={**settings_of("intake", site.address), **topics})
        cluster.start("api")
        assert cluster.post([task(f"t{number}", "disdukcapil") for number in range(20)])["accepted"] == 20
        head = cluster.prove()
        produced(site, "loket-1", topic_of("loket-1"), task("k1", "disdukcapil"), task("k2", "dpmptsp"))
        until(lambda: cluster.head() == head + 1, "what the grant of the topic covers is recorded", within_s=60)
        (line,) = cluster.sql("SELECT state FROM neraca.neraca_events WHERE notification_id = %s", head + 1)[0]
        entry = msgspec.json.decode(line)
        assert (entry["id"], entry["recordedby"]) == ("k1", "petugas-1")
        position = cluster.prove()
        journal = cluster.sql("SELECT journal FROM neraca_1.sources LIMIT 1")[0][0]
        segment = SegmentRecord(journal, 1, 0, position, position + 1, "h", "", [])
        sender = Sender(site.settings("relay"))
        sender.send([("neraca.segments.1", 0, None, packed(segment), [])])
        sender.close()
        stops = until(
            lambda: cluster.sql("SELECT stopped FROM neraca_1.sources WHERE stopped IS NOT NULL"),
            "the partition of a forged segment stops",
            within_s=60,
        )
        assert "it has no HMAC, and its layout has a key" in stops[0][0]


def nobody(_: str) -> None:
    """No token stands."""


@pytest.mark.speed("quick")
def test_a_setting_names_each_topic_and_its_grant() -> None:
    grants = grants_of(" loket-1 = token-1 , b.c_d ".replace(" = ", "="), nobody)
    assert list(grants) == ["neraca.intake.loket-1", "neraca.intake.b.c_d"]
    assert [grant() for grant in grants.values()] == [None, None]
    assert grants_of(None, nobody) is grants_of("", nobody) is ONE_TOPIC
    for wrong in ("a b=c", "a=", "a=x,a=y", "ä", "a/b", "=x"):
        with pytest.raises(ValueError, match=r"^NERACA_INTAKE_TOPICS: "):
            grants_of(wrong, nobody)


@pytest.mark.speed("quick")
def test_a_token_with_events_an_hour_is_none_for_a_topic() -> None:
    """A limit that would not hold is refused at the start; a token made later with one gives its topic nothing."""
    tokens = {"token-1": Grant("token-1", frozenset({"counter"}), events_hour=10)}
    with pytest.raises(ValueError, match=r"^NERACA_INTAKE_TOPICS: the token token-1 has --events-hour"):
        grants_of("loket-1=token-1", tokens.get)
    grants = grants_of("loket-1=token-1,loket-2", {"loket-2": Grant("loket-2", frozenset({"counter"}))}.get)
    assert [grant() is not None for grant in grants.values()] == [False, True]
    late: dict[str, Grant] = {}
    grants = grants_of("loket-1=token-1", late.get)
    late |= tokens
    assert grants["neraca.intake.loket-1"]() is None


@pytest.mark.speed("quick")
@pytest.mark.parametrize("key", [None, b"k" * 10, b"k" * 5000], ids=["no key", "a key", "a long key"])
@pytest.mark.parametrize("headers", [[], [("ce_id", b"x" * 5000)]], ids=["no headers", "long headers"])
@pytest.mark.parametrize("size", [0, 100, 4000, 20_000])
def test_a_refusal_always_fits_its_topic(key: bytes | None, headers: Headers, size: int) -> None:
    """What is cut says how long it was; what fits is whole; a long problem keeps its type, title and status."""
    most = 64 * 2**10 + 24_000
    long_problem = {"type": "t", "title": "T", "status": 422, "detail": "d" * 9000, "errors": ["e" * 100] * 500}
    for problem_, value in ((long_problem, b"v" * size), ({"type": "t"}, b"v" * size)):
        _, _, key_now, content, headers_now = refused_record(key, value, headers, problem_, most)
        total = (
            len(key_now or b"") + len(content or b"") + sum(len(name) + len(text or b"") for name, text in headers_now)
        )
        assert total <= most - 60_000
        assert msgspec.json.decode(headers_now[-1][1] or b"")["type"] == "t"
        assert (dict(headers_now).get(CUT) is None) == (content == value and headers_now[:-1] == headers)
        assert dict(headers_now).get(CUT, str(size).encode()) == str(size).encode()
