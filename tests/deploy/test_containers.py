"""The runbook's start in real containers: Docker builds the image and starts the services as the compose file says.

Only a machine with Docker reads this file. Everything else of the runbook is the same in a container and natively.
"""

import os
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.deploy.city_hall import blocks
from tests.serving import ROOT

TYPED_WITHIN_S = 1_200
"""Long, since images are fetched and one is built."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The committed state in a folder of its own, since the blocks write into it."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "neraca")], check=True)
    return tmp_path / "neraca"


@pytest.fixture
def environment(checkout: Path) -> Iterator[Mapping[str, str]]:
    """A project of its own name, so that a city that runs on this machine keeps its volumes."""
    environment = {**os.environ, "COMPOSE_PROJECT_NAME": f"neraca-test-{uuid.uuid4().hex[:8]}"}
    yield environment
    subprocess.run(["docker", "compose", "down", "--volumes"], cwd=checkout, env=environment, check=False)


def test_the_start_works_in_containers(checkout: Path, environment: Mapping[str, str]) -> None:
    """All become healthy, an event is recorded and in the ranking, and a replay comes to the digest that is served."""
    start = "\n".join(block for heading, block in blocks() if heading == "Start")
    shell = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{start}"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=TYPED_WITHIN_S,
    )
    assert shell.returncode == 0, shell.stderr
    assert '"position":2' in shell.stdout
    assert shell.stdout.splitlines()[-1].startswith('"digest":"')
