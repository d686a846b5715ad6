"""One history, one digest: in one process on either database, by workers through Kafka, replayed, and by an oracle.

It holds too while the layout changes, while balances are rebuilt, and when they change hands.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from local.local_server import family
from streams.kafka.segment_record import unpacked
from streams.places.database import Database
from tests.journal.folding import HISTORY
from tests.kafka.serving import Scaled
from tests.oracle import Oracle
from tests.serving import NDJSON, Assembled, ndjson, until
from tests.soak.chaos.traffic import City, CityCounter

if TYPE_CHECKING:
    from pathlib import Path

    from local.local_kafka import LocalKafka
    from tests.kafka.topics import Topics

Event = dict[str, Any]
SEED: Final = 20261124
COUNTERS: Final = 8
"""Their dinas fall into every one of 12 partitions."""
EVENTS: Final = 3000
REQUEST: Final = 250
SAMPLES: Final = 5
PAUSE_S: Final = 0.2
"""Of a counter, between two requests."""


def history() -> list[Event]:
    """Facts, rules, retractions, chains of corrections and repeats, those of all counters between one another."""
    counters = [CityCounter(SEED, number) for number in range(1, COUNTERS + 1)]
    events = list(HISTORY)
    while len(events) < EVENTS:
        for counter in counters:
            events += counter.request()[0]
    return events


def requests(events: list[Event]) -> list[list[Event]]:
    return [events[start : start + REQUEST] for start in range(0, len(events), REQUEST)]


def record_all(neraca: Assembled, events: list[Event]) -> dict[str, Any]:
    """Record all of it through an assembled Neraca; the position and digest it serves then."""
    for request in requests(events):
        answer = neraca.post(ndjson(request), NDJSON)
        assert answer.status_code == httpx.codes.OK, answer.text
    neraca.settle()
    digest: dict[str, Any] = neraca.get("/v1/digest").json()
    return digest


def run(*words: str) -> bytes:
    """Run a command of the product; return its output."""
    return subprocess.run([sys.executable, "-m", "neraca", *words], check=True, capture_output=True).stdout


def oracle_of(journal: Path) -> tuple[int, str]:
    """Position and digest of an exported journal, as the oracle works them out."""
    oracle = Oracle(json.loads(line) for line in journal.read_bytes().splitlines())
    return oracle.position, oracle.digest()


def oracle(cluster: Scaled) -> tuple[int, str]:
    journal = cluster.directory / "journal.ndjson"
    cluster.command("export", "--journal", str(journal))
    return oracle_of(journal)


def proven(cluster: Scaled) -> dict[str, Any]:
    """The digest served at the journal's head, checked against the auditor and the oracle."""
    position, digest = cluster.prove(120), cluster.digest()
    assert (position, digest["digest"]) == oracle(cluster)
    return digest


def until_vector(cluster: Scaled, digest: dict[str, Any]) -> dict[str, Any]:
    """The position and digest of a replay up to a served vector."""
    replay: dict[str, Any] = json.loads(cluster.command("replay", "--until", json.dumps(digest["vector"])).stdout)
    return {name: replay[name] for name in ("position", "digest")}


@pytest.fixture(scope="module")
def one_process(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Position and digest of the history in one process on SQLite, where auditor and oracle agree with it."""
    directory = tmp_path_factory.mktemp("embedded")
    with Assembled(directory / "data") as neraca:
        digest = record_all(neraca, history())
    run("export", "--data", str(directory / "data"), "--journal", str(directory / "journal.ndjson"))
    replay = json.loads(run("replay", "--data", str(directory / "data")))
    assert digest == {name: replay[name] for name in ("position", "digest")}
    assert oracle_of(directory / "journal.ndjson") == (digest["position"], digest["digest"])
    types = {
        json.loads(line)["type"].split(".")[1] for line in (directory / "journal.ndjson").read_bytes().splitlines()
    }
    assert {"event-retracted", "event-corrected", "standard-set", "permit-paused", "satisfaction-rated"} <= types
    return digest


def test_one_process_comes_to_the_same_on_postgresql(one_process: dict[str, Any], database_url: str) -> None:
    """A schema in PostgreSQL gives the same digest as a file of SQLite, to the last byte."""
    with Assembled(Database(database_url).prepare()) as neraca:
        assert record_all(neraca, history()) == one_process
    replay = json.loads(run("replay", "--database", database_url))
    assert {name: replay[name] for name in ("position", "digest")} == one_process


@pytest.mark.parametrize(
    ("workers", "partitions"),
    [pytest.param(2, 6, marks=pytest.mark.speed("test")), (1, 6), (1, 12), (2, 12), (3, 6), (3, 12)],
)
def test_workers_come_to_the_same(
    one_process: dict[str, Any],
    tmp_path: Path,
    database_url: str,
    kafka: LocalKafka,
    topics: Topics,
    workers: int,
    partitions: int,
) -> None:
    """However many workers fold however many partitions, the digest is that of one process, and the auditor's."""
    assert topics.read("neraca.segments.1") == []
    with Scaled(tmp_path, database_url, kafka.bootstrap, partitions=partitions) as cluster:
        cluster.start("intake", "api", "relay", *[f"worker-{number}" for number in range(workers)])
        for request in requests(history()):
            cluster.post(request)
        cluster.prove(120)
        digest = cluster.digest()
        assert {name: digest[name] for name in ("position", "digest")} == one_process
        assert digest["vector"] == {
            "partitions": [one_process["position"]] * partitions,
            "rulebook": one_process["position"],
        }
        assert {record.partition for record in topics.read("neraca.segments.1")} == set(range(partitions))


def test_a_replay_up_to_a_served_vector_gives_the_served_digest(cluster: Scaled) -> None:
    """Balances served in the midst of folding are those of some entries, and the vector says exactly which."""
    cluster.start("intake", "api", "relay", "worker-1", "worker-2")
    samples: list[dict[str, Any]] = []
    with City(lambda: cluster.url("intake"), SEED, pause_s=PAUSE_S) as city:
        city.more(100)
        until(lambda: cluster.digest().get("vector"), "balances in partitions")

        def uneven() -> dict[str, Any] | None:
            digest = cluster.digest()
            fresh = all(digest["digest"] != sample["digest"] for sample in samples)
            return digest if fresh and max(digest["vector"]["partitions"]) > digest["position"] > 1 else None

        while len(samples) < SAMPLES:
            city.more(100)
            samples.append(until(uneven, "partitions that stand apart"))
    proven(cluster)
    for sample in samples:
        assert until_vector(cluster, sample) == {name: sample[name] for name in ("position", "digest")}
    at_position = json.loads(cluster.command("replay", "--until", str(samples[0]["position"])).stdout)
    assert at_position["digest"] != samples[0]["digest"], "the vector says more than the position"


def test_a_change_of_layout_loses_nothing(tmp_path: Path, database_url: str, kafka: LocalKafka, topics: Topics) -> None:
    """From the position of the change on all is cut otherwise; the old layout is drained first, while events arrive."""
    with Scaled(tmp_path, database_url, kafka.bootstrap, partitions=6) as cluster:
        cluster.start("intake", "api", "relay", "worker-1", "worker-2")
        with City(lambda: cluster.url("intake"), SEED, pause_s=PAUSE_S) as city:
            city.more(400)
            city.hush()
            assert len(proven(cluster)["vector"]["partitions"]) == 6
            city.go_on()
            city.more(200)
            cluster.command("layout", "--into", "12")
            until(lambda: len(cluster.digest()["vector"]["partitions"]) == 12, "the new layout is folded", within_s=60)
            city.more(400)
        assert len(proven(cluster)["vector"]["partitions"]) == 12
        ((number, changed_at),) = cluster.sql("SELECT layout, from_position FROM neraca.layouts WHERE partitions = 12")
        assert number == 2
        old, new = (
            [unpacked(record.value) for record in topics.read(f"neraca.segments.{layout}")] for layout in (1, 2)
        )
        assert {max(segment.last for segment in old if segment.partition == number) for number in range(6)} == {
            changed_at
        }
        assert min(segment.after for segment in new) == changed_at
        assert cluster.sql("SELECT count(*) FROM neraca_1.sources WHERE source LIKE '1/%'") == [(0,)]


def test_a_rebuild_goes_on_beside_the_workers(cluster: Scaled) -> None:
    """While events arrive and workers fold, balances are folded anew; all processes go over to them by themselves."""
    cluster.start("intake", "api", "relay", "worker-1", "worker-2")
    with City(lambda: cluster.url("intake"), SEED, pause_s=PAUSE_S) as city:
        city.more(600)
        until(lambda: cluster.metric("neraca_generation") == 1.0, "the first generation is served")
        before = [family(cluster.running(name).pid) for name in ("api", "worker-1", "worker-2")]
        rebuilt = json.loads(cluster.command("rebuild").stdout)
        city.more(300)
        until(lambda: cluster.metric("neraca_generation") == 2.0, "the second one is served")
        city.more(300)
    assert proven(cluster)["position"] > rebuilt["position"]
    assert until_vector(cluster, rebuilt) == {name: rebuilt[name] for name in ("position", "digest")}
    assert [family(cluster.running(name).pid) for name in ("api", "worker-1", "worker-2")] == before
    assert cluster.sql("SELECT generation FROM neraca.generations WHERE served") == [(2,)]


def test_balances_change_hands(one_process: dict[str, Any], cluster: Scaled) -> None:
    """Workers continue from the balances of one process; after a rebuild, one process continues from theirs."""
    events = history()
    third = len(events) // 3
    place = Database(cluster.database_url).prepare()
    with Assembled(place) as neraca:
        position = record_all(neraca, events[:third])["position"]
    cluster.start("intake", "api", "relay", "worker-1", "worker-2")
    for request in requests(events[third : 2 * third]):
        cluster.post(request)
    proven(cluster)
    assert cluster.sql("SELECT from_position FROM neraca.layouts") == [(position,)]
    refusal = cluster.command("rebuild", "--undivided", code=1)
    assert b"another neraca folds this database" in refusal.stderr
    for name in ("worker-1", "worker-2", "relay", "intake", "api"):
        assert cluster.stop(name) == 0
    cluster.command("rebuild", "--undivided")
    with Assembled(place) as neraca:
        assert record_all(neraca, events[2 * third :]) == one_process
    assert oracle(cluster) == (one_process["position"], one_process["digest"])
