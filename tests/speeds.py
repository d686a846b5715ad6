"""Three speeds: how soon a test is run, by its folder, and by the mark ``speed`` where a module or a test differs.

``quick`` is for every save, ``test`` for every change, ``all`` for what lands; ``soak`` is for nights. ``pytest --speed``
chooses: the sooner speeds are run with a later one, except that ``rest`` is what ``test`` leaves out of ``all``. A test
that needs a server is never quick.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from pathlib import Path

SPEEDS: Final = ("quick", "test", "all", "soak")
"""From the soonest to the latest."""
CHOICES: Final = {"rest": {"all"}} | {speed: set(SPEEDS[: number + 1]) for number, speed in enumerate(SPEEDS)}
"""The speeds that each choice of ``--speed`` runs."""
FOLDERS: Final = {
    "api": "test",
    "attacks": "test",
    "benchmarks": "all",
    "deploy": "all",
    "domain": "quick",
    "equivalence": "all",
    "faults": "all",
    "journal": "test",
    "kafka": "all",
    "laws": "quick",
    "pages": "all",
    "planted": "all",
    "soak": "all",
    "streams": "test",
    "tidy": "quick",
}
"""The speed of a folder's tests that carry no mark."""
SERVERS: Final = {"postgres", "database_url", "kafka"}
"""Fixtures that start a server."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--speed``."""
    parser.addoption("--speed", choices=CHOICES, default="all", help="run the tests of this speed and of sooner ones")


def pytest_configure(config: pytest.Config) -> None:
    """Try laws on few examples in a quick run."""
    if config.getoption("--speed") == "quick":
        os.environ.setdefault("NERACA_LAWS", "small")


def folder_of(path: Path, root: Path) -> str:
    """The folder under ``tests/`` that a file of tests lies in."""
    return path.relative_to(root / "tests").parts[0]


def speed_of(item: pytest.Item) -> str:
    """The speed of a test: its nearest mark's, or its folder's; with a server, ``test`` at the soonest."""
    mark = item.get_closest_marker("speed")
    speed = FOLDERS[folder_of(item.path, item.config.rootpath)] if mark is None else str(mark.args[0])
    if speed not in SPEEDS:
        message = f"{item.nodeid}: there is no speed {speed!r}, only {', '.join(SPEEDS)}"
        raise pytest.UsageError(message)
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    server = SERVERS & set(getattr(item, "fixturenames", ())) or parameters.get("database_kind") == "postgres"
    return "test" if server and speed == "quick" else speed


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a file unread when its folder is of another speed and no mark in it can differ."""
    speeds_chosen, root = CHOICES[config.getoption("--speed")], config.rootpath
    if collection_path.suffix != ".py" or not collection_path.is_relative_to(root / "tests"):
        return None
    folder = FOLDERS.get(folder_of(collection_path, root))
    if folder is None or folder in speeds_chosen:
        return None
    return None if "mark.speed(" in collection_path.read_text(encoding="utf-8") else True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of the chosen speeds."""
    speeds_chosen = CHOICES[config.getoption("--speed")]
    speeds = [speed_of(item) for item in items]
    left_out = [item for item, speed in zip(items, speeds, strict=True) if speed not in speeds_chosen]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item, speed in zip(items, speeds, strict=True) if speed in speeds_chosen]
