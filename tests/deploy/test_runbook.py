"""docs/guides/runbook.md, typed from top to bottom: a city is started, scaled, broken, backed up, lost and restored.

PostgreSQL and Kafka are real, and so is every process. Without Docker, its commands are run natively.
"""

import json
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import psycopg
import pytest

from streams.emitting.kafka import KafkaClient
from streams.kafka.broker import Sender
from streams.kafka.settings import KafkaSettings
from streams.places.roles import ROLES
from tests.deploy.city_hall import RUNBOOK, City, Counters, Operator, blocks, saved_text
from tests.deploy.composed import FILE
from tests.deploy.machine import Machine
from tests.services import installed
from tests.serving import ROOT, event
from tests.serving import until as within

until: Final = partial(within, within_s=120)
"""Long, since a small machine runs all of it."""
RETRACTED: Final = {"event": {"source": "/loket/1", "id": "never"}, "reason": "mistake"}


class Hall(NamedTuple):
    """Everything a section of the runbook works on."""

    operator: Operator
    machine: Machine
    other: Machine
    city: City
    counters: Counters


def folder_of(machine: Path) -> Path:
    """A checkout, as far as the runbook needs one."""
    machine.mkdir()
    for name in (FILE, "Dockerfile"):
        shutil.copy(ROOT / name, machine)
    return machine


@pytest.fixture
def hall(tmp_path: Path, server_directory: Path) -> Iterator[Hall]:
    here, there = folder_of(tmp_path / "here"), folder_of(tmp_path / "there")
    with Machine(here, server_directory) as machine, Machine(there, tmp_path / "work", beside=machine) as other:
        installed(machine.postgres)
        installed(machine.kafka)
        city = City(machine)
        yield Hall(Operator(machine), machine, other, city, Counters(city))


def test_the_runbook_from_top_to_bottom(hall: Hall) -> None:
    """It happens as the runbook says, under load; after each section the readers serve the digest of a replay."""
    start(hall)
    with hall.counters:
        scale(hall)
        replace_a_worker(hall)
    hall.city.proved()
    with hall.counters:
        change_the_layout(hall)
        rebuild(hall)
    hall.city.proved()
    back_up_and_restore(hall)
    upgrade(hall)
    hall.city.proved()
    every_alarm_is_told(hall)
    a_partition_stands_still(hall)
    the_broker_is_lost(hall)
    the_database_is_away(hall)
    refused_and_parked(hall)
    hall.city.proved()
    assert hall.operator.left == []


def start(hall: Hall) -> None:
    """A secret is made, everything is healthy, an event is in the ranking, a night's proof comes out."""
    answers = hall.operator.types("Start")
    services = {name for name in hall.machine.services if not hall.machine.ends(name)}
    assert set(answers.splitlines()) == {f"{name} healthy" for name in services}
    secrets = hall.machine.folder / "secrets"
    assert secrets.stat().st_mode & 0o077 == 0
    passwords = {file.name: saved_text(secrets, file.name) for file in secrets.iterdir()}
    assert set(passwords) == {"db_owner", "backup", *ROLES}
    assert [name for name, text in passwords.items() if not re.fullmatch(r"[0-9a-f]{48}", text)] == []
    receipt = json.loads(hall.operator.types("Start").partition("}{")[0] + "}")
    assert receipt["position"] == 2
    hall.city.settled()
    assert hall.operator.types("Start").startswith('"digest":"')


def scale(hall: Hall) -> None:
    """A third worker folds, a third reader serves, and both go again."""
    hall.operator.types("Scale")
    until(lambda: hall.city.metric("worker-3", "neraca_partitions_assigned") == 4.0, "three workers fold four each")
    assert hall.city.get("api-3", "/healthz").status_code == httpx.codes.OK
    answers = hall.operator.types("Scale")
    assert "neraca_partitions_assigned 4.0" in answers
    assert 'neraca_partition_lag_entries{partition="11"}' in answers
    hall.operator.types("Scale")
    assert not hall.machine.runs("worker-3")
    until(lambda: hall.city.metric("worker-2", "neraca_partitions_assigned") == 6.0, "two fold six each")


def replace_a_worker(hall: Hall) -> None:
    """A restart is a new epoch; one of the same name elsewhere ends the older process, and folds in its place."""
    starts = hall.city.metric("worker-2", "neraca_worker_starts")
    hall.operator.types("Replace a worker")
    until(lambda: hall.machine.healthy("worker-2"), "worker-2 is back")
    assert hall.city.metric("worker-2", "neraca_worker_starts") == (starts or 0) + 1
    old = hall.machine.running["worker-1"]
    hall.operator.types("Replace a worker", hall.other)
    until(lambda: "another process took the name worker-1" in old.output(), "the old one waits")
    new = City(hall.other)
    until(lambda: new.metric("worker-1", "neraca_partitions_assigned") == 6.0, "the new one folds six")
    hall.operator.types("Replace a worker")
    assert new.metric("worker-1", "neraca_partitions_assigned") == 6.0
    hall.other.stop(["worker-1"])
    hall.machine.up(["worker-1"])


def change_the_layout(hall: Hall) -> None:
    """Under load: the old one is drained, the new one folded."""
    answers = hall.operator.types("Change the layout")
    assert re.fullmatch(
        r"layout 1: 12 partitions after position 0\nlayout 2: 24 partitions after position \d+\n", answers
    )
    until(lambda: hall.city.partitions() == 24, "the new layout is folded")
    assert f"neraca.segments.{2}`" in RUNBOOK


def rebuild(hall: Hall) -> None:
    """Under load: readers change over to another generation, and its digest is a replay's."""
    before = generation(hall)
    rebuilt = json.loads(hall.operator.types("Rebuild"))
    replay = json.loads(hall.city.neraca("replay", "--until", json.dumps(rebuilt["vector"])))
    assert replay["digest"] == rebuilt["digest"]
    until(lambda: generation(hall) == before + 1, "the new generation is served")


def generation(hall: Hall) -> float:
    """The generation that a reader serves."""
    return float(
        re.findall(r"^neraca_generation (\S+)$", hall.city.operations("api-1", "/metrics").text, re.MULTILINE)[0]
    )


def back_up_and_restore(hall: Hall) -> None:
    """Entries recorded before the backup are there again with the same receipts; so are those that came by the topic after it."""
    before = hall.city.proved()
    hall.operator.types("Back up and restore")
    with hall.counters as counters:
        hall.city.neraca("layout", "--into", "6")
        until(lambda: hall.city.partitions() == 6, "a layout that the backup does not know is folded")
        counters.send(200)
    by_topic(hall, event("task-completed", "after-the-backup", task("T-9")))
    until(lambda: "T-9" in hall.city.neraca("export", "--journal", "-"), "the topic's event is recorded")
    hall.city.settled()
    hall.operator.types("Back up and restore")
    digest = hall.city.proved()
    assert (digest["position"], digest["digest"]) == (before["position"] + 1, before["digest"])
    hall.operator.types("Back up and restore")
    until(lambda: "T-9" in hall.city.neraca("export", "--journal", "-"), "the topic's event is recorded again")
    assert hall.city.proved()["position"] == digest["position"] + 1
    assert "12 partitions" in hall.city.neraca("layout").splitlines()[-1]


def task(name: str) -> dict[str, Any]:
    """A task that was done."""
    return {"dinas": "dinkes", "asn": "a-1", "task": name, "completed_at": "2026-11-24T10:00:00+07:00"}


def by_topic(hall: Hall, tally: dict[str, Any]) -> None:
    """An event that a counter produces to the topic."""
    client = KafkaClient(KafkaSettings((hall.machine.kafka.bootstrap,)))
    client.send([json.dumps(tally).encode()])
    client.close()


def upgrade(hall: Hall) -> None:
    """Balances of an older version are folded anew before the new one starts; the figures stay."""
    before = hall.city.proved()
    with psycopg.connect(hall.machine.postgres.url) as db:
        db.execute("UPDATE neraca.generations SET version = version - 1 WHERE served")
    hall.operator.types("Upgrade")
    assert hall.city.proved()["digest"] == before["digest"]


def every_alarm_is_told(hall: Hall) -> None:
    """A process exports each metric that the runbook names, the relay whose turn it is its progress; the log is read."""
    notes = [json.loads(line) for line in hall.operator.types("Alarms").splitlines()]
    assert "loket-1" in {note["whose"] for note in notes if note["what"] == "token-made"}
    names = set(re.findall(r"`(neraca_(?!\d|default|kafka|postgres|secret`)\w+)`", RUNBOOK))
    text = hall.city.operations("api-1", "/metrics").text
    for service in ("relay-1", "relay-2", "worker-1"):
        text += httpx.get(f"http://127.0.0.1:{hall.machine.port(service, 9100)}/metrics").text
    samples = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE))
    assert len(names) > 10
    assert names - samples == set()


def a_partition_stands_still(hall: Hall) -> None:
    """One that met a foreign record is visible, gives its reason, and goes on; the record is parked."""
    sender = Sender(KafkaSettings((hall.machine.kafka.bootstrap,)))
    number = hall.city.neraca("layout").splitlines()[-1].split()[1].rstrip(":")
    sender.send([(f"neraca.segments.{number}", 11, None, b"no segment", [])])
    sender.close()
    stands = 'neraca_partition_stopped{partition="11"} 1.0'
    until(lambda: stands in hall.city.operations("api-1", "/metrics").text, "a partition stands still")
    with hall.counters:
        until(
            lambda: hall.city.get("api-1", "/readyz").status_code == httpx.codes.SERVICE_UNAVAILABLE, "it is not ready"
        )
    *others, standing = hall.city.digest()["vector"]["partitions"]
    assert min(others) > standing
    why = json.loads(hall.operator.types("A partition stands still"))
    assert "no segment of version 3" in why["reason"]
    answers = hall.operator.types("A partition stands still")
    assert "why:no segment of version 3" in answers
    assert f"{number}/11 goes on" in answers
    hall.city.proved()


def the_broker_is_lost(hall: Hall) -> None:
    """With all that was on its way: a new layout and a rebuild bring everything to the journal's head, and go on from there."""
    hall.machine.stop(["worker-1", "worker-2"])
    with hall.counters as counters:
        counters.send(100)
    hall.operator.types("The broker is away, or its disk is lost")
    with hall.counters as counters:
        counters.send(100)
    hall.city.proved()


def the_database_is_away(hall: Hall) -> None:
    """Under load: while it is away nothing is acknowledged, and what was is there afterwards."""
    hall.machine.postgres.stop()
    assert hall.counters.status() == httpx.codes.SERVICE_UNAVAILABLE
    hall.machine.postgres.start()
    with hall.counters as counters:
        hall.operator.types("The database is away, or its disk is full")
        counters.send(100)
    hall.city.proved()


def refused_and_parked(hall: Hall) -> None:
    """An event that cannot be, and a retraction of what never came."""
    by_topic(hall, event("task-completed", "bad", {"dinas": "dinkes"}))
    by_topic(hall, event("event-retracted", "early", RETRACTED))
    with psycopg.connect(hall.machine.postgres.url, autocommit=True) as db:
        until(lambda: db.execute("SELECT 1 FROM neraca.parked").fetchone(), "the retraction waits for its fact")
    answers = hall.operator.types("Refused and parked events of the topic")
    assert "/data/asn" in answers
    assert answers.splitlines()[-1] == "1"
    assert len(blocks()) > 15
