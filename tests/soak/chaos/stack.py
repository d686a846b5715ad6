"""A whole Neraca over servers that can be killed: it is started, watched from its database, and its recovery is timed.

A worker is known here by its static name; its process may change.
"""

from __future__ import annotations

import logging
import os
import re
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import httpx
import psycopg

from local.local_server import family, free_port
from tests.kafka.serving import Scaled
from tests.kafka.topics import Topics
from tests.serving import until
from tests.soak.chaos.traffic import City
from tests.soak.chaos.watch import Watch

if TYPE_CHECKING:
    from local.local_kafka import LocalKafka
    from local.local_postgres import LocalPostgres
    from tests.kafka.process import Running
    from tests.soak.chaos.watch import Seen

LOG: Final = logging.getLogger("tests.soak.chaos.__main__")
PARTITIONS: Final = 12
WORKERS: Final = ("a", "b")
RELAYS: Final = ("relay-1", "relay-2")
RECOVERED_WITHIN_S: Final = 120.0
START_S: Final = 15.0
"""The longest start of a whole stack on a machine that has nothing else to do."""
_AWAY: Final = re.compile(r"^neraca (?:worker|relay): postgresql://\S+: ", re.MULTILINE)
_RELAYING: Final = 7_305_531_003
"""The advisory lock of the relay whose turn it is."""


class Stack:
    """Intake, api, two relays and two workers over 12 partitions, counters that send, and what watches it all."""

    def __init__(
        self,
        directory: Path,
        postgres: LocalPostgres,
        kafka: LocalKafka,
        database_url: str,
        seed: int,
        workers: tuple[str, ...] = WORKERS,
    ) -> None:
        self.directory = directory
        self.postgres = postgres
        self.kafka = kafka
        self.scaled = Scaled(directory, database_url, kafka.bootstrap, partitions=PARTITIONS)
        self.topics = Topics(kafka.bootstrap)
        self.city = City(lambda: self.scaled.url("intake"), seed)
        self.watch = Watch(database_url)
        self.workers: dict[str, str] = {}
        self.over_at: float | None = None
        self.restarted = 0
        self.busy = 1.0
        self._first = workers
        self._started = 0
        self._ports: dict[str, int] = {}
        self._dropped: dict[tuple[str, str], int] = {}

    def __enter__(self) -> Self:
        """Start everything, and wait until every partition goes on; how long it took says how busy the machine is."""
        self.scaled.__enter__()
        began = time.monotonic()
        try:
            self.scaled.start("intake", "api", *RELAYS)
            for name in self._first:
                self.start_worker(name)
            for key in self.workers.values():
                self.scaled.await_up(key)
            self.watch.start()
            self.city.__enter__()
            self.recovery_s(time.monotonic())
            self.busy = max(1.0, (time.monotonic() - began) / START_S)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End everything."""
        self.city.__exit__()
        self.watch.close()
        self.scaled.__exit__()

    def start_worker(self, name: str) -> str:
        """Begin a worker of a static name, and do not wait for it; the name by which its process is known."""
        self._started += 1
        key = f"worker-{self._started}"
        self._ports[key] = free_port()
        self.scaled.begin(key, "--name", name, "--metrics-port", str(self._ports[key]))
        self.workers[name] = key
        return key

    def worker(self, name: str) -> Running:
        """The process that has this static name now: the supervisor."""
        return self.scaled.running(self.workers[name])

    def folding(self, name: str) -> int:
        """The number of the process that folds for a worker, its supervisor's child."""

        def child() -> int | None:
            self.restart_ended()
            return next(iter(family(self.worker(name).pid)[1:]), None)

        return until(child, f"worker {name} has a process that folds")

    def kill_worker(self, name: str, *, whole: bool) -> None:
        """SIGKILL to the process that folds, which its supervisor starts again; or to both, and they are started again."""
        if whole:
            self.worker(name).kill()
            self.start_worker(name)
        else:
            self.send(self.folding(name), signal.SIGKILL)

    def send(self, pid: int, number: signal.Signals) -> None:
        """A signal to a process, if it is still there."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def restart_ended(self) -> None:
        """Start a process again that could not begin while a server was away, as an operator's ``restart: always`` does."""
        for name, key in list(self.workers.items()):
            if self.scaled.running(key).code is not None and _AWAY.search(self.scaled.output(key)):
                self.start_worker(name)
                self.restarted += 1
        for name in RELAYS:
            if self.scaled.running(name).code is not None and _AWAY.search(self.scaled.output(name)):
                self.scaled.begin(name)
                self.restarted += 1

    def end_worker(self, name: str) -> int:
        """End a worker by SIGTERM; its exit code."""
        return self.worker(name).stop(25)

    def remove_worker(self, name: str) -> Running:
        """Forget the worker of a name; its process."""
        running = self.worker(name)
        del self.workers[name]
        return running

    def relaying(self) -> str | None:
        """The relay whose turn it is."""
        with psycopg.connect(self.scaled.database_url, autocommit=True) as db:
            row = db.execute(
                "SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "
                "AND granted AND (classid::bigint << 32) + objid::bigint = %s",
                (_RELAYING,),
            ).fetchone()
        if row is None:
            return None
        names = [name for name in RELAYS if row[0] in ports_of(self.scaled.running(name).pid)]
        return names[0] if names else None

    def over(self) -> None:
        """The fault ends here: what follows is recovery."""
        if self.over_at is None:
            self.over_at = time.monotonic()

    def recovery_s(self, since: float, within_s: float = RECOVERED_WITHIN_S) -> float:
        """Wait until every source not stopped has folded entries recorded after ``since``; return how long it took."""
        first = until(lambda: self._seen_after(since), "a look at the database", within_s=within_s)

        def recovered() -> Seen | None:
            self.restart_ended()
            sight = self._seen_after(first.at)
            return sight if sight is not None and sight.beyond(first.head) else None

        try:
            return until(recovered, "progress on every partition", within_s=within_s).at - since
        except TimeoutError as error:
            error.add_note(f"head {first.head}, {self.watch.last}")
            raise

    def _seen_after(self, since: float) -> Seen | None:
        sight = self.watch.last
        return sight if sight is not None and sight.at > since and sight.positions else None

    def folded(self) -> dict[int, str]:
        """The worker that folds each partition, by the workers' metrics."""
        texts = {name: self._metrics(key) for name, key in self.workers.items()}
        pattern = re.compile(r'^neraca_partition_lag_records\{partition="(\d+)"\} ', re.MULTILINE)
        return {int(partition): name for name, text in texts.items() for partition in pattern.findall(text)}

    def note_dropped(self) -> None:
        """Remember how many entries each process of a worker says to have dropped; it takes the figure with it."""
        for key in self.workers.values():
            text = self._metrics(key)
            figures = [
                re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
                for name in ("neraca_worker_starts", 'neraca_folded_entries_total{fate="dropped"}')
            ]
            if figures[0] and figures[1]:
                self._dropped[key, figures[0][1]] = int(float(figures[1][1]))

    def dropped(self) -> int:
        """The number of entries that came again and were dropped by position, as far as it was noted."""
        return sum(self._dropped.values())

    def _metrics(self, key: str) -> str:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self._ports[key]}/metrics", timeout=5).text
        return ""


def ports_of(pid: int) -> set[int]:
    """The local ports of a process's TCP connections; none of a process that has ended."""
    inodes = set()
    try:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                inodes.add(link.readlink().name.removeprefix("socket:[").removesuffix("]"))
        rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    except (FileNotFoundError, ProcessLookupError):
        return set()
    return {int(row[1].rpartition(":")[2], 16) for row in rows if row[9] in inodes}
