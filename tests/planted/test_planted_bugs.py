"""The suite can fail: each bug planted in a copy of the kernel turns the tests named beside it red."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.planted.bugs import BUGS, GREEN, Bug

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = ("domain", "audit", "projections", "streams", "tests")
TESTS_FAILED: Final = 1
WITHOUT: Final = ("pages", "api", "faults", "kafka", "planted", "equivalence", ".hypothesis")


def _copy(folder: Path) -> None:
    """The kernel and the laws about it, to be broken apart from the checkout."""
    for room in COPIED:
        left_out = WITHOUT if room == "tests" else (".hypothesis",)
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns(*left_out))


def _run(folder: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """The tests of a copy, by pytest alone: plugins take longer to load than these tests to run."""
    words = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rfE",
        "-c",
        os.devnull,
        "--rootdir",
        folder,
        "--noconftest",
        "-p",
        "tests.laws.conftest",
        "-p",
        "no:cacheprovider",
    )
    settings = {**os.environ, "NERACA_LAWS": "first", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    return subprocess.run((*words, *tests), cwd=folder, env=settings, capture_output=True, text=True, check=False)


def test_the_unbroken_copy_is_green(tmp_path: Path) -> None:
    """Otherwise red would mean nothing."""
    _copy(tmp_path)
    process = _run(tmp_path, *GREEN)
    assert process.returncode == 0, process.stdout[-3000:] + process.stderr


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_a_planted_bug_turns_the_suite_red(bug: Bug, tmp_path: Path) -> None:
    """Every test named beside the bug fails by an assertion or an error of its own, not by being unable to start."""
    _copy(tmp_path)
    path = tmp_path / bug.file
    source = path.read_text(encoding="utf-8")
    assert source.count(bug.old) == 1, f"{bug.file} has changed: plant this bug anew"
    path.write_text(source.replace(bug.old, bug.new), encoding="utf-8")
    process = _run(tmp_path, *bug.red)
    assert process.returncode == TESTS_FAILED, process.stdout[-3000:] + process.stderr
    for tests in bug.red:
        assert f"FAILED {tests}" in process.stdout, f"{tests} stayed green:\n{process.stdout[-3000:]}"
