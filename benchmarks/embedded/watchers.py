"""watchers: 500 screens follow the board of one process while 1,000 events a second arrive: its cost, and how soon each sees."""

from __future__ import annotations

import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.embedded.traffic import arriving, up_over
from benchmarks.embedded.visible import PER_SECOND, acknowledged
from benchmarks.harness import ROOT, Figure, Size, data_directory, quantile, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.embedded.traffic import Served

FACTS: Final = 100_000
WATCHERS: Final = 500
SECONDS: Final = 20.0
SETTLING_S: Final = 5.0
PERIOD: Final = "2026"
POSITION: Final = re.compile(rb"posisi <b>([\d.]+)</b>")


class Seen(msgspec.Struct):
    """Of each watcher: when a position was first on its screen, and the bytes it was sent."""

    of: list[list[tuple[float, int]]]
    received: int


def watch(port: int, seconds: float, watchers: int) -> Seen:
    """Follow the board over many connections, in one process of its own; only positions are read."""
    selection = selectors.DefaultSelector()
    sights: list[list[tuple[float, int]]] = [[] for _ in range(watchers)]
    for number in range(watchers):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.sendall(f"GET /live/board?period={PERIOD} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        connection.setblocking(False)  # noqa: FBT003 - the socket's own call
        selection.register(connection, selectors.EVENT_READ, number)
    print("watching", flush=True)
    arrivals, end = 0, time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        for key, _ in selection.select(rest):
            assert isinstance(key.fileobj, socket.socket)
            data = key.fileobj.recv(1 << 20)
            arrivals += len(data)
            positions = POSITION.findall(data)
            if positions:
                sights[key.data].append((time.monotonic(), int(positions[-1].replace(b".", b""))))
            if not data:
                selection.unregister(key.fileobj)
    return Seen(sights, arrivals)


def to_screen_ms(receipts: Sequence[tuple[float, int]], sights: Sequence[tuple[float, int]]) -> list[float]:
    """For each receipt, how long until a watcher's screen showed its position; what no screen showed is left out."""
    lags, sightings = list[float](), iter(sights)
    at, position = next(sightings, (0.0, -1))
    for acknowledged_at, goal in receipts:
        while position < goal:
            following = next(sightings, None)
            if following is None:
                return lags
            at, position = following
        lags.append(max(0.0, at - acknowledged_at) * 1000)
    return lags


@contextmanager
def watching(port: int, seconds: float, watchers: int) -> Iterator[subprocess.Popen[bytes]]:
    """Another process in which so many screens follow the board; it prints what they saw at its end."""
    words = [sys.executable, "-m", "benchmarks.embedded.watchers", str(port), str(seconds), str(watchers)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"watching\n"
        yield process


def run(size: Size) -> list[Figure]:
    """The figures of this measurement."""
    seconds, settling, watchers = size.seconds(SECONDS), size.seconds(SETTLING_S), size.count(WATCHERS, 3)
    with up_over(data_directory(size.facts(FACTS)).path) as up:
        alone = up.memory_mb()[0]
        with (
            watching(up.port, seconds + settling + 8, watchers) as screens,
            arriving(up.port, PER_SECOND, seconds + settling) as traffic,
        ):
            time.sleep(settling)
            beginning, usage = time.monotonic(), up.cpu_s()
            receipts = acknowledged(up.port, seconds)
            share = (up.cpu_s() - usage) / (time.monotonic() - beginning)
            memory, peak = up.memory_mb()
            count = traffic.count()
            assert screens.stdout is not None
            sights = msgspec.json.decode(screens.stdout.readline(), type=Seen)
        lags = [lag for screen in sights.of for lag in to_screen_ms(receipts, screen)]
        end_s = _ended_while_watched(up, watchers)
    p99, rate = quantile(lags, 0.99), sights.received / watchers / (seconds + settling) / 1024
    return [
        shown("watchers that were served", sum(map(bool, sights.of)), f"of {watchers}"),
        shown("acknowledged → on a screen, p50", quantile(lags, 0.5), "ms", f"{len(lags):,} sightings"),
        Figure("acknowledged → on a screen, p99", p99, 2000, "ms", at_most=True, note=f"of {watchers} watchers"),
        shown("memory, 500 watchers more than none", memory - alone, "MB", f"{memory:.0f} MB, peak {peak:.0f} MB"),
        shown("processor of the one process", share, "cores", "intake, fold, board and the streams"),
        shown("sent to each watcher", rate, "KB/s"),
        shown("events that arrived ÷ 1,000/s", (count / (seconds + settling) + len(receipts) / seconds) / 1000),
        Figure("SIGTERM with 500 watchers → ended", end_s, 5, "s", at_most=True),
    ]


def _ended_while_watched(up: Served, watchers: int) -> float:
    """The seconds a server takes to end while everybody watches."""
    with watching(up.port, 15, watchers) as screens:
        time.sleep(2)
        beginning = time.monotonic()
        up.process.send_signal(signal.SIGTERM)
        assert up.process.wait(60) == 0
        took = time.monotonic() - beginning
        screens.kill()
    return took


if __name__ == "__main__":
    port, seconds, watchers = sys.argv[1:]
    sys.stdout.buffer.write(msgspec.json.encode(watch(int(port), float(seconds), int(watchers))) + b"\n")
