"""reads: a ranking from the real `neraca up`, beside a bare endpoint with the same bytes; quiet, and while events arrive."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure, pairs, shown
from benchmarks.prepared import command, data_directory
from benchmarks.traffic import arriving, reads_a_second, served

FACTS: Final = 100_000
PATH: Final = "/v1/rankings/dinas"
SECONDS: Final = 2.0
PAIRS: Final = 7
PER_SECOND: Final = 1000


def run() -> list[Figure]:
    """The ratios of this measurement."""
    with tempfile.TemporaryDirectory() as folder:
        data, body = Path(folder) / "data", Path(folder) / "body"
        shutil.copytree(data_directory(FACTS).path, data)
        with served(*command("up", "--data", str(data), "--port", "0")) as up:
            up.wait_ready()
            body.write_bytes(up.get(PATH))
            with served(sys.executable, "-m", "benchmarks.bare", str(body)) as bare:
                ours = partial(reads_a_second, up.port, PATH, SECONDS)
                theirs = partial(reads_a_second, bare.port, PATH, SECONDS)
                ours(), theirs()
                quiet = pairs(ours, theirs, PAIRS)
                length = (PAIRS + 2) * 2 * SECONDS + 10
                with arriving(up.port, PER_SECOND, length) as sender:
                    time.sleep(2)
                    busy = pairs(ours, theirs, PAIRS)
                    assert sender.stdout is not None
                    sent = int(sender.stdout.readline())
    return [
        Figure("reads ÷ bare FastAPI", quiet, 0.7, note=f"GET {PATH}, the same bytes, 4 kept connections"),
        Figure("reads ÷ bare FastAPI, 1,000 events/s arriving", busy, 0.7, note="both under the same load"),
        shown("events that did arrive ÷ 1,000/s", sent / (length * PER_SECOND)),
    ]
