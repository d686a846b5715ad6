"""A machine of the runbook without containers: each service of the compose file is a process, started by its very command.

A container's port becomes a free port of this machine wherever it is named. Nothing outlives the ``with``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from local.local_kafka import LocalKafka
from local.local_postgres import LocalPostgres, programs
from local.local_server import HOST, free_port, is_free, run
from tests.deploy.composed import composed
from tests.kafka.process import Running
from tests.serving import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from local.local_server import LocalServer

PATH: Final = f"{Path(sys.executable).parent}:/usr/bin:/bin"
TOOLS: Final = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}
"""The programs that the scripts of Kafka's image start."""
VOLUME: Final = "/var/lib/neraca"
"""The folder of the volume that intakes and readers share."""
HEALTHY_WITHIN_S: Final = 120.0
GRACE_S: Final = 30.0
_ADDRESS: Final = re.compile(
    r"(?:\b(?P<host>[A-Za-z][\w-]*|\d+(?:\.\d+){3})|(?<=//)):(?P<port>5432|909[23]|800\d|9100)\b"
)
_PORTS: Final = ("--port", "--metrics-port")


class ComposedKafka(LocalKafka):
    """A Kafka with the settings that a compose file gives to Apache's image, made its own as that image does it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.environment: Mapping[str, str] = {}

    def _jvm(self, program: str, *words: str) -> list[str]:
        java, *options = super()._jvm(program, *words)
        return [java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", *options]  # it lives for minutes

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
        """Lose its volume."""
        assert self.pid is None, "no volume goes while it is used"
        shutil.rmtree(self._data)

    def tool(self, script: str, *words: str) -> list[str]:
        """A script of its image, as a program of this machine."""
        return self._jvm(TOOLS[Path(script).name], *words)


class Machine:
    """A folder's project on this machine: PostgreSQL and Kafka as local servers, everything else as processes."""

    def __init__(self, folder: Path, work: Path, beside: Machine | None = None) -> None:
        """``beside`` is the machine whose PostgreSQL and Kafka this one uses."""
        self.folder = folder
        self.work = work
        self.postgres: LocalPostgres = beside.postgres if beside else LocalPostgres(work / "postgres")
        self.kafka: ComposedKafka = beside.kafka if beside else ComposedKafka(work / "kafka")
        self.services: dict[str, dict[str, Any]] = {}
        """As of the last start."""
        self.running: dict[str, Running] = {}
        self._own_servers = () if beside else (self.kafka, self.postgres)
        self._ports: dict[tuple[str, int], int] = {}

    def port(self, service: str, port: int) -> int:
        """The port of this machine that replaces a container's."""
        servers = {5432: self.postgres.port, 9092: self.kafka.port, 9093: self.kafka.port + 1}
        return servers.get(port) or self._ports.setdefault((service, port), free_port())

    def here(self, service: str, text: str) -> str:
        """A text of a service's container, each address in it one of this machine."""

        def address(match: re.Match[str]) -> str:
            host = match["host"] if match["host"] in self.services else service
            return f"{HOST}:{self.port(host, int(match['port']))}"

        return self.secrets(_ADDRESS.sub(address, text))

    def secrets(self, text: str) -> str:
        """A text in which the secrets of a container are the files of the folder, and its volume is one of this machine."""
        return text.replace("/run/secrets", str(self.folder / "secrets")).replace(VOLUME, str(self.work / "volume"))

    def ends(self, name: str) -> bool:
        """True of a service that does its work and ends."""
        return bool(self.services[name]["restart"] == "no")

    def published(self) -> dict[str, str]:
        """The address on this machine for each published one."""
        ports = [
            (name, port.rsplit(":", 2))
            for name, description in self.services.items()
            for port in description.get("ports", ())
        ]
        return {f"{HOST}:{at}": f"{HOST}:{self.port(name, int(inside))}" for name, (_, at, inside) in ports}

    def environment(self, service: str) -> dict[str, str]:
        """A service's environment, and nothing of this process's."""
        environment = self.services[service].get("environment", {})
        texts = {name: "" if value is None else str(value) for name, value in environment.items()}
        return {"PATH": PATH, **{name: self.here(service, text) for name, text in texts.items()}}

    def command(self, service: str) -> list[str]:
        """A service's very command."""
        words = [self.secrets(str(word)) for word in self.services[service]["command"]]
        for number, word in enumerate(words[1:], 1):
            if words[number - 1] in _PORTS:
                host, colon, port = word.rpartition(":")
                words[number] = f"{host}{colon}{self.port(service, int(port))}"
        return words

    def inside(self, service: str, words: Sequence[str]) -> list[str]:
        """Words typed inside a service's container, as a program of this machine."""
        program, *rest = (self.here(service, word) for word in words)
        environment, argv = self.environment(service), [program, *rest]
        if service == "kafka":
            argv = self.kafka.tool(program, *rest)
        elif service == "postgres":
            environment |= {"PGHOST": HOST, "PGPORT": str(self.postgres.port)}
            argv = [str(programs() / program), *rest]
        return ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), *argv]

    def output(self, service: str, words: Sequence[str]) -> str:
        """The output of words typed inside a service's container. Raises: ``subprocess.CalledProcessError``."""
        argv = self.inside(service, words)
        try:
            return subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=True).stdout
        except subprocess.CalledProcessError as error:
            error.add_note(error.stderr)
            raise

    def server(self, name: str) -> LocalServer | None:
        """The local server that replaces a service, if there is one."""
        return {"postgres": self.postgres, "kafka": self.kafka}.get(name)

    def runs(self, name: str) -> bool:
        """True if the service runs now."""
        server = self.server(name)
        return server.pid is not None if server else name in self.running and self.running[name].code is None

    def healthy(self, name: str) -> bool:
        """True if the service's own health check succeeds; an ended service is not healthy."""
        assert self.runs(name), f"{name} ended: {self.running[name].output()}"
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return subprocess.run(self.inside(name, words), capture_output=True, cwd=self.work, check=False).returncode == 0

    def up(self, names: Iterable[str] = ()) -> None:
        """Start services as the file is now, the servers first, and wait until all are healthy."""
        self.services = composed(self.folder)["services"]
        chosen_names = list(names) or list(self.services)
        for name in chosen_names:
            server = self.server(name)
            if name == "kafka":
                self.kafka.environment = self.environment("kafka")
            if server is not None:
                server.start()
            elif self.ends(name):
                self.output(name, ["neraca", *self.command(name)])
            elif not self.runs(name):
                self.running[name] = Running(self.command(name), self.environment(name), self.work / f"{name}.log")
        for name in chosen_names:
            if self.server(name) is None and not self.ends(name):
                until(partial(self._listens, name), f"{name} listens", within_s=HEALTHY_WITHIN_S)
                until(partial(self.healthy, name), f"{name} is healthy", within_s=HEALTHY_WITHIN_S)

    def _listens(self, name: str) -> bool:
        """True if the process listens, or has ended; until then a health check would be pointless."""
        return not self.runs(name) or any(
            not is_free(at) for (service, _), at in self._ports.items() if service == name
        )

    def stop(self, names: Iterable[str]) -> dict[str, int]:
        """End services by SIGTERM, all at once, the servers last; the exit code of each process.

        Raises: ``subprocess.TimeoutExpired``.
        """
        chosen_names = list(names)
        ending = {name: self.running.pop(name) for name in chosen_names if name in self.running}
        with ThreadPoolExecutor() as pool:
            codes = dict(zip(ending, pool.map(lambda process: process.stop(GRACE_S), ending.values()), strict=True))
        for server in map(self.server, chosen_names):
            if server is not None:
                server.stop()
        return codes

    def __enter__(self) -> Self:
        """Nothing runs until ``up``."""
        self.work.mkdir(exist_ok=True)
        self.work.chmod(0o711)  # PostgreSQL may be another user's, who has to pass it
        return self

    def __exit__(self, *_: object) -> None:
        """End what still runs."""
        for process in self.running.values():
            process.kill()
        for server in self._own_servers:
            server.kill()
