"""reads: a ranking from the real `neraca up`, beside a bare endpoint with the same bytes; quiet, and while events arrive."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

from benchmarks.embedded.traffic import arriving, bare, reads_a_second, up_over
from benchmarks.harness import Figure, Size, data_directory, pairs, shown

FACTS: Final = 100_000
PATH: Final = "/v1/rankings/dinas"
SECONDS: Final = 2.0
PAIRS: Final = 7
PER_SECOND: Final = 1000


def run(size: Size) -> list[Figure]:
    """The ratios of this measurement."""
    seconds, number = size.seconds(SECONDS), size.count(PAIRS)
    with up_over(data_directory(size.facts(FACTS)).path) as up, bare(up.get(PATH)) as endpoint:
        ours = partial(reads_a_second, up.port, PATH, seconds)
        theirs = partial(reads_a_second, endpoint.port, PATH, seconds)
        ours(), theirs()
        quiet = pairs(ours, theirs, number)
        length = (number + 2) * 2 * seconds + size.seconds(10)
        with arriving(up.port, PER_SECOND, length) as traffic:
            time.sleep(size.seconds(2))
            busy = pairs(ours, theirs, number)
            count = traffic.count()
    return [
        Figure("reads ÷ bare FastAPI", quiet, 0.7, note=f"GET {PATH}, the same bytes, 4 kept connections"),
        Figure("reads ÷ bare FastAPI, 1,000 events/s arriving", busy, 0.7, note="both under the same load"),
        shown("events that did arrive ÷ 1,000/s", count / (length * PER_SECOND)),
    ]
