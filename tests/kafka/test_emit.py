"""`neraca emit --kafka`: a counter produces to the topic until the broker has its events; a repeat counts once."""

from pathlib import Path
from typing import Any

import msgspec

from local.local_kafka import LocalKafka
from tests.kafka.serving import Scaled
from tests.kafka.topics import Topics
from tests.serving import event, ndjson, until


def rated(name: str, dinas: str) -> dict[str, Any]:
    return event("satisfaction-rated", name, {"dinas": dinas, "survey": name, "overall": 4})


def write_lines(path: Path, *events: object) -> str:
    path.write_bytes(ndjson(events) + b"\n")
    return str(path)


def ids(cluster: Scaled) -> list[str]:
    """The ids that the journal holds, in order, without its opening."""
    lines = cluster.command("export", "--journal", "-").stdout.splitlines()
    return [msgspec.json.decode(line)["id"] for line in lines[1:]]


def test_what_is_emitted_is_recorded_once_though_the_broker_was_away(
    cluster: Scaled, topics: Topics, kafka: LocalKafka, tmp_path: Path
) -> None:
    """Run twice it changes nothing; without a broker the outbox keeps the events, and a later run delivers them."""
    names = [f"e{number}" for number in range(6)]
    first = write_lines(tmp_path / "first.ndjson", *(rated(name, f"dinas-{name}") for name in names))
    cluster.start("intake", options=["--kafka"])
    outbox = ("--outbox", str(tmp_path / "outbox.sqlite"))
    for _ in range(2):
        process = cluster.command("emit", first, "--kafka", *outbox)
        assert process.stdout == b"accepted=6 duplicates=0 refused=0 pending=0\n"
    until(lambda: cluster.head() == 7, "all are recorded")
    records = topics.read("neraca.intake")
    assert len(records) == 12
    by_key = {(record.key, record.partition) for record in records}
    assert {key for key, _ in by_key} == {f"dinas-{name}".encode() for name in names}
    assert len(by_key) == 6, "what is about one dinas keeps its order, in one partition"

    kafka.kill()
    late = [rated("late", "dinas-e0"), b'{"not": "an event"}', rated("e0", "dinas-e0")]
    second = write_lines(tmp_path / "second.ndjson", *late)
    away = cluster.command("emit", second, "--kafka", *outbox, "--patience", "0", code=1)
    assert away.stdout == b"accepted=0 duplicates=0 refused=0 pending=3\n"
    assert b"not acknowledged: no broker answers at" in away.stderr
    kafka.start()
    nothing = write_lines(tmp_path / "nothing.ndjson")
    assert (
        cluster.command("emit", nothing, "--kafka", *outbox).stdout == b"accepted=3 duplicates=0 refused=0 pending=0\n"
    )
    until(lambda: cluster.head() == 8, "what was late is recorded")
    until(lambda: topics.read("neraca.refused"), "what is no event is refused")
    assert sorted(ids(cluster)) == [*names, "late"]
    refusals = {record.value for record in topics.read("neraca.refused")}
    assert refusals == {b'{"not": "an event"}'}, (
        "a record that is read again, after the broker was away, is refused again"
    )
