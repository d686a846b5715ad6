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


def told(neraca: Assembled, events: list[Event]) -> dict[str, Any]:
    """Record all of it through an assembled Neraca; the position and digest it serves then."""
    for request in requests(events):
        answer = neraca.post(ndjson(request), NDJSON)
        assert answer.status_code == httpx.codes.OK, answer.text
    neraca.settle()
    served: dict[str, Any] = neraca.get("/v1/digest").json()
    return served


def run(*words: str) -> bytes:
    """Run a command of the product; return its output."""
    return subprocess.run([sys.executable, "-m", "neraca", *words], check=True, capture_output=True).stdout


def oracle_of(journal: Path) -> tuple[int, str]:
    """Position and digest of an exported journal, as the oracle works them out."""
    oracle = Oracle(json.loads(line) for line in journal.read_bytes().splitlines())
    return oracle.position, oracle.digest()


def oracle(scaled: Scaled) -> tuple[int, str]:
    journal = scaled.directory / "journal.ndjson"
    scaled.command("export", "--journal", str(journal))
    return oracle_of(journal)


def proven(scaled: Scaled) -> dict[str, Any]:
    """The digest served at the journal's head, checked against the auditor and the oracle."""
    position, served = scaled.prove(120), scaled.digest()
    assert (position, served["digest"]) == oracle(scaled)
    return served


def until_vector(scaled: Scaled, served: dict[str, Any]) -> dict[str, Any]:
    """The position and digest of a replay up to a served vector."""
    found: dict[str, Any] = json.loads(scaled.command("replay", "--until", json.dumps(served["vector"])).stdout)
    return {name: found[name] for name in ("position", "digest")}


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Position and digest of the history in one process on SQLite, where auditor and oracle agree with it."""
    directory = tmp_path_factory.mktemp("embedded")
    with Assembled(directory / "data") as neraca:
        served = told(neraca, history())
    run("export", "--data", str(directory / "data"), "--journal", str(directory / "journal.ndjson"))
    replayed = json.loads(run("replay", "--data", str(directory / "data")))
    assert served == {name: replayed[name] for name in ("position", "digest")}
    assert oracle_of(directory / "journal.ndjson") == (served["position"], served["digest"])
    types = {
        json.loads(line)["type"].split(".")[1] for line in (directory / "journal.ndjson").read_bytes().splitlines()
    }
    assert {"event-retracted", "event-corrected", "standard-set", "permit-paused", "satisfaction-rated"} <= types
    return served


def test_one_process_comes_to_the_same_on_postgresql(embedded: dict[str, Any], database_url: str) -> None:
    """A schema in PostgreSQL gives the same digest as a file of SQLite, to the last byte."""
    with Assembled(Database(database_url).prepare()) as neraca:
        assert told(neraca, history()) == embedded
    replayed = json.loads(run("replay", "--database", database_url))
    assert {name: replayed[name] for name in ("position", "digest")} == embedded


@pytest.mark.parametrize(
    ("workers", "partitions"),
    [pytest.param(2, 6, marks=pytest.mark.speed("test")), (1, 6), (1, 12), (2, 12), (3, 6), (3, 12)],
)
def test_workers_come_to_the_same(
    embedded: dict[str, Any],
    tmp_path: Path,
    database_url: str,
    kafka: LocalKafka,
    topics: Topics,
    workers: int,
    partitions: int,
) -> None:
    """However many workers fold however many partitions, the digest is that of one process, and the auditor's."""
    assert topics.read("neraca.segments.1") == []
    with Scaled(tmp_path, database_url, kafka.bootstrap, partitions=partitions) as scaled:
        scaled.start("intake", "api", "relay", *[f"worker-{number}" for number in range(workers)])
        for request in requests(history()):
            scaled.post(request)
        scaled.prove(120)
        served = scaled.digest()
        assert {name: served[name] for name in ("position", "digest")} == embedded
        assert served["vector"] == {"partitions": [embedded["position"]] * partitions, "rulebook": embedded["position"]}
        assert {record.partition for record in topics.read("neraca.segments.1")} == set(range(partitions))


def test_a_replay_up_to_a_served_vector_gives_the_served_digest(scaled: Scaled) -> None:
    """Balances served in the midst of folding are those of some entries, and the vector says exactly which."""
    scaled.start("intake", "api", "relay", "worker-1", "worker-2")
    samples: list[dict[str, Any]] = []
    with City(lambda: scaled.url("intake"), SEED, pause_s=PAUSE_S) as city:
        city.more(100)
        until(lambda: scaled.digest().get("vector"), "balances in partitions")

        def uneven() -> dict[str, Any] | None:
            served = scaled.digest()
            fresh = all(served["digest"] != sample["digest"] for sample in samples)
            return served if fresh and max(served["vector"]["partitions"]) > served["position"] > 1 else None

        while len(samples) < SAMPLES:
            city.more(100)
            samples.append(until(uneven, "partitions that stand apart"))
    proven(scaled)
    for sample in samples:
        assert until_vector(scaled, sample) == {name: sample[name] for name in ("position", "digest")}
    at_position = json.loads(scaled.command("replay", "--until", str(samples[0]["position"])).stdout)
    assert at_position["digest"] != samples[0]["digest"], "the vector says more than the position"


def test_a_change_of_layout_loses_nothing(tmp_path: Path, database_url: str, kafka: LocalKafka, topics: Topics) -> None:
    """From the position of the change on all is cut otherwise; the old layout is drained first, while events arrive."""
    with Scaled(tmp_path, database_url, kafka.bootstrap, partitions=6) as scaled:
        scaled.start("intake", "api", "relay", "worker-1", "worker-2")
        with City(lambda: scaled.url("intake"), SEED, pause_s=PAUSE_S) as city:
            city.more(400)
            city.hush()
            assert len(proven(scaled)["vector"]["partitions"]) == 6
            city.go_on()
            city.more(200)
            scaled.command("layout", "--into", "12")
            until(lambda: len(scaled.digest()["vector"]["partitions"]) == 12, "the new layout is folded", within_s=60)
            city.more(400)
        assert len(proven(scaled)["vector"]["partitions"]) == 12
        ((number, changed_at),) = scaled.sql("SELECT layout, from_position FROM neraca.layouts WHERE partitions = 12")
        assert number == 2
        old, new = ([unpacked(one.value) for one in topics.read(f"neraca.segments.{layout}")] for layout in (1, 2))
        assert {max(one.last for one in old if one.partition == number) for number in range(6)} == {changed_at}
        assert min(one.after for one in new) == changed_at
        assert scaled.sql("SELECT count(*) FROM neraca_1.sources WHERE source LIKE '1/%'") == [(0,)]


def test_a_rebuild_goes_on_beside_the_workers(scaled: Scaled) -> None:
    """While events arrive and workers fold, balances are folded anew; all processes go over to them by themselves."""
    scaled.start("intake", "api", "relay", "worker-1", "worker-2")
    with City(lambda: scaled.url("intake"), SEED, pause_s=PAUSE_S) as city:
        city.more(600)
        until(lambda: scaled.metric("neraca_generation") == 1.0, "the first generation is served")
        before = [family(scaled.running(name).pid) for name in ("api", "worker-1", "worker-2")]
        rebuilt = json.loads(scaled.command("rebuild").stdout)
        city.more(300)
        until(lambda: scaled.metric("neraca_generation") == 2.0, "the second one is served")
        city.more(300)
    assert proven(scaled)["position"] > rebuilt["position"]
    assert until_vector(scaled, rebuilt) == {name: rebuilt[name] for name in ("position", "digest")}
    assert [family(scaled.running(name).pid) for name in ("api", "worker-1", "worker-2")] == before
    assert scaled.sql("SELECT generation FROM neraca.generations WHERE served") == [(2,)]


def test_balances_change_hands(embedded: dict[str, Any], scaled: Scaled) -> None:
    """Workers continue from the balances of one process; after a rebuild, one process continues from theirs."""
    events = history()
    third = len(events) // 3
    place = Database(scaled.database_url).prepare()
    with Assembled(place) as neraca:
        adopted = told(neraca, events[:third])["position"]
    scaled.start("intake", "api", "relay", "worker-1", "worker-2")
    for request in requests(events[third : 2 * third]):
        scaled.post(request)
    proven(scaled)
    assert scaled.sql("SELECT from_position FROM neraca.layouts") == [(adopted,)]
    refused = scaled.command("rebuild", "--undivided", code=1)
    assert b"another neraca folds this database" in refused.stderr
    for name in ("worker-1", "worker-2", "relay", "intake", "api"):
        assert scaled.stop(name) == 0
    scaled.command("rebuild", "--undivided")
    with Assembled(place) as neraca:
        assert told(neraca, events[2 * third :]) == embedded
    assert oracle(scaled) == (embedded["position"], embedded["digest"])
