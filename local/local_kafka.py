"""An Apache Kafka of this machine, over a directory: one process, broker and controller, without ZooKeeper or containers.

Owns its settings and where its jars lie. It listens in plain text on 127.0.0.1; properties may add listeners.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import struct
import tempfile
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final

from local.local_server import HOST, Failed, LocalServer, found, free_port, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POM: Final = Path(__file__).parent / "kafka" / "pom.xml"
JAVA: Final = "openjdk-17-jre-headless"
SETTINGS: Final = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": (
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL"
    ),
    "num.partitions": "1",
    "auto.create.topics.enable": "false",
    # A broker that was killed is let in again when its session has run out: 3 s, not 9.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "5",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "5",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "5",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
}
SHORT_LIVED: Final = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Options of the JVM for a broker that lives for minutes: half the processor time of a start, less speed afterwards."""
METADATA: Final = struct.pack(">hhihi", 3, 1, 0, -1, -1)
"""Key, version, correlation, no name of a client, all topics: of the Metadata request, in a version that brokers keep."""


class Unfetched(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """Kafka's jars are not here, and Maven could not bring them."""


def libraries() -> Path:
    """The folder of Kafka's jars, fetched at the first use. Raises: ``Missing``, ``Unfetched``."""
    version = re.findall(r"<kafka\.version>(.+)</", POM.read_text(encoding="utf-8"))[0]
    default = Path.home() / ".cache" / "neraca" / f"kafka-{version}"
    jars = Path(os.environ.get("NERACA_KAFKA_LIBS") or default).resolve()
    if jars.is_dir():
        return jars
    maven = found("mvn", f"maven {JAVA}")
    jars.parent.mkdir(parents=True, exist_ok=True)
    with jars.with_name(f"{jars.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not jars.is_dir():
            _fetch(maven, jars)
    return jars


def _fetch(maven: str, jars: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f"{jars.name}.", dir=jars.parent) as folder:
        into = Path(folder) / "jars"
        words = ["-B", "-q", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={into}"]
        try:
            run([maven, *words], Path(folder))
        except Failed as error:
            message = f"Maven could not fetch Kafka: {error}"
            raise Unfetched(message) from error
        into.rename(jars)


class LocalKafka(LocalServer):
    """A Kafka whose controller listens on the port after its own.

    ``properties`` are Kafka's, of which ``listeners`` are added to its own; ``jvm`` are options of the virtual machine.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        properties: Mapping[str, str] | None = None,
        jvm: Sequence[str] = (),
    ) -> None:
        super().__init__(directory, port or free_port(neighbours=1))
        self._jvm_options = tuple(jvm)
        self._properties = dict(properties or {})
        self._data = self.directory / "data"
        self._settings = self.directory / "server.properties"

    @property
    def bootstrap(self) -> str:
        """The bootstrap address of clients, in plain text."""
        return f"{HOST}:{self.port}"

    def require(self) -> None:
        """See that Java is here, and Kafka's jars; fetch those. Raises: ``Missing``, ``Unfetched``."""
        found("java", JAVA)
        libraries()

    def _jvm(self, program: str, *words: str) -> list[str]:
        quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-XX:-UsePerfData"]
        # When it is killed, its unpacked files would stay in the system's temporary directory.
        temporary = f"-Djava.io.tmpdir={self.directory}"
        options = ["-Xmx512m", *self._jvm_options, *quiet, temporary]
        return [found("java", JAVA), *options, "-cp", f"{libraries()}/*", program, *words]

    def _prepare(self) -> None:
        """Settings are written anew each time; storage is formatted once."""
        controller = f"{HOST}:{self.port + 1}"
        own = f"PLAINTEXT://{self.bootstrap},CONTROLLER://{controller}"
        settings = {
            **SETTINGS,
            "log.dirs": str(self._data),
            "controller.quorum.bootstrap.servers": controller,
            **self._properties,
            "listeners": ",".join(filter(None, [own, self._properties.get("listeners")])),
        }
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        if (self._data / "meta.properties").exists():
            return
        shutil.rmtree(self._data, ignore_errors=True)
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        words = ["format", "--standalone", f"--cluster-id={cluster}", "--config", str(self._settings)]
        run(self._jvm("kafka.tools.StorageTool", *words), self.directory)

    def _command(self) -> list[str]:
        return self._jvm("kafka.Kafka", str(self._settings))

    def _ready(self) -> bool:
        """True if the broker names itself among the brokers: from then on it leads partitions."""
        try:
            with socket.create_connection((HOST, self.port), 5) as broker, broker.makefile("rwb") as stream:
                stream.write(struct.pack(">i", len(METADATA)) + METADATA)
                stream.flush()
                answer = stream.read(12)
        except OSError:
            return False
        return len(answer) == struct.calcsize(">iii") and struct.unpack(">iii", answer)[2] > 0
