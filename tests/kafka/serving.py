"""Neraca outgrown to many processes, as an operator runs them: intake, api, relay and worker, on real servers.

A process is known by a name that begins with its command: ``relay``, ``relay-2``. Nothing outlives the ``with``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any, Final, Self

import httpx
import msgspec
import psycopg

from tests.faults.traffic import Counter
from tests.kafka.process import Running
from tests.serving import NDJSON, ndjson, until

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterable, Mapping
    from pathlib import Path

PARTITIONS: Final = 4
_AT: Final = re.compile(r" at (http://\S+)/  \(API")
_UP: Final = {"intake": _AT, "api": _AT, "relay": re.compile(r"Neraca relays"), "worker": re.compile(r"Neraca worker")}
"""The line each command prints once it is up."""
_LISTENING: Final = ("intake", "api")


class Scaled:
    """The processes over one database and one broker; ``settings`` are environment variables that all of them are given."""

    def __init__(
        self,
        directory: Path,
        database_url: str,
        kafka: str,
        *,
        partitions: int = PARTITIONS,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.database_url = database_url
        self.kafka = kafka
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
        self.environment = {
            **environment,
            "NERACA_DATABASE_URL": database_url,
            "NERACA_KAFKA": kafka,
            "NERACA_PARTITIONS": str(partitions),
            "NERACA_UNKNOWN": "open",  # whichever process begins the journal
            "PYTHONUNBUFFERED": "1",
            **(settings or {}),
        }
        self._running: dict[str, Running] = {}
        # A client of its own for each request would read the certificates of the machine each time.
        self._http = httpx.Client(timeout=30, limits=httpx.Limits(max_keepalive_connections=0))

    def __enter__(self) -> Self:
        """Nothing runs yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill all processes that still run."""
        self._http.close()
        for running in self._running.values():
            running.kill()

    def begin(self, name: str, *options: str, settings: Mapping[str, str] | None = None) -> Running:
        """Start a process and do not wait for it; one of the same name must have ended."""
        assert name not in self._running or self._running[name].code is not None, f"{name} runs"
        command = name.partition("-")[0]
        words = [command, *(["--port", "0", "--open"] if command in _LISTENING else ["--name", name]), *options]
        log = self.directory / f"{name}.said"
        running = self._running[name] = Running(words, self.environment | dict(settings or {}), log)
        return running

    def start(self, *names: str, options: Iterable[str] = (), settings: Mapping[str, str] | None = None) -> None:
        """Start these at once, and wait until each says that it is up."""
        for name in names:
            self.begin(name, *options, settings=settings)
        for name in names:
            self.await_up(name)

    def start_all(self) -> None:
        """One of each; an intake that takes from Kafka too."""
        self.begin("intake", "--kafka")
        self.start("api", "relay", "worker")
        self.await_up("intake")

    def await_up(self, name: str) -> re.Match[str]:
        """Wait until a process says that it is up."""
        return until(lambda: self._running[name].up(_UP[name.partition("-")[0]]), f"{name} is up")

    def stop(self, name: str, within_s: float = 20.0) -> int:
        """End one by SIGTERM; its exit code."""
        return self._running[name].stop(within_s)

    def kill(self, name: str) -> None:
        """End one by SIGKILL, with its descendants."""
        self._running[name].kill()

    def signal(self, name: str, number: signal.Signals) -> None:
        """A signal to one and its descendants."""
        self._running[name].signal(number)

    def running(self, name: str) -> Running:
        """The process of this name, or the last there was."""
        return self._running[name]

    def output(self, name: str) -> str:
        """The output of the process of this name since it was last started."""
        return self._running[name].output()

    def all_output(self) -> dict[str, str]:
        """All output under each name, and of commands, since the beginning."""
        return {path.stem: path.read_text(errors="replace") for path in self.directory.glob("*.said")}

    def url(self, name: str) -> str:
        """The URL at which an intake or an api listens."""
        return self.await_up(name)[1]

    def post(self, events: Iterable[object], name: str = "intake") -> dict[str, Any]:
        """Post events to an intake as NDJSON; its tally."""
        answer = self._http.post(
            f"{self.url(name)}/v1/events", content=ndjson(events), headers={"content-type": NDJSON}
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        tally: dict[str, Any] = answer.json()
        return tally

    def get(self, path: str, name: str = "api") -> Any:  # noqa: ANN401 - any JSON
        """The JSON an api answers to a GET, with any status."""
        return self._http.get(f"{self.url(name)}{path}").json()

    def metric(self, line: str, name: str = "api") -> float | None:
        """The value of one sample, named as it is written there; ``None`` where it is not."""
        text = self._http.get(f"{self.url(name)}/metrics").text
        match = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
        return float(match[1]) if match else None

    def settle(self, within_s: float = 60.0, name: str = "api") -> int:
        """Wait until every partition, and the rulebook, is folded up to the journal's head; the position."""
        states: list[dict[str, Any]] = [{}]

        def reached() -> bool:
            states[0] = self.get("/readyz", name)
            return bool(states[0]["status"] == "ready" and states[0]["position"] == states[0]["head"])

        try:
            until(reached, "balances at the journal's head", within_s=within_s)
        except TimeoutError as error:
            error.add_note(f"{states[0]}, positions {self.partitions()}")
            raise
        return int(states[0]["position"])

    def digest(self, name: str = "api") -> dict[str, Any]:
        """Position and digest, as they are served."""
        digest: dict[str, Any] = self.get("/v1/digest", name)
        return digest

    def replay(self) -> dict[str, Any]:
        """Position and digest, as a replay of the journal finds them."""
        replay: dict[str, Any] = msgspec.json.decode(self.command("replay").stdout)
        return replay

    def prove(self, within_s: float = 60.0) -> int:
        """Settle, and see that the served digest is the replayed one; the position."""
        position, digest, replay = self.settle(within_s), self.digest(), self.replay()
        assert (digest["position"], digest["digest"]) == (position, replay["digest"])
        assert replay["position"] == position
        return position

    def command(
        self, *words: str, settings: Mapping[str, str] | None = None, code: int = 0, within_s: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command of the product to its end, which is ``code``."""
        process = subprocess.run(
            [sys.executable, "-m", "neraca", *words],
            cwd=self.directory,
            env=self.environment | dict(settings or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=within_s,
        )
        with (self.directory / f"{words[0]}.command.said").open("ab") as log:
            log.write(process.stdout + process.stderr)
        assert process.returncode == code, (process.returncode, process.stdout, process.stderr)
        return process

    def sql(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.database_url, autocommit=True) as db:
            return db.execute(query.encode(), values or None).fetchall()

    def partitions(self) -> list[int]:
        """The position of each partition, as the api serves it."""
        text = self._http.get(f"{self.url('api')}/metrics").text
        return [
            int(float(position))
            for position in re.findall(r"^neraca_partition_position\{.*\} (\S+)$", text, re.MULTILINE)
        ]

    def head(self) -> int:
        """The journal's last position."""
        return int(self.sql("SELECT max(notification_id) FROM neraca.neraca_events")[0][0])


class Traffic(threading.Thread):
    """A counter that posts the events of a city's counters, without pause, for the length of a ``with``."""

    def __init__(self, cluster: Scaled, seed: int) -> None:
        super().__init__(name="traffic", daemon=True)
        self._scaled = cluster
        self._counter = Counter(seed, 1)
        self._ending = threading.Event()
        self._failure: BaseException | None = None
        self.accepted = 0

    def run(self) -> None:
        """Post until the end is signalled."""
        try:
            while not self._ending.is_set():
                events, _ = self._counter.request()
                self.accepted += self._scaled.post(events)["accepted"]
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            self._failure = error

    def __enter__(self) -> Self:
        """Begin."""
        self.start()
        return self

    def more(self, number: int) -> None:
        """Wait until so many more are accepted."""
        least = self.accepted + number
        until(lambda: self.accepted >= least or self._failure, f"{number} more events")
        assert self._failure is None, self._failure

    def __exit__(self, *_: object) -> None:
        """End."""
        self._ending.set()
        self.join(30)
        assert self._failure is None, self._failure
