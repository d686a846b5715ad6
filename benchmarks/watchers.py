"""watchers: 500 screens follow the board of one process while 1,000 events a second arrive: its cost, and how soon each sees."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from benchmarks.measure import Figure, quantile, shown
from benchmarks.prepared import ROOT, command, data_directory
from benchmarks.traffic import arriving, served
from benchmarks.visible import PER_SECOND, acknowledged

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def watch(port: int, seconds: float) -> Seen:
    """Follow the board over many connections, in one process of its own; only positions are read."""
    chosen = selectors.DefaultSelector()
    seen: list[list[tuple[float, int]]] = [[] for _ in range(WATCHERS)]
    for number in range(WATCHERS):
        one = socket.create_connection(("127.0.0.1", port), timeout=30)
        one.sendall(f"GET /live/board?period={PERIOD} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        one.setblocking(False)  # noqa: FBT003 - the socket's own call
        chosen.register(one, selectors.EVENT_READ, number)
    print("watching", flush=True)
    received, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for key, _ in chosen.select(left):
            assert isinstance(key.fileobj, socket.socket)
            data = key.fileobj.recv(1 << 20)
            received += len(data)
            found = POSITION.findall(data)
            if found:
                seen[key.data].append((time.monotonic(), int(found[-1].replace(b".", b""))))
            if not data:
                chosen.unregister(key.fileobj)
    return Seen(seen, received)


def to_screen_ms(receipts: Sequence[tuple[float, int]], seen: Sequence[tuple[float, int]]) -> list[float]:
    """For each receipt, how long until a watcher's screen showed its position; what no screen showed is left out."""
    lags, told = list[float](), iter(seen)
    at, position = next(told, (0.0, -1))
    for acknowledged_at, wanted in receipts:
        while position < wanted:
            following = next(told, None)
            if following is None:
                return lags
            at, position = following
        lags.append(max(0.0, at - acknowledged_at) * 1000)
    return lags


def cpu_s(pid: int) -> float:
    """The processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run() -> list[Figure]:
    """The figures of this measurement."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        shutil.copytree(data_directory(FACTS).path, data)
        with served(*command("up", "--data", str(data), "--port", "0")) as up:
            up.wait_ready()
            alone = up.memory_mb()[0]
            words = [sys.executable, "-m", "benchmarks.watchers", str(up.port), str(SECONDS + SETTLING_S + 8)]
            with (
                subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as watching,
                arriving(up.port, PER_SECOND, SECONDS + SETTLING_S) as sender,
            ):
                assert watching.stdout is not None
                assert watching.stdout.readline() == b"watching\n"
                time.sleep(SETTLING_S)
                begun, used = time.monotonic(), cpu_s(up.process.pid)
                receipts = acknowledged(up.port, SECONDS)
                share = (cpu_s(up.process.pid) - used) / (time.monotonic() - begun)
                memory, peak = up.memory_mb()
                assert sender.stdout is not None
                sent = int(sender.stdout.readline())
                seen = msgspec.json.decode(watching.stdout.readline(), type=Seen)
            lags = [lag for one in seen.of for lag in to_screen_ms(receipts, one)]
            ended = _ended_while_watched(up.port, up.process)
    return [
        shown("watchers that were served", sum(bool(one) for one in seen.of), "of 500"),
        shown("acknowledged → on a screen, p50", quantile(lags, 0.5), "ms", f"{len(lags):,} sightings"),
        Figure(
            "acknowledged → on a screen, p99", quantile(lags, 0.99), 2000, "ms", at_most=True, note="of 500 watchers"
        ),
        shown("memory, 500 watchers more than none", memory - alone, "MB", f"{memory:.0f} MB, peak {peak:.0f} MB"),
        shown("processor of the one process", share, "cores", "intake, fold, board and 500 streams"),
        shown("sent to each watcher", seen.received / WATCHERS / (SECONDS + SETTLING_S) / 1024, "KB/s"),
        shown("events that arrived ÷ 1,000/s", (sent / (SECONDS + SETTLING_S) + len(receipts) / SECONDS) / 1000),
        Figure("SIGTERM with 500 watchers → ended", ended, 5, "s", at_most=True),
    ]


def _ended_while_watched(port: int, process: subprocess.Popen[str]) -> float:
    """How long a server takes to end while everybody watches."""
    words = [sys.executable, "-m", "benchmarks.watchers", str(port), "15"]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as watching:
        assert watching.stdout is not None
        assert watching.stdout.readline() == b"watching\n"
        time.sleep(2)
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        took = time.monotonic() - begun
        watching.kill()
    return took


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(watch(int(sys.argv[1]), float(sys.argv[2]))) + b"\n")
