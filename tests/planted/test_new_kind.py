"""A new kind of event touches few files, and each of them is named by something red while it is left out."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.planted.new_kind import ADDITIONS, GREEN, TYPES, USE, Addition
from tests.tidy.test_house import ROOT, tracked

FILES_MOST: Final = 12
LEFT_OUT: Final = ("tests/pages/axe/", "tests/soak/", "api/static/swagger-ui/", "benchmarks/")


class Copy:
    """The project in a folder of its own, with the new kind added to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in tracked():
            if not name.startswith(LEFT_OUT):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, folder / name)
        for addition in ADDITIONS:
            self.add(addition)

    def add(self, addition: Addition) -> None:
        """Edit a file; each text to be replaced occurs in it once."""
        path = self.folder / addition.file
        text = path.read_text(encoding="utf-8")
        for old, new in addition.edits:
            assert text.count(old) == 1, f"{addition.file} has changed: {old!r} stands in it {text.count(old)} times"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def leave_out(self, addition: Addition) -> None:
        """Give a file back as it was."""
        shutil.copyfile(ROOT / addition.file, self.folder / addition.file)

    def check(self, *checks: str) -> subprocess.CompletedProcess[str]:
        """Run the type checker over the domain, or tests by pytest alone."""
        tests = ["pytest", "-q", "-p", "no:cacheprovider", "--noconftest", *checks]
        return self._run([TYPES, "domain"] if checks == (TYPES,) else tests)

    def use(self) -> subprocess.CompletedProcess[str]:
        """Run a test of the new kind, with what tests of the API share."""
        (self.folder / "tests" / "api" / "test_complaint.py").write_text(USE, encoding="utf-8")
        return self._run(["pytest", "-q", "-p", "no:cacheprovider", "tests/api/test_complaint.py"])

    def _run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        settings = {
            **os.environ,
            "NERACA_LAWS": "first",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTEST_ADDOPTS": "",
            "PYTHONPATH": str(self.folder),
        }
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, cwd=self.folder, env=settings, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """One copy for all: each test leaves it as it found it."""
    return Copy(tmp_path_factory.mktemp("copy"))


def test_a_new_kind_touches_few_files() -> None:
    assert len({addition.file for addition in ADDITIONS}) == len(ADDITIONS) <= FILES_MOST


@pytest.mark.parametrize("check", [(TYPES,), GREEN], ids=["types", "tests"])
def test_with_all_of_them_everything_is_green(copy: Copy, check: tuple[str, ...]) -> None:
    """The laws then meet the new kind, and four bookkeepers agree on it."""
    process = copy.check(*check)
    assert process.returncode == 0, process.stdout[-4000:] + process.stderr[-2000:]


def test_the_new_kind_is_recorded_counted_and_shown(copy: Copy) -> None:
    """No page and no check of a field asks for a line of its own."""
    process = copy.use()
    assert process.returncode == 0, process.stdout[-4000:] + process.stderr[-2000:]


@pytest.mark.parametrize("addition", ADDITIONS, ids=lambda addition: addition.file)
def test_a_file_that_is_left_out_is_named_by_something_red(copy: Copy, addition: Addition) -> None:
    copy.leave_out(addition)
    try:
        process = copy.check(addition.check)
    finally:
        copy.add(addition)
    report = process.stdout + process.stderr
    assert process.returncode != 0, f"{addition.file}: nothing is red without it"
    assert addition.named in report, report[-4000:]
