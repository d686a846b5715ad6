"""The house around the rooms: lock files, documents and the contract with the outside say what is there, and no more."""

import argparse
import ast
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from command_line import parser
from domain.measures import MEASURES, UNSUR
from tests.serving import Assembled
from tests.tidy.test_source import ROOMS, SOURCES, tree

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.lock", "requirements-scaled.lock", "requirements-test.lock")
REGISTRIES: Final = re.compile(
    r"\b(?:pypi\.(?:org|python)|files\.pythonhosted|registry\.npmjs|deb\.debian|index-url|find-links)", re.IGNORECASE
)
JOURNAL: Final = {"streams/journal/journal.py", "streams/journal/sqlite.py", "streams/journal/postgres.py"}


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def tracked() -> list[str]:
    """The files of the project as git lists them; all that lie here where there is no git."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [*SOURCES, *LOCKS, "pyproject.toml", "Makefile", "README.md"]
    return [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def commands() -> dict[str, argparse.ArgumentParser]:
    """The command line's commands, and the parser of each."""
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    message = "the command line has no commands"
    raise AssertionError(message)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_files_name_no_hosts_and_hash_everything(lock: str) -> None:
    """Each package is pinned to one version and carries a hash; nothing says where it comes from."""
    text = text_of(lock)
    assert "://" not in text
    assert not REGISTRIES.search(text)
    pinned = re.split(r"\n(?=[a-z])", text.strip())
    assert all(re.match(r"[a-z0-9-]+==[^ ]+ ", one) and "--hash=sha256:" in one for one in pinned)


def test_the_test_lock_holds_the_programs() -> None:
    """What is tested is what is run."""
    *run, tested = [dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text_of(lock), re.MULTILINE)) for lock in LOCKS]
    assert [one for one in run if not one.items() <= tested.items()] == []


def test_no_file_names_a_registry() -> None:
    """Where packages come from is the business of the machine."""
    kinds = (".py", ".md", ".toml", ".lock", ".yml", ".yaml", "Makefile", "run")
    files = [name for name in tracked() if name.endswith(kinds) and name != "tests/tidy/test_house.py"]
    assert [name for name in files if REGISTRIES.search(text_of(name))] == []


def test_the_event_store_is_known_to_the_journal_alone() -> None:
    """The linter holds it for the rooms; here for the root's own files too, which no room imports."""
    imported = {
        (
            source,
            (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else name.name.partition(".")[0],
        )
        for source in SOURCES
        if "/" not in source or source.partition("/")[0] in ROOMS
        for node in ast.walk(tree(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert {source for source, package in imported if package == "eventsourcing"} == JOURNAL
    root = {"neraca", "command_line", "commands_offline", "commands_scaled"}
    assert {source for source, package in imported if package in root} <= {
        "neraca.py", "commands_offline.py", "commands_scaled.py",
    }  # fmt: skip


def test_each_client_of_kafka_is_known_to_one_file() -> None:
    """`kafka-python` to the broker's, Faust to the worker's: whatever either does is dealt with in one place."""
    held = {
        package: {source for source in SOURCES if source.partition("/")[0] in ROOMS and re.search(
            rf"^ *(?:import|from) {package}\b", text_of(source), re.MULTILINE
        )}
        for package in ("kafka", "faust", "aiokafka")
    }  # fmt: skip
    assert held == {"kafka": {"streams/kafka/broker.py"}, "faust": {"streams/worker/shell.py"}, "aiokafka": set()}


def test_every_measure_is_documented_and_no_other() -> None:
    """`docs/digest.md` lists the measures as they are, in words of the balance."""
    rows = text_of("docs/digest.md").partition("## Measures")[2].partition("## ")[0]
    named = re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows.splitlines() if row.startswith("| `")))
    nine = (
        {f"unsur_{what}_{unsur}" for what in ("n", "sum") for unsur in UNSUR} if "`unsur_n_<unsur>`" in rows else set()
    )
    assert {*named, *nine} == set(MEASURES)


def test_every_command_is_in_the_readme_and_every_option_has_help() -> None:
    """A command nobody is told of is not there."""
    readme = text_of("README.md")
    assert [name for name in commands() if not re.search(rf"neraca {name}\b", readme)] == []
    silent = [(name, action.dest) for name, one in commands().items() for action in one._actions if not action.help]
    assert [(name, dest) for name, dest in silent if dest != "action"] == []


def test_documents_name_only_commands_and_options_there_are() -> None:
    """Every ``neraca …`` of a document is a command, and every option beside it one of its own."""
    known = commands()
    for name in ["README.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]:
        for command, rest in re.findall(r"\bneraca ([a-z]+)\b([^`\n#]*)", text_of(name)):
            if command not in known:
                assert not rest.lstrip().startswith("-"), f"{name}: neraca {command}"
                continue
            said = known[command].format_help()
            for action in known[command]._actions:
                if isinstance(action, argparse._SubParsersAction):
                    said += "".join(sub.format_help() for sub in action.choices.values())
            options = re.findall(r"(?<![\w-])--[a-z-]+", rest)
            assert [one for one in options if one not in said] == [], f"{name}: neraca {command}{rest}"


def test_every_setting_is_in_the_readme() -> None:
    """What the program reads from its environment, the README names."""
    read = {
        name
        for source in SOURCES
        if "/" not in source or source.partition("/")[0] in ROOMS
        for name in re.findall(r"environ(?:ment)?(?:\.get\(|\[)\"(NERACA_\w+)\"", text_of(source))
    }
    assert read
    assert [name for name in sorted(read) if f"`{name}`" not in text_of("README.md")] == []


def test_every_make_target_of_the_readme_is_one() -> None:
    rules = re.findall(r"^([a-z][a-z -]*):", text_of("Makefile"), re.MULTILINE)
    targets = {target for rule in rules for target in rule.split()}
    assert set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)`", text_of("README.md"), re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


def test_every_route_is_in_the_readme(neraca: Assembled) -> None:
    """Each path of the API is named where a newcomer looks for it."""
    assert [path for path in neraca.framework.openapi()["paths"] if f"`{path}`" not in text_of("README.md")] == []


def test_the_architecture_names_every_folder_and_what_it_owns() -> None:
    """`docs/ARCHITECTURE.md` has a row for each folder of the rooms, with the opening of its `__init__.py`."""
    text = text_of("docs/ARCHITECTURE.md").partition("## Where things are")[2].partition("\n## ")[0]
    named = dict(re.findall(r"^\| `([\w/]+)/` \| (.+) \|$", text, re.MULTILINE))
    folders = {
        source.removesuffix("/__init__.py"): (ast.get_docstring(tree(source)) or "").partition("\n")[0]
        for source in SOURCES
        if source.endswith("/__init__.py") and source.count("/") > 1 and source.partition("/")[0] in ROOMS
    }
    assert named == folders
