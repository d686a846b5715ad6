"""crowd: single events of a counter while 150 callers ask for each page that costs most, and 380 send heads they never end."""

from __future__ import annotations

import http.client
import itertools
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.city import DINAS, City
from benchmarks.embedded.traffic import served
from benchmarks.harness import ROOT, Figure, Size, command, data_directory, quantile, shown
from domain.events.names import type_of

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTS: Final = 100_000
SECONDS: Final = 8.0
CALLERS: Final = 150
HEADS: Final = 380
PROBES: Final = 20
"""Single events a second."""
TASK: Final = type_of("task-completed")
"""The events of the counter: a decision may find its receipt missing, and a rating is no counter's."""
SOURCE: Final = "/loket/crowd"
PAGES: Final = ("/", "/publik", "/v1/digest", "/v1/rankings/dinas?limit=1000", "/v1/dinas?limit=1000")
ADDRESSES: Final = 5
"""The callers come from so many addresses, so that those of one are within its bound."""
UNENDED: Final = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


class Caller:
    """One connection that asks for a page again and again, and opens anew when it is closed."""

    def __init__(self, port: int, request: bytes, address: str) -> None:
        self._port, self._request, self._address = port, request, address
        self.answers = 0
        self.socket = self.opened()

    def opened(self) -> socket.socket:
        """A new connection, its request sent."""
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=30, source_address=(self._address, 0))
        connection.sendall(self._request)
        connection.setblocking(False)  # noqa: FBT003 - the socket's own call
        return connection

    def step(self) -> socket.socket:
        """Read what has come; ask again after an answer. The connection from now on."""
        try:
            data = self.socket.recv(1 << 20)
        except OSError:
            data = b""
        if not data:
            self.socket.close()
            self.socket = self.opened()
        elif not self._request.endswith(UNENDED):
            self.answers += data.count(b"HTTP/1.1 200")
            if data.endswith((b"0\r\n\r\n", b"}", b"\n", b">")):
                self.socket.setblocking(True)  # noqa: FBT003 - the same
                self.socket.sendall(self._request)
                self.socket.setblocking(False)  # noqa: FBT003 - the same
        return self.socket


def crowd(port: int, seconds: float, page: str, callers: int, heads: int) -> int:
    """Be the crowd for so long; the number of answers with the page."""
    request = f"GET {page} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    selection = selectors.DefaultSelector()
    everybody = [Caller(port, request, f"127.0.1.{1 + number % ADDRESSES}") for number in range(callers)]
    everybody += [Caller(port, UNENDED, "127.0.2.1") for _ in range(heads)]
    for caller in everybody:
        selection.register(caller.socket, selectors.EVENT_READ, caller)
    print("here", flush=True)
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        for key, _ in selection.select(rest):
            selection.unregister(key.fileobj)
            selection.register(key.data.step(), selectors.EVENT_READ, key.data)
    return sum(caller.answers for caller in everybody)


@contextmanager
def crowded(port: int, seconds: float, page: str, callers: int, heads: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that is the crowd; it prints the number of its answers at its end."""
    words = [sys.executable, "-m", "benchmarks.embedded.crowd", str(port), str(seconds), page, str(callers), str(heads)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        try:
            yield process
        finally:
            process.terminate()


def times_ms(port: int, token: str, seconds: float) -> list[float]:
    """Single events at a steady pace over one connection: how long each took until it was durable."""
    connection, city = http.client.HTTPConnection("127.0.0.1", port, timeout=60), City(31, f"c{time.time_ns()}")
    headers = {"content-type": "application/cloudevents+json", "authorization": f"Bearer {token}"}
    start, beginning, times = datetime.now(UTC) - timedelta(days=6), time.monotonic(), list[float]()
    for number in itertools.count():
        if time.monotonic() - beginning >= seconds:
            return times
        time.sleep(max(0.0, number / PROBES - (time.monotonic() - beginning)))
        facts = city.facts(1_000, start=start, span=timedelta(days=3))
        event = next(fact for fact in facts if fact["type"] == TASK) | {"source": SOURCE}
        sending = time.monotonic()
        connection.request("POST", "/v1/events", msgspec.json.encode(event), headers)
        answer = connection.getresponse()
        receipt = answer.read()
        assert answer.status == 201, receipt
        times.append((time.monotonic() - sending) * 1000)
    raise AssertionError


def run(size: Size) -> list[Figure]:
    """The figures of this measurement."""
    seconds, callers, heads = size.seconds(SECONDS), size.count(CALLERS, 3), size.count(HEADS, 3)
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(data_directory(size.facts(FACTS)).path, data)
        limits = ("--dinas", ",".join(f"dinas-{number:02}" for number in range(DINAS)), "--source", SOURCE)
        words = command("token", "make", "crowd", "--scope", "fact", *limits, "--data", str(data))
        token = subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
        with served(*command("up", "--data", str(data), "--port", "0")) as up:
            up.wait_ready()
            quiet = quantile(times_ms(up.port, token, seconds), 0.99)
            figures.append(shown("an event alone → durable, p99", quiet, "ms"))
            for page in PAGES:
                with crowded(up.port, seconds + 4, page, callers, heads) as process:
                    time.sleep(1)
                    p99 = quantile(times_ms(up.port, token, seconds), 0.99)
                    assert process.stdout is not None
                    answers = process.stdout.readline().strip()
                note = f"{callers} callers, who got {answers} answers, and {heads} heads without an end"
                figures.append(
                    Figure(f"an event → durable, {page} crowded, p99", p99, 250, "ms", at_most=True, note=note)
                )
    return figures


if __name__ == "__main__":
    port, seconds, page, callers, heads = sys.argv[1:]
    print(crowd(int(port), float(seconds), page, int(callers), int(heads)), flush=True)
