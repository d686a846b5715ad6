"""Temporary files of a test run lie in memory, where this machine has a file system in memory with enough room.

A flush to the disk is most of what a durable database costs a test. TMPDIR, where it is set, decides instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - this is the file system in memory itself; what lies in it is made by tempfile
ROOM: Final = 4 << 30
"""Bytes that must be free: two PostgreSQL servers, two Kafka brokers, and the files of the tests."""


def has_room(folder: Path) -> bool:
    """Whether a folder is a file system of its own with enough room, from which programs may be started."""
    if not folder.is_mount() or not os.access(folder, os.W_OK):
        return False
    can_execute = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return can_execute and shutil.disk_usage(folder).free >= ROOM


def pytest_configure() -> None:
    """Send what this process and its children call temporary to memory."""
    if "TMPDIR" not in os.environ and has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def pytest_report_header() -> str:
    """Say where temporary files lie."""
    return f"temporary files: {tempfile.gettempdir()}"
