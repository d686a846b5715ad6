"""A record that is no segment: it is parked with the reason; its partition visibly stops until resumed."""

import pytest

from domain.fold.partition import partition_of
from tests.kafka.serving import PARTITIONS, Scaled
from tests.kafka.topics import Topics
from tests.serving import event, until

GARBAGE = b"\x01 no segment"
DINAS = ("disdukcapil", "dpmptsp")
MINE, OTHER = (partition_of(dinas, PARTITIONS) for dinas in DINAS)


def post(cluster: Scaled, since: int) -> None:
    """Ten tasks of either dinas."""
    data = {"asn": "a-1", "completed_at": "2026-11-24T10:00:00+07:00"}
    names = [(dinas, f"{dinas}-{number}") for dinas in DINAS for number in range(since, since + 10)]
    tally = cluster.post(event("task-completed", name, {**data, "dinas": dinas, "task": name}) for dinas, name in names)
    assert tally["accepted"] == 20


@pytest.mark.faults
def test_a_record_that_is_no_segment_stops_its_partition_until_it_is_resumed(cluster: Scaled, topics: Topics) -> None:
    """Others go on; the reason is in the metrics, a dead letter and `neraca resume`; then nothing is missing."""
    assert MINE != OTHER
    metrics = [f'neraca_partition_stopped{{partition="{partition}"}}' for partition in (MINE, OTHER)]
    cluster.start("intake", "api", "relay", "worker")
    post(cluster, 0)
    before = cluster.settle()
    (offset,) = topics.produce("neraca.segments.1", [(None, GARBAGE, [])], partition=MINE)
    until(lambda: cluster.metric(metrics[0]) == 1, "the partition stands")
    post(cluster, 10)
    until(lambda: cluster.partitions()[OTHER] == cluster.head(), "the other goes on")
    assert (cluster.partitions()[MINE], cluster.metric(metrics[1])) == (before, 0)
    assert cluster.get("/v1/digest")["position"] == before

    (letter,) = topics.read("neraca.segments.dead")
    headers = {name: value.decode() for name, value in letter.headers}
    why = headers.pop("why")
    assert why == "it has no HMAC, and its layout has a key"
    assert (letter.value, headers) == (
        GARBAGE,
        {"topic": "neraca.segments.1", "partition": str(MINE), "offset": str(offset)},
    )

    process = cluster.command("resume", "--partition", str(MINE))
    assert f"\n1/{MINE}: record {offset} of partition {MINE}: {why}" in process.stderr.decode()
    assert process.stdout.decode() == f"1/{MINE} goes on\n"
    assert cluster.prove() == before + 20
    assert cluster.metric(metrics[0]) == 0
    assert cluster.command("resume", code=1).stderr.endswith(b"\nno such partition is stopped\n")
