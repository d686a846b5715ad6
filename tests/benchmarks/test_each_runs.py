"""Benchmarks, each at a thousandth of its size: none stops working while nobody measures."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.__main__ import HEAD, NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]


def rows(temporary: Path, folder: str, *names: str) -> list[str]:
    """The rows of the table of some benchmarks. A goal may be missed at this size; a run without a table has failed."""
    words = [sys.executable, "-m", "benchmarks", folder, *names, "--share", "0.001"]
    environment = os.environ | {"TMPDIR": str(temporary)}
    result = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if result.returncode == 2:
        pytest.skip(result.stderr.splitlines()[-1])
    assert HEAD in result.stdout, result.stderr[-3000:]
    return [row for row in result.stdout.rpartition(HEAD)[2].splitlines() if row]


@pytest.fixture(scope="module")
def temporary() -> Iterator[Path]:
    """A place for journals that are prepared once for all benchmarks; PostgreSQL runs there as another user."""
    with tempfile.TemporaryDirectory(prefix="neraca-bench-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_each_benchmark_is_listed() -> None:
    """Each module of a folder that can be run is one of its benchmarks."""
    for folder, names in NAMES.items():
        modules = [path for path in (ROOT / "benchmarks" / folder).glob("*.py") if "\ndef run(" in path.read_text()]
        assert {path.stem for path in modules} == set(names)


@pytest.mark.parametrize("name", NAMES["embedded"])
def test_a_benchmark_of_one_process_runs(name: str, temporary: Path) -> None:
    """Its table has figures."""
    assert rows(temporary, "embedded", name)


def test_the_benchmarks_of_many_processes_run(temporary: Path) -> None:
    """Their table has figures, and all that they compare agreed with the journal."""
    assert len(rows(temporary, "scaled")) > len(NAMES["scaled"])
