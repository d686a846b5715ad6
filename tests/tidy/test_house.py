"""The house around the rooms: lock files, documents and public contract match the project exactly."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Final

import pytest

from domain.measures import MEASURES, UNSUR
from tests.serving import Assembled
from tests.tidy.test_source import ROOMS, SOURCES, tree

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.lock", "requirements-scaled.lock", "requirements-test.lock")
REGISTRIES: Final = re.compile(
    r"\b(?:pypi\.(?:org|python)|files\.pythonhosted|registry\.npmjs|deb\.debian|index-url|find-links)", re.IGNORECASE
)
CALLING: Final = ("README.md", "CONTRIBUTING.md", "SECURITY.md", ".pre-commit-config.yaml", ".github/workflows/ci.yml")
JOURNAL: Final = {"streams/journal/journal.py", "streams/journal/sqlite.py", "streams/journal/postgres.py"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[str]:
    """The files of the project as git lists them; all that lie here where there is no git."""
    try:
        output = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [*SOURCES, *LOCKS, "pyproject.toml", "Makefile", "README.md"]
    return [name for name in output.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_name_no_hosts_and_hash_everything(lock: str) -> None:
    """Each package is pinned to one version and carries a hash; no line names its origin."""
    text = text_of(lock)
    assert "://" not in text
    assert not REGISTRIES.search(text)
    pins = re.split(r"\n(?=[a-z])", text.strip())
    assert all(re.match(r"[a-z0-9-]+==[^ ]+ ", pin) and "--hash=sha256:" in pin for pin in pins)


def test_the_test_lock_holds_the_programs() -> None:
    """The test lock pins the program's own versions."""
    *run, test_lock = [dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text_of(lock), re.MULTILINE)) for lock in LOCKS]
    assert [lock for lock in run if not lock.items() <= test_lock.items()] == []


def test_no_file_names_a_registry() -> None:
    """The machine decides where packages come from."""
    kinds = (".py", ".md", ".toml", ".lock", ".yml", ".yaml", "Makefile", "run")
    files = [name for name in tracked() if name.endswith(kinds) and name != "tests/tidy/test_house.py"]
    assert [name for name in files if REGISTRIES.search(text_of(name))] == []


def test_the_event_store_is_known_to_the_journal_alone() -> None:
    """The linter holds it below the composition root; here for that too."""
    packages = {
        (
            source,
            (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else name.name.partition(".")[0],
        )
        for source in SOURCES
        if source.partition("/")[0] in ROOMS
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert {source for source, package in packages if package == "eventsourcing"} == JOURNAL


def test_each_client_of_kafka_is_known_to_one_file() -> None:
    """`kafka-python` to the broker's, Faust to the worker's: one place deals with each client's behaviour."""
    extras = {
        package: {
            source
            for source in SOURCES
            if source.partition("/")[0] in ROOMS
            and re.search(rf"^ *(?:import|from) {package}\b", text_of(source), re.MULTILINE)
        }
        for package in ("kafka", "faust", "aiokafka")
    }
    assert extras == {"kafka": {"streams/kafka/broker.py"}, "faust": {"streams/worker/shell.py"}, "aiokafka": set()}


def test_every_measure_is_documented_and_no_other() -> None:
    """`docs/reference/digest.md` lists the measures as they are, in words of the balance."""
    rows = text_of("docs/reference/digest.md").partition("## Measures")[2].partition("## ")[0]
    names = re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows.splitlines() if row.startswith("| `")))
    nine = (
        {f"unsur_{what}_{unsur}" for what in ("n", "sum") for unsur in UNSUR} if "`unsur_n_<unsur>`" in rows else set()
    )
    assert {*names, *nine} == set(MEASURES)


def test_every_make_target_that_is_named_is_one() -> None:
    """Documents, hooks and the workflow call only what the Makefile has."""
    rules = re.findall(r"^([a-z][a-z -]*):", text_of("Makefile"), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    call = re.compile(r"(?:^|`|run: |entry: |silent )make (?:--silent )?([a-z-]+)", re.MULTILINE)
    documents = [name for name in tracked() if name.startswith("docs/") and name.endswith(".md")]
    names = {target for name in (*CALLING, *documents) for target in call.findall(text_of(name))}
    assert names
    assert names - targets == set()


def test_every_route_is_in_the_reference(neraca: Assembled) -> None:
    """Each path of the API is named where a newcomer looks for it."""
    reference = text_of("docs/reference/api.md")
    paths = neraca.framework.openapi()["paths"]
    assert [path for path in paths if not re.search(rf"`(?:POST )?{re.escape(path)}`", reference)] == []


def test_the_architecture_names_every_folder_and_what_it_owns() -> None:
    """`docs/ARCHITECTURE.md` has a row for each folder of the rooms, with the opening of its `__init__.py`."""
    text = text_of("docs/ARCHITECTURE.md").partition("## Folders")[2].partition("\n## ")[0]
    texts = dict(re.findall(r"^\| `([\w/]+)/` \| (.+) \|$", text, re.MULTILINE))
    folders = {
        source.removesuffix("/__init__.py"): (ast.get_docstring(tree(source)) or "").partition("\n")[0]
        for source in SOURCES
        if source.endswith("/__init__.py") and source.count("/") > 1 and source.partition("/")[0] in ROOMS
    }
    assert texts == folders


def test_no_package_of_the_program_escapes_the_layers() -> None:
    """The import linter looks at every package that the wheel holds, and gives each a layer."""
    tools = tomllib.loads(text_of("pyproject.toml"))["tool"]
    packages = set(tools["hatch"]["build"]["targets"]["wheel"]["only-include"]) - {"examples"}
    rooms = tools["importlinter"]["contracts"][0]
    layers = {package.strip() for layer in rooms["layers"] for package in layer.split("|")}
    assert packages == layers == set(tools["importlinter"]["root_packages"]) == set(ROOMS)
