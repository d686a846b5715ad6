"""The speeds of tests: the table of `tests/README.md` is true, choices run their tests, an exceeded budget is red."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests import memory
from tests.budgets import BUDGETS_S, HEADROOM, outgrown
from tests.distribution import ALONE, LONGEST
from tests.memory import has_room
from tests.speeds import CHOICES, FOLDERS, SPEEDS

ROOT: Final = Path(__file__).parents[2]
TESTS: Final = ROOT / "tests"
FILES: Final = sorted(str(path.relative_to(TESTS)) for path in TESTS.glob("**/test_*.py"))
MOST_S: Final = {"quick": 30, "test": 5 * 60, "all": 15 * 60}
"""The seconds each command may take on two cores; its tests may take twice as many."""
SMALL: Final = {
    "tidy/test_one.py": "import pytest\n\ndef test_folder(): pass\n\n@pytest.mark.speed('test')\ndef test_later(): pass\n",
    "api/test_two.py": "import pytest\n\npytestmark = pytest.mark.speed('quick')\n\ndef test_sooner(): pass\n\n"
    "@pytest.fixture\ndef postgres(): pass\n\ndef test_server(postgres): pass\n",
    "kafka/test_three.py": "import pytest\n\ndef test_slow(): pass\n\n@pytest.mark.speed('soak')\ndef test_night(): pass\n",
}
"""A tree of tests, of which each choice runs some."""
UNREAD: Final = {"quick": "kafka", "test": "kafka", "rest": "domain"}
"""A folder for each choice of which it reads no file without a mark."""


def marked(node: ast.AST) -> set[str]:
    """The speeds that marks within a piece of source name."""
    return set(re.findall(r"mark\.speed\([\"'](\w+)[\"']\)", ast.unparse(node)))


def speeds(file: str) -> set[str]:
    """The speeds that a file's folder and marks give its tests."""
    module = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    usual = {FOLDERS[file.partition("/")[0]]}
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            usual = marked(node) or usual
    marks = set[str]()
    for test in (
        node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ):
        own = [marked(mark) for mark in test.decorator_list if ast.unparse(mark).startswith("pytest.mark.speed(")]
        parameters = [marked(mark) for mark in test.decorator_list]
        marks |= own[0] if own else usual | set().union(*parameters)
    return marks or usual


def rows() -> dict[str, set[str]]:
    """The speeds of each row of the table."""
    text = (TESTS / "README.md").read_text(encoding="utf-8").partition("## Which law lives where")[2]
    return {
        where: set(speeds_named.split(", "))
        for where, speeds_named in re.findall(r"^\| `(\S+)` \| .+ \| (.+) \|$", text, re.MULTILINE)
    }


def test_each_file_of_tests_is_in_the_table_with_its_speeds() -> None:
    """By its own row, which has exactly its speeds, or by its folder's."""
    table = rows()
    own = {file: speeds(file) for file in FILES if file in table}
    assert {file: table[file] for file in own} == own
    assert [
        file for file in FILES if file not in table and not speeds(file) <= table.get(f"{Path(file).parent}/", set())
    ] == []
    assert [where for where in table if not (TESTS / where).exists()] == []


def test_each_folder_has_a_speed_and_each_speed_of_it_a_budget() -> None:
    """The sums of all budgets fit into what the three commands may take."""
    folders = {file.partition("/")[0] for file in FILES}
    assert folders <= set(FOLDERS)
    pairs = {(file.partition("/")[0], speed) for file in FILES for speed in speeds(file)} - {("kafka", "soak")}
    assert {(folder, speed) for folder, speed in pairs if speed not in BUDGETS_S[folder]} == set()
    for speed, most_s in MOST_S.items():
        assert sum(budgets.get(speed, 0) for budgets in BUDGETS_S.values()) <= 2 * most_s, speed


def test_what_is_shared_out_first_is_there() -> None:
    """A file that was renamed would be shared out last."""
    assert [file for file in (*ALONE, *LONGEST) if not (ROOT / file).is_file()] == []


def run(folder: Path, choice: str, conftest: str = "") -> subprocess.CompletedProcess[str]:
    """Run the small tree, apart from our tests, with the plugins that choose and measure."""
    unread = {f"{UNREAD[choice]}/test_unread.py": "raise AssertionError('this file is read')\n"}
    for name, text in (SMALL | unread).items():
        (folder / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tests" / name).write_text(text)
    (folder / "conftest.py").write_text(conftest)
    plugins = ("tests.speeds", "tests.budgets", "no:cacheprovider", "no:schemathesis", "no:anyio")
    words = ["-v", "-c", os.devnull, "--rootdir", str(folder), *(word for name in plugins for word in ("-p", name))]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *words, "--speed", choice, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_only_a_file_system_with_room_holds_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of a disk is none; one in memory is, unless it is nearly full."""
    assert not has_room(tmp_path)
    folders = [folder for folder in (memory.MEMORY, Path("/run"), Path("/proc")) if folder.is_mount()]
    monkeypatch.setattr(memory, "ROOM", 1 << 60)
    assert [folder for folder in folders if has_room(folder)] == []


@pytest.mark.speed("test")
@pytest.mark.parametrize(
    ("choice", "tests"),
    [
        ("quick", {"test_folder", "test_sooner"}),
        ("test", {"test_folder", "test_later", "test_sooner", "test_server"}),
        ("rest", {"test_slow"}),
    ],
)
def test_a_choice_runs_its_tests_and_no_other(tmp_path: Path, choice: str, tests: set[str]) -> None:
    """A mark outweighs the folder, a server is never quick, and a file that holds nothing of a choice is not read."""
    process = run(tmp_path, choice)
    assert set(re.findall(r"::(test_\w+) PASSED", process.stdout)) == tests, process.stdout + process.stderr
    assert process.returncode == 0


def test_every_test_has_a_command() -> None:
    """Together ``quick``, ``test`` and ``rest`` run every test, except those that run at night."""
    assert CHOICES["quick"] | CHOICES["test"] | CHOICES["rest"] == CHOICES["all"] == set(SPEEDS) - {"soak"}
    assert CHOICES["test"].isdisjoint(CHOICES["rest"])


@pytest.mark.speed("test")
def test_a_folder_that_outgrows_its_budget_fails_the_run(tmp_path: Path) -> None:
    """Its tests passed, and yet the run is red; the folder and its tests are named."""
    process = run(tmp_path, "quick", "from tests import budgets\n\nbudgets.BUDGETS_S['tidy'] = {'quick': 0.0}\n")
    assert "2 passed" in process.stdout
    assert re.search(
        r"^tests/tidy, speed quick: .* the slowest are\n +\d.* s tests/tidy/test_one.py", process.stdout, re.MULTILINE
    )
    assert process.returncode == pytest.ExitCode.TESTS_FAILED


def test_a_budget_names_the_ten_slowest_and_grows_with_a_slow_machine() -> None:
    seconds_of = {("domain", "quick"): {f"test_{number}": float(number) for number in range(20)}}
    first, *slowest = outgrown(seconds_of, 1.0)
    assert first.startswith("tests/domain, speed quick: 190.0 s, where")
    assert [line.split()[-1] for line in slowest] == [f"test_{number}" for number in range(19, 9, -1)]
    assert outgrown(seconds_of, 190 / BUDGETS_S["domain"]["quick"] / HEADROOM) == []
    assert outgrown({("nowhere", "all"): {"test": 0.1}}, 1.0) != []
    assert outgrown({("nowhere", "soak"): {"test": 0.1}}, 1.0) == []
