"""The guide to many processes, followed as printed; only the ports are others, and the servers the tests' own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local.local_kafka import LocalKafka
from local.local_server import free_port
from tests.kafka.topics import Topics
from tests.serving import ROOT

GUIDE = (ROOT / "docs" / "guides" / "scale-out.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial" / "first-journal.md").read_text(encoding="utf-8")
SERVERS, FOLLOWED = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
EVENTS = re.findall(r"^cat > events\.ndjson <<'EVENTS'\n.*?^EVENTS$", TUTORIAL, re.MULTILINE | re.DOTALL)[0]


@pytest.fixture
def topics(kafka: LocalKafka) -> Topics:
    """The session's broker, up and empty."""
    return Topics.cleared(kafka)


@pytest.mark.faults
def test_the_guide_works_as_printed(tmp_path: Path, database_url: str, kafka: LocalKafka, topics: Topics) -> None:
    """Its last two commands name the same position and digest, as the guide says."""
    assert topics.read("neraca.segments.1") == []
    assert "postgres-up kafka-up" in SERVERS
    block = FOLLOWED
    for command, port in (("intake", 8001), ("api", 8000)):
        here = free_port()
        block = re.sub(rf"^neraca {command} ", f"neraca {command} --port {here} ", block, flags=re.MULTILINE)
        block = block.replace(f"127.0.0.1:{port}", f"127.0.0.1:{here}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NERACA_")}
    settings = {
        **environment,
        "NERACA_DATABASE_URL": database_url,
        "NERACA_KAFKA": kafka.bootstrap,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    process = subprocess.Popen(
        ["bash", "-c", f"set -e\n{EVENTS}\n{block}\nkill $(jobs -p)\nwait"],
        cwd=tmp_path,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=90)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    digest, replay = re.findall(r'\{"position":(\d+),"digest":"(\w+)"', output)
    assert digest == replay, errors
    assert digest[0] == "3"
    assert "\x1b" not in output
