"""memory: what `neraca up` holds resident after a million events, reads, and a minute of 1,000 events a second."""

from __future__ import annotations

import time
from typing import Final

from benchmarks.city import City, first
from benchmarks.embedded.traffic import arriving, up_over
from benchmarks.harness import ERA, Figure, Size, data_directory, shown

SECONDS: Final = 60.0
READS: Final = (
    "/v1/rankings/dinas",
    "/v1/dinas",
    "/v1/dinas/dinas-03",
    "/v1/dinas/dinas-03/asn",
    "/v1/dinas/dinas-03/why",
    "/v1/rankings/asn?dinas=dinas-03",
    "/v1/digest",
    "/",
)


def run(size: Size) -> list[Figure]:
    """The figures of this measurement."""
    seconds, facts = size.seconds(SECONDS), size.facts(ERA)
    asn = first("task-completed", "dinas-03", City(7, "b0").facts(facts))["asn"]
    with up_over(data_directory(facts).path) as up:
        _, fold_mb = up.memory_mb()
        for path in (*READS, f"/v1/asn/{asn}", f"/v1/asn/{asn}/why"):
            up.get(path)
        with arriving(up.port, 1000, seconds) as traffic:
            for _ in range(int(seconds) // 5):
                up.get(READS[0])
                time.sleep(4.5)
            count = traffic.count()
        time.sleep(size.seconds(5))
        idle_mb, peak = up.memory_mb()
    note = f"{fold_mb:.0f} MB when caught up; a digest too"
    return [
        Figure("resident memory, settled", idle_mb, 300, "MB", at_most=True, note="a million events, 10,000 ASN"),
        Figure("resident memory, peak", peak, 300, "MB", at_most=True, note=note),
        shown("events that arrived ÷ 1,000/s", count / seconds / 1000),
    ]
