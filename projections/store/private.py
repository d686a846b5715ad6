"""Private files: a data directory is for one account of the machine alone, whatever the account's umask."""

from __future__ import annotations

import os
import shlex
import stat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE: Final = 0o600
DIRECTORY: Final = 0o700
_OTHERS: Final = 0o077


class NotPrivate(Exception):  # noqa: N818 - an answer to the operator
    """Other accounts of the machine may read or write a data directory; the message has the command that mends it."""


def make_directory(path: Path) -> None:
    """Make a directory for this account alone, if there is none; so are those above it that are missing."""
    for missing in reversed([each for each in (path, *path.parents) if not each.exists()]):
        missing.mkdir(DIRECTORY, exist_ok=True)
        missing.chmod(DIRECTORY)


def make_file(path: Path) -> None:
    """Make an empty file for this account alone, if there is none; a database begun in it has files of the same mode beside it."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE))
    except FileExistsError:
        return
    path.chmod(FILE)


def write_private(path: Path, content: bytes) -> None:
    """Write a file for this account alone, in one step. Once it returns, the change survives a power cut."""
    make_directory(path.parent)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    make_file(fresh)
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def ensure_private(directory: Path, names: Iterable[str]) -> None:
    """See that other accounts reach neither a directory nor anything in it that begins with one of the names.

    Raises: ``NotPrivate``.
    """
    if not directory.is_dir():
        return
    entries = [path for name in names for path in directory.glob(f"{name}*")]
    inside = [path for entry in entries if entry.is_dir() for path in entry.rglob("*")]
    for path in (directory, *entries, *inside):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except FileNotFoundError:  # the files beside a database come and go
            continue
        if mode & _OTHERS:
            mending = f"chmod -R go= {shlex.quote(str(directory))}"
            message = f"{path}: other accounts of this machine may reach it (mode {mode:03o}); mend it first: {mending}"
            raise NotPrivate(message)
