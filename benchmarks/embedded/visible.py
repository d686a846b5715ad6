"""visible: the time from an acknowledgement until the stream tells of that position, while 1,000 events a second arrive."""

from __future__ import annotations

import http.client
import itertools
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from benchmarks.city import City
from benchmarks.embedded.traffic import arriving, up_over
from benchmarks.harness import Figure, Size, data_directory, quantile, shown

FACTS: Final = 100_000
SECONDS: Final = 20.0
PER_SECOND: Final = 950
PROBES: Final = 50
"""Single events a second whose position is known from their receipt; the rest come in batches of ten."""


class Watch(threading.Thread):
    """Reads the stream, and notes when each position was first told."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.seen: list[tuple[float, int]] = []
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    def run(self) -> None:
        """Until the server or the measurement ends it."""
        with self._socket.makefile("rb") as lines:
            for line in lines:
                if line.startswith(b"data:"):
                    self.seen.append((time.monotonic(), msgspec.json.decode(line[5:])["position"]))


def acknowledged(port: int, seconds: float) -> list[tuple[float, int]]:
    """Single events at a steady pace: when each receipt came, and its position."""
    connection, city = http.client.HTTPConnection("127.0.0.1", port, timeout=30), City(31, f"v{time.time_ns()}")
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    start, beginning, receipts = datetime.now(UTC) - timedelta(days=6), time.monotonic(), list[tuple[float, int]]()
    for number in itertools.count():
        duration = time.monotonic() - beginning
        if duration >= seconds:
            return receipts
        time.sleep(max(0.0, number / PROBES - duration))
        body = msgspec.json.encode(next(city.facts(1, start=start, span=timedelta(days=3))))
        connection.request("POST", "/v1/events", body, {"content-type": "application/cloudevents+json"})
        answer = connection.getresponse()
        receipt = msgspec.json.decode(answer.read())
        assert answer.status == 201, receipt
        receipts.append((time.monotonic(), receipt["position"]))
    raise AssertionError


def lags_ms(receipts: list[tuple[float, int]], sights: list[tuple[float, int]]) -> list[float]:
    """For each receipt, how long after it its position was told; 0 when the stream was first."""
    lags, sightings = [], iter(sights)
    at, position = next(sightings)
    for acknowledged_at, goal in receipts:
        while position < goal:
            at, position = next(sightings)
        lags.append(max(0.0, at - acknowledged_at) * 1000)
    return lags


def run(size: Size) -> list[Figure]:
    """The figures of this measurement."""
    seconds = size.seconds(SECONDS)
    with up_over(data_directory(size.facts(FACTS)).path) as up:
        watch = Watch(up.port)
        watch.start()
        with arriving(up.port, PER_SECOND, seconds + 5) as traffic:
            time.sleep(3)
            receipts = acknowledged(up.port, seconds)
            count = traffic.count()
        time.sleep(1)
        lags = lags_ms(receipts, watch.seen)
    name, note = "acknowledged → visible, p99", "single POSTs among batches of ten"
    return [
        shown("acknowledged → visible, p50", quantile(lags, 0.5), "ms"),
        Figure(name, quantile(lags, 0.99), 250, "ms", at_most=True, note=note),
        shown("events that arrived ÷ 1,000/s", (count / (seconds + 5) + len(receipts) / seconds) / 1000),
    ]
