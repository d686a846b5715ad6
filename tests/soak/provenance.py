"""The provenance of a report: the commit of HEAD, and a hash of the files that ran."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from tests.serving import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ROOMS: Final = ("domain", "projections", "streams", "api", "audit", "neraca")
PROGRAM: Final = tuple(f"{room}/**/*.py" for room in ROOMS)
"""The files of the program."""


def commit() -> str:
    """The commit that HEAD names, read without git."""
    git = ROOT / ".git"
    if git.is_file():  # a worktree: the file names the folder of its HEAD
        git = ROOT / git.read_text().removeprefix("gitdir: ").strip()
    head = (git / "HEAD").read_text().strip()
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    shared = git / (git / "commondir").read_text().strip() if (git / "commondir").exists() else git
    if (shared / name).exists():
        return (shared / name).read_text().strip()
    packed_refs = shared / "packed-refs"
    packed = packed_refs.read_text().splitlines() if packed_refs.exists() else []
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "none yet")


def sources(patterns: Iterable[str] = PROGRAM) -> str:
    """A hash of the files that ran: HEAD names what was committed, and the checkout may hold something else."""
    files: list[Path] = sorted({file for pattern in patterns for file in ROOT.glob(pattern)})
    assert files, f"no file of {patterns}"
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.relative_to(ROOT)}\n".encode() + file.read_bytes())
    return whole.hexdigest()
