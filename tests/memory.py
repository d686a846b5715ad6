"""Temporary files of a test run lie in memory, where this machine has a file system in memory with enough room.

A flush to the disk is most of what a durable database costs a test. TMPDIR, where it is set, decides instead. A run has
a folder of its own and removes it when it ends, unless it failed: then the next run does.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - this is the file system in memory itself; tempfile makes what lies in it
ROOM: Final = 4 << 30
"""Bytes that must be free: some PostgreSQL servers and Kafka brokers, and the files of the tests."""
PREFIX: Final = "neraca-tests-"
OURS: Final = pytest.StashKey[Path]()
FAILED: Final = pytest.StashKey[bool]()


def has_room(folder: Path) -> bool:
    """True if the folder is a file system of its own with enough room, from which programs may be started."""
    if not folder.is_mount() or not os.access(folder, os.W_OK):
        return False
    can_execute = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return can_execute and shutil.disk_usage(folder).free >= ROOM


def is_left(folder: Path) -> bool:
    """True if the run that made a folder has ended; its process is in the folder's name."""
    try:
        os.kill(int(folder.name.removeprefix(PREFIX).partition("-")[0]), 0)
    except (ProcessLookupError, ValueError):
        return True
    except PermissionError:  # it runs, and is another user's
        return False
    return False


def begin(memory: Path) -> Path:
    """The folder of this run; those of runs that have ended are removed."""
    for folder in memory.glob(f"{PREFIX}*"):
        if is_left(folder):
            shutil.rmtree(folder, ignore_errors=True)
    ours = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=memory))
    ours.chmod(0o755)  # PostgreSQL runs as another user, who has to pass
    return ours


def pytest_configure(config: pytest.Config) -> None:
    """Send what this process and its children call temporary to memory."""
    if "TMPDIR" not in os.environ and has_room(MEMORY):
        config.stash[OURS] = begin(MEMORY)
        os.environ["TMPDIR"] = str(config.stash[OURS])
        tempfile.tempdir = None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Free the memory after a run that did not fail."""
    ours = config.stash.get(OURS, None)
    if ours is not None:
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
        if not config.stash.get(FAILED, False):
            with suppress(OSError):
                shutil.rmtree(ours)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Note whether the run failed."""
    session.config.stash[FAILED] = exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


def pytest_report_header() -> str:
    """Say where temporary files lie."""
    return f"temporary files: {tempfile.gettempdir()}"
