"""The provenance of a report: the commit of HEAD, and a hash of the files that ran."""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING, Final

from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ROOMS: Final = ("domain", "projections", "streams", "api", "audit", "neraca")
PROGRAM: Final = tuple(f"{room}/**/*.py" for room in ROOMS)
"""The files of the program."""


def commit() -> str:
    """The commit that HEAD names; ``none`` in a tree without git."""
    try:
        process = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "none"
    return process.stdout.strip()


def sources(patterns: Iterable[str] = PROGRAM) -> str:
    """A hash of the files that ran: HEAD names what was committed, and the checkout may hold something else."""
    files: list[Path] = sorted({file for pattern in patterns for file in ROOT.glob(pattern)})
    assert files, f"no file of {patterns}"
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return whole.hexdigest()
