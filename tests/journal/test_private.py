"""A data directory is for one account: 0700 and 0600 whatever the umask, and refused at start when it is wider."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import httpx
import pytest

from neraca.__main__ import main
from tests.process import Process
from tests.serving import BATCH, event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


TASK = {"dinas": "d", "asn": "a", "task": "t", "completed_at": "2026-11-24T10:00:00+07:00"}


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """The account's umask."""
    before = os.umask(request.param)
    yield
    os.umask(before)


def modes(directory: Path) -> dict[str, int]:
    entries = [directory, *directory.rglob("*")]
    return {str(path.relative_to(directory)): path.stat().st_mode & 0o777 for path in entries}


@pytest.mark.usefixtures("umask")
def test_a_data_directory_is_for_one_account_whatever_the_umask(tmp_path: Path) -> None:
    """While it is served, with what a database puts beside its files, and after a rebuild and a token."""
    (tmp_path / "above").mkdir()
    data = tmp_path / "above" / "var"
    with Process(data, is_open=False) as process:
        assert (data / "link").exists()
        httpx.post(f"{process.url}/v1/events", json=[], headers={"content-type": BATCH})
    with Process(data) as process:
        events = [event("task-completed", "t", TASK)]
        assert httpx.post(f"{process.url}/v1/events", json=events, headers={"content-type": BATCH}).status_code == 200
        process.settle()
        served_modes = modes(data)
    assert {"journal.sqlite", "journal.sqlite-wal", "tokens.sqlite", "lock", "balances/current"} <= set(served_modes)
    assert main(["token", "make", "t", "--scope", "audit", "--data", str(data)]) == 0
    assert main(["rebuild", "--data", str(data)]) == 0
    for name, mode in {**served_modes, **modes(data)}.items():
        assert mode == (0o700 if name in (".", "balances") else 0o600), name


@pytest.mark.parametrize("name", [".", "journal.sqlite", "tokens.sqlite", "secret", "balances", "balances/current"])
def test_a_wider_directory_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    data = tmp_path / "kota ini"
    with Process(data):
        pass
    (data / name).chmod(0o755 if (data / name).is_dir() else 0o644)
    for command in (["up", "--port", "0"], ["up", "--latihan"], ["token", "list"], ["replay"], ["rebuild"]):
        assert main([*command, "--data", str(data)]) == 1
        message = capsys.readouterr().err
        assert "other accounts of this machine may reach it" in message
    mending = message.rpartition("first: ")[2].strip()
    subprocess.run(["sh", "-c", mending], check=True)
    assert main(["token", "list", "--data", str(data)]) == 0
