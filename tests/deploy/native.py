"""The services of a compose file, run on this machine by their very commands: only addresses and ports are put in their place.

A container's port becomes a free port of this machine, wherever its service is named beside it. Nothing outlives the ``with``.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from local.local_kafka import LocalKafka
from local.local_postgres import LocalPostgres, programs
from local.local_server import GUARD, HOST, end_family, free_port, run
from tests.deploy.composed import FILE, OVERRIDE, composed
from tests.serving import ROOT, until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.local_server import LocalServer

ENTRYPOINT: Final[list[str]] = json.loads(
    re.findall(r"^ENTRYPOINT (\[.*\])$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)[-1]
)
PATH: Final = f"{Path(sys.executable).parent}:/usr/bin:/bin"
TOOLS: Final = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}
"""What the scripts of Kafka's image start."""
STARTED_WITHIN_S: Final = 120.0
_PORTS: Final = ("--port", "--metrics-port")


class ComposedKafka(LocalKafka):
    """A Kafka with the settings that a compose file gives to Apache's image, made its own as that image does it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.environment: Mapping[str, str] = {}

    def _prepare(self) -> None:
        settings = {
            name.removeprefix("KAFKA_").lower().replace("_", "."): value
            for name, value in self.environment.items()
            if name.startswith("KAFKA_")
        } | {"log.dirs": str(self._data)}
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        if not (self._data / "meta.properties").exists():
            cluster = f"--cluster-id={self.environment['CLUSTER_ID']}"
            run(self._jvm("kafka.tools.StorageTool", "format", cluster, "-c", str(self._settings)), self.directory)

    def wipe(self) -> None:
        """Its volume is lost."""
        assert self.pid is None, "no volume goes while it is used"
        shutil.rmtree(self._data)

    def tool(self, script: str, *words: str) -> list[str]:
        """A script of its image, as a program of this machine."""
        return self._jvm(TOOLS[Path(script).name], *words)


class Running:
    """One process in a session of its own, with what it says in a file; a guard ends it with the tests."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], said: Path) -> None:
        self._said = said
        with said.open("ab") as into:
            self._from = into.tell()
            self.process = subprocess.Popen(
                words, cwd=said.parent, env=environment, stdin=subprocess.DEVNULL, stdout=into, stderr=into,
                start_new_session=True,
            )  # fmt: skip
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", GUARD, "guard", str(self.process.pid)],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def said(self) -> str:
        """All it said."""
        return self._said.read_bytes()[self._from :].decode(errors="replace")

    def tell(self) -> None:
        """SIGTERM."""
        self.process.terminate()

    def ended(self, within_s: float) -> int:
        """Its exit code. Raises: ``subprocess.TimeoutExpired``."""
        return self.process.wait(within_s)

    def kill(self) -> None:
        """End it and what descends from it."""
        end_family(self.process.pid)
        self.process.wait()
        if self._guard.poll() is None:
            self._guard.communicate(b"\n")


class Native:
    """A folder's project on this machine: PostgreSQL and Kafka as local servers, everything else as processes."""

    def __init__(self, folder: Path, work: Path, beside: Native | None = None) -> None:
        """``beside`` is the machine whose PostgreSQL and Kafka this one uses."""
        self.folder = folder
        self.work = work
        self.postgres: LocalPostgres = beside.postgres if beside else LocalPostgres(work / "postgres")
        self.kafka: ComposedKafka = beside.kafka if beside else ComposedKafka(work / "kafka")
        self._ports = {
            ("postgres", 5432): self.postgres.port, ("kafka", 9092): self.kafka.port, ("kafka", 9093): self.kafka.port + 1,
        }  # fmt: skip
        self._beside = beside
        self._read: list[str | None] = []
        self._services: dict[str, dict[str, Any]] = {}
        self.running: dict[str, Running] = {}
        self._made_as: dict[str, object] = {}
        self.elsewhere: dict[str, tuple[str, int]] = {}
        """Addresses that other machines know a service's port by."""

    @property
    def services(self) -> dict[str, dict[str, Any]]:
        """The services of the file as it is now."""
        files = [self.folder / name for name in (FILE, OVERRIDE, ".env")]
        texts = [file.read_text(encoding="utf-8") if file.exists() else None for file in files]
        if texts != self._read:
            self._read, self._services = texts, composed(self.folder)["services"]
        return self._services

    def port(self, service: str, port: int) -> int:
        """The port of this machine that stands for a container's."""
        return self._ports.setdefault((service, port), free_port())

    def published(self) -> dict[str, str]:
        """What each published address is on this machine."""
        ports = [
            (name, *one.rsplit(":", 2)[1:]) for name, held in self.services.items() for one in held.get("ports", ())
        ]
        return {f"{HOST}:{at}": f"{HOST}:{self.port(name, int(inside))}" for name, at, inside in ports}

    def here(self, service: str, text: str) -> str:
        """A text of a service, each address in it one of this machine."""
        known = self.services
        hosts = {*known, "localhost", HOST, *(address.partition(":")[0] for address in self.elsewhere)}
        any_of = "|".join(sorted(map(re.escape, hosts), key=len, reverse=True))

        def at(found: re.Match[str]) -> str:
            host, port = found[1], int(found[2])
            name = host if host in known else service
            return f"{HOST}:{self.port(*self.elsewhere.get(f'{host}:{port}', (name, port)))}"

        return re.sub(rf"(?:\b({any_of})|(?<=//)):(\d+)\b", at, text)

    def environment(self, service: str) -> dict[str, str]:
        """A service's environment, and nothing of this process's."""
        held = self.services[service].get("environment", {})
        return {"PATH": PATH, **{name: self.here(service, str(value)) for name, value in held.items()}}

    def words(self, service: str) -> list[str]:
        """A service's very command."""
        command = [self.here(service, str(word)) for word in self.services[service]["command"]]
        for number, word in enumerate(command):
            if number and command[number - 1] in _PORTS:
                command[number] = str(self.port(service, int(word)))
        return [*ENTRYPOINT, *command]

    def inside(self, service: str, words: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """Words typed inside a service's container, and their environment."""
        program, *rest = (self.here(service, word) for word in words)
        environment = self.environment(service)
        if service == "kafka":
            return self.kafka.tool(program, *rest), environment
        if service == "postgres":
            reached = {"PGHOST": HOST, "PGPORT": str(self.postgres.port)}
            return [str(programs() / program), *rest], environment | reached
        return [program, *rest], environment

    def healthy(self, service: str) -> bool:
        """Whether a service's own health check succeeds; what has ended is not healthy."""
        if service in self.running and self.running[service].process.poll() is not None:
            message = f"{service} ended with {self.running[service].process.returncode}: {self.running[service].said()}"
            raise RuntimeError(message)
        kind, *words = self.services[service]["healthcheck"]["test"]
        assert kind == "CMD"
        argv, environment = self.inside(service, words)
        return subprocess.run(argv, env=environment, capture_output=True, cwd=self.work, check=False).returncode == 0

    def up(self, names: Iterable[str] = (), *, alone: bool = False) -> None:
        """Start services and what they depend on, each when those are healthy; one that is defined anew is made anew."""
        healthy = set[str]()
        for name in list(names) or list(self.services):
            for needed in () if alone else self.services[name].get("depends_on", ()):
                if needed not in healthy:
                    self._start(needed)
                    until(partial(self.healthy, needed), f"{needed} is healthy", within_s=STARTED_WITHIN_S)
                    healthy.add(needed)
            self._start(name)

    def _start(self, name: str) -> None:
        server = self.server(name)
        made_as = self.environment(name), None if server else self.words(name)
        if self._made_as.get(name) not in (None, made_as):
            self.stop([name])
        self._made_as[name] = made_as
        if server is not None:
            self.kafka.environment = self.environment("kafka")
            server.start()
        elif name not in self.running:
            self.running[name] = Running(self.words(name), self.environment(name), self.work / f"{name}.log")

    def server(self, name: str) -> LocalServer | None:
        """The local server that stands for a service, if one does."""
        return {"postgres": self.postgres, "kafka": self.kafka}.get(name)

    def wait(self) -> None:
        """Wait until everything that was started is healthy."""
        for name in self._made_as:
            until(partial(self.healthy, name), f"{name} is healthy", within_s=STARTED_WITHIN_S)

    def made(self) -> list[str]:
        """What was started and not stopped."""
        return list(self._made_as)

    def runs(self, name: str) -> bool:
        """Whether a service runs now."""
        server = self.server(name)
        if server is not None:
            return server.pid is not None
        return name in self.running and self.running[name].process.poll() is None

    def orphans(self) -> list[str]:
        """What runs and is no longer in the file."""
        return [name for name in self.running if name not in self.services]

    def grace_s(self, name: str) -> float:
        """How long a service may take to end."""
        return float(self.services.get(name, {"stop_grace_period": "30s"})["stop_grace_period"].removesuffix("s"))

    def stop(self, names: Iterable[str] = ()) -> dict[str, int]:
        """End services by SIGTERM, all at once; the exit code of each. Raises: ``subprocess.TimeoutExpired``."""
        named = list(names) or [*self.running, *(name for name in ("kafka", "postgres") if name in self._made_as)]
        ending = {name: self.running.pop(name) for name in named if name in self.running}
        try:
            for one in ending.values():
                one.tell()
            codes = {name: one.ended(self.grace_s(name)) for name, one in ending.items()}
        finally:
            for one in ending.values():
                one.kill()
        for name in named:
            server = self.server(name)
            if server is not None:
                server.stop()
            self._made_as.pop(name, None)
        return codes

    def __enter__(self) -> Self:
        """Nothing runs until it is told to."""
        self.work.mkdir(exist_ok=True)
        self.work.chmod(0o711)  # PostgreSQL may be another user's, who has to pass it
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs."""
        for one in self.running.values():
            one.kill()
        for server in () if self._beside else (self.kafka, self.postgres):
            server.kill()
