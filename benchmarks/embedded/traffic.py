"""Servers under measurement and the traffic sent to them, each in a process of its own, over kept connections of 127.0.0.1."""

from __future__ import annotations

import http.client
import re
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

from benchmarks.city import City
from benchmarks.harness import ROOT, command

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S: Final = 120.0
BATCH: Final = 10
_ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)/")


class Served:
    """A server process and its port."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def get(self, path: str) -> bytes:
        """One answer's body. Raises: ``AssertionError`` unless it is 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        assert answer.status == 200, (answer.status, body[:200])
        return body

    def wait_ready(self) -> None:
        """Until balances have reached the journal's head."""
        deadline = time.monotonic() + 900
        while time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("GET", "/readyz")
            status = connection.getresponse().status
            connection.close()
            if status == 200:
                return
            time.sleep(0.5)
        raise TimeoutError

    def memory_mb(self) -> tuple[float, float]:
        """Resident memory now, and its peak."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        fields = dict(line.split(":", 1) for line in status.splitlines())
        return int(fields["VmRSS"].split()[0]) / 1024, int(fields["VmHWM"].split()[0]) / 1024

    def cpu_s(self) -> float:
        """The processor time that the process has used."""
        # Linux's own clock of another process, in nanoseconds; /proc counts in hundredths of a second.
        return time.clock_gettime((~self.process.pid << 3) | 2)


@contextmanager
def served(*words: str) -> Iterator[Served]:
    """A server started by a command that says its address on standard error."""
    process = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            address = _ADDRESS.search(line)
            if address:
                break
        else:
            message = "the server did not start"
            raise RuntimeError(message)
        yield Served(process, int(address[1]))
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def up_over(source: Path) -> Iterator[Served]:
    """`neraca up` over a copy of a data directory, its balances at the journal's head."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(source, data)
        with up_at(data) as up:
            yield up


@contextmanager
def up_at(data: Path) -> Iterator[Served]:
    """`neraca up` over a data directory itself, its balances at the journal's head."""
    with served(*command("up", "--open", "--data", str(data), "--port", "0")) as up:
        up.wait_ready()
        yield up


@contextmanager
def bare(body: bytes) -> Iterator[Served]:
    """A bare endpoint that answers with the same bytes."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        with served(sys.executable, "-m", "benchmarks.embedded.bare", file.name) as endpoint:
            yield endpoint


class Traffic:
    """Events that another process sends to a server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def count(self) -> int:
        """Wait for the end of the traffic: the number of events that were sent."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())


@contextmanager
def arriving(port: int, per_second: int, seconds: float) -> Iterator[Traffic]:
    """Events that arrive at a server meanwhile, from another process."""
    words = [sys.executable, "-m", "benchmarks.embedded.traffic", str(port), str(per_second), str(seconds)]
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield Traffic(process)
    finally:
        process.terminate()
        process.wait(30)


def reads_a_second(port: int, path: str, seconds: float, connections: int = 4) -> float:
    """Complete answers a second over a few kept connections, the server always having one more to answer."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    sockets = [socket.create_connection(("127.0.0.1", port), timeout=30) for _ in range(connections)]
    finish, end = 0, time.perf_counter() + seconds
    for connection in sockets:
        connection.sendall(request)
    beginning = time.perf_counter()
    while time.perf_counter() < end:
        for connection in sockets:
            _answer(connection)
            connection.sendall(request)
            finish += 1
    took = time.perf_counter() - beginning
    for connection in sockets:
        connection.close()
    return finish / took


def _answer(connection: socket.socket) -> None:
    receipts = connection.recv(1 << 18)
    head, _, body = receipts.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head[:80]
    rest = int(re.search(rb"content-length: (\d+)", head)[1]) - len(body)  # type: ignore[index]
    while rest > 0:
        rest -= len(connection.recv(1 << 18))


def batches(prefix: str) -> Iterator[bytes]:
    """NDJSON bodies of ``BATCH`` events of the last days, without end."""
    city, start = City(23, prefix), datetime.now(UTC).replace(microsecond=0) - timedelta(days=6)
    while True:
        yield b"\n".join(msgspec.json.encode(event) for event in city.facts(BATCH, start=start, span=timedelta(days=3)))


def send(port: int, per_second: int, seconds: float) -> int:
    """Send batches at a steady pace, each acknowledged before the next; how many events were."""
    connection, supply = http.client.HTTPConnection("127.0.0.1", port, timeout=60), batches(f"t{time.time_ns()}")
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    beginning, count_sent = time.monotonic(), 0
    while (duration := time.monotonic() - beginning) < seconds:
        if count_sent > duration * per_second:
            time.sleep(count_sent / per_second - duration)
        connection.request("POST", "/v1/events", next(supply), {"content-type": "application/x-ndjson"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body[:300]
        tally = msgspec.json.decode(body)
        assert tally["accepted"] == BATCH, tally
        count_sent += BATCH
    return count_sent


if __name__ == "__main__":
    print(send(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
