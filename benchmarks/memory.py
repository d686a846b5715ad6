"""memory: what `neraca up` holds resident after a million events, reads, and a minute of 1,000 events a second."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure, shown
from benchmarks.prepared import MILLION, command, data_directory
from benchmarks.traffic import arriving, served

SECONDS: Final = 60.0
READS: Final = (
    "/v1/rankings/dinas", "/v1/dinas", "/v1/dinas/dinas-03", "/v1/dinas/dinas-03/asn", "/v1/dinas/dinas-03/why",
    "/v1/asn/a-00033", "/v1/asn/a-00033/why", "/v1/rankings/asn?dinas=dinas-03", "/v1/digest", "/",
)  # fmt: skip


def run() -> list[Figure]:
    """The figures of this measurement."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(data_directory(MILLION).path, data)
        with served(*command("up", "--data", str(data), "--port", "0")) as up:
            up.wait_ready()
            _, folded = up.memory_mb()
            for path in READS:
                up.get(path)
            with arriving(up.port, 1000, SECONDS) as sender:
                for _ in range(int(SECONDS) // 5):
                    up.get(READS[0])
                    time.sleep(4.5)
                assert sender.stdout is not None
                sent = int(sender.stdout.readline())
            time.sleep(5)
            settled, peak = up.memory_mb()
    return [
        Figure("resident memory, settled", settled, 300, "MB", at_most=True, note="a million events, 10,000 ASN"),
        Figure(
            "resident memory, peak", peak, 300, "MB", at_most=True, note=f"{folded:.0f} MB when caught up; a digest too"
        ),
        shown("events that arrived ÷ 1,000/s", sent / SECONDS / 1000),
    ]
