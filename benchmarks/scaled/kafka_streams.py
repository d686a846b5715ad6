"""The Kafka Streams topology beside the worker: built once by Maven, run on this machine's Java, exactly once, two threads."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, Final

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from benchmarks.harness import ROOT
from benchmarks.scaled.contents import EVENTS, filled
from benchmarks.scaled.processes import Pace, Stopwatch, heard, speaking
from benchmarks.scaled.verdict import counted_right
from domain.measures import MEASURES
from local.local_server import Missing, found

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.scaled.ground import Ground

JAVA: Final = ROOT / "benchmarks" / "scaled" / "streams-java"
PACKAGE: Final = "openjdk-17-jdk-headless"
LOOK_S: Final = 0.05


class LeftOut(Exception):  # noqa: N818 - a state of the machine, not a fault of the program
    """A baseline cannot be run on this machine; the message says why."""


def built() -> Path:
    """The folder of the topology's jar, built where it is older than its source. Raises: ``LeftOut``."""
    try:
        maven, _, _ = found("mvn", "maven"), found("javac", PACKAGE), found("java", PACKAGE)
    except Missing as missing:
        raise LeftOut(str(missing)) from missing
    jar, sources = JAVA / "target" / "measures.jar", [JAVA / "pom.xml", *JAVA.glob("src/**/*.java")]
    if not jar.exists() or jar.stat().st_mtime < max(source.stat().st_mtime for source in sources):
        print("building the Kafka Streams topology …", file=sys.stderr, flush=True)
        for offline in (["-o"], []):
            finish = subprocess.run([maven, "-B", "-q", *offline, "package"], cwd=JAVA, capture_output=True, text=True)  # noqa: PLW1510 - its code is looked at
            if finish.returncode == 0:
                break
        else:
            message = f"Maven could not build it: {finish.stdout.strip()[-300:]}"
            raise LeftOut(message)
    return jar.parent


def counted(ground: Ground, threads: int = 2) -> Pace:
    """The pace of the topology over the topic of events: until its group has committed every offset. Raises: ``LeftOut``."""
    folder, total, application = built(), filled(ground), f"streams-{uuid.uuid4().hex}"
    errors, accounts = ground.folder / f"{application}.log", ground.folder / f"{application}.tsv"
    words = [
        found("java", PACKAGE),
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
        f"-Dmeasures={','.join(MEASURES)}",
        f"-Dthreads={threads}",
        "-cp",
        f"{folder / 'measures.jar'}:{folder / 'lib'}/*",
        "Measures",
        ground.kafka.bootstrap,
        EVENTS,
        application,
        str(ground.folder / application),
    ]
    admin = KafkaAdminClient(**ground.settings.client())
    with speaking(words, errors) as process:
        heard(process, "first", errors)
        pace = Stopwatch(total).pace(lambda: _committed(admin, application), LOOK_S)
        assert process.stdin is not None
        process.stdin.write(f"{accounts}\n")
        heard(process, "counted", errors)
    admin.close()
    counted_right(ground, accounts)
    return pace


def _committed(admin: KafkaAdminClient, group: str) -> int:
    """How many records a group is through with; what cannot be asked now is asked again."""
    try:
        offsets = admin.list_group_offsets({group: None})[group]
    except KafkaError:
        return 0
    return sum(commits.offset for commits in offsets.values())
