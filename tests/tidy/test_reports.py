"""The reports of the last soak: none failed, each is of this history and not old, and each planted guard is in its report."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
SOAK: Final = ROOT / "tests" / "soak"
REPORTS: Final = sorted(SOAK.glob("REPORT-*.md"))
DAYS_MOST: Final = 60
"""A report that is older says little about the program of today."""


def git(*words: str) -> str:
    """The output of git; without git, or without history, the test is skipped."""
    try:
        process = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"git cannot say it here: {error}")
    return process.stdout.strip()


def row(report: Path, name: str) -> str:
    """The value of a row of a report's first table."""
    match = re.search(rf"^\| {name} \| `?([^`|]+?)`? \|$", report.read_text(encoding="utf-8"), re.MULTILINE)
    assert match, f"{report.name} has no row: {name}"
    return match[1]


def test_each_soak_has_a_report_and_none_failed() -> None:
    """`make soak` writes these reports and no others."""
    names = re.findall(r"--report tests/soak/(REPORT-\w+\.md)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert sorted(names) == [report.name for report in REPORTS]
    assert [
        report.name for report in REPORTS if "FAILED" in report.read_text(encoding="utf-8").partition("\n")[0]
    ] == []


def test_a_report_is_of_this_history() -> None:
    """The commit that a soak ran on is an ancestor of the one checked out; a clone without history can check its form only."""
    commits = {report.name: row(report, "commit of HEAD") for report in REPORTS}
    assert [name for name, commit in commits.items() if not re.fullmatch(r"[0-9a-f]{40}", commit)] == []
    if git("rev-parse", "--is-shallow-repository") == "true":
        return
    assert [name for name, commit in commits.items() if git("merge-base", commit, "HEAD") != commit] == []


def test_a_report_is_not_old() -> None:
    """Reports are at most 60 days older than the commit that is checked out; `make soak` writes them anew."""
    head = datetime.fromisoformat(git("show", "--no-patch", "--format=%cI", "HEAD")).astimezone(UTC)
    days = {report.name: (head - datetime.fromisoformat(row(report, "date"))).days for report in REPORTS}
    old = {name: age for name, age in days.items() if age > DAYS_MOST}
    if old:
        pytest.skip(f"make soak is due: days since each report: {old}")


def test_each_planted_guard_was_caught() -> None:
    """The report of the guards names every test of a planted copy, and each of its rows says that it turned red."""
    pattern = re.compile(r"^@pytest\.mark\.planted\n(?:@.*\n|[ )].*\n)*def (test_\w+)\(", re.MULTILINE)
    checks = {
        f"{file.name}::{name}"
        for file in (ROOT / "tests" / "kafka").glob("test_*.py")
        for name in pattern.findall(file.read_text(encoding="utf-8"))
    }
    text = (SOAK / "REPORT-guards.md").read_text(encoding="utf-8")
    checks_caught = re.findall(r"^\| `(test_\w+\.py::test_\w+)[^`]*` \| yes \|", text, re.MULTILINE)
    assert set(checks_caught) == checks
    assert len(re.findall(r"^\| `test_", text, re.MULTILINE)) == len(checks_caught)
