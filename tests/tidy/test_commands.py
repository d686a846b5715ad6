"""The commands: the reference repeats their options, help and settings as they are, and documents name no others."""

import argparse
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Final

import pytest

from neraca.__main__ import COMMANDS, parser
from neraca.settings import SETTINGS
from neraca.wiring import program
from streams.kafka.settings import KafkaSettings
from tests.tidy.test_source import ROOMS, SOURCES

ROOT: Final = Path(__file__).parents[2]
REFERENCE: Final = ROOT / "docs" / "reference" / "commands.md"
TOLD_ABOVE: Final = ("data", "database")
"""An action takes them too, and its command's table has them already."""
Actions = argparse._SubParsersAction


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help is compared as a machine without settings prints it."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of each command."""
    (actions,) = (action for action in parser()._actions if isinstance(action, Actions))
    return dict(actions.choices)


def usage_of(option: argparse.Action) -> str:
    """An option or argument as it is typed."""
    if not option.option_strings:
        return option.dest
    value = option.metavar or ("{" + ",".join(option.choices) + "}" if option.choices else option.dest.upper())
    suffix = "" if option.nargs == 0 else f" [{value}]" if option.nargs == "?" else f" {value}"
    return option.option_strings[0] + suffix


def rows_of(command: argparse.ArgumentParser, prefix: str = "", left_out: tuple[str, ...] = ()) -> list[str]:
    """A row for each option, argument and action of a command."""
    rows = list[str]()
    for option in command._actions:
        if isinstance(option, Actions):
            helps = {choice.dest: choice.help for choice in option._choices_actions}
            for name, action in option.choices.items():
                words = f"{command.prog.split()[-1]} {name}"
                rows += [f"| `{words}` | {helps[name]} |", *rows_of(action, f"{words} ", TOLD_ABOVE)]
        elif option.help != argparse.SUPPRESS and option.dest not in ("help", *left_out):
            help_text = command._get_formatter()._expand_help(option)
            rows.append(f"| `{prefix}{usage_of(option)}` | {help_text} |")
    return rows


def section_of(name: str, command: argparse.ArgumentParser) -> list[str]:
    """The lines that the reference must have on a command."""
    opening, note = COMMANDS[name].help, COMMANDS[name].note
    lines = [f"### neraca {name}", "", f"{opening[0].upper()}{opening[1:]}."]
    if note:
        lines += ["", textwrap.fill(note, 100)]
    return [*lines, "", "| option | meaning |", "|---|---|", *rows_of(command)]


def test_the_reference_has_every_command_as_its_help_has_it() -> None:
    """A command is described once, beside its body; a section that differs is shown as it must be."""
    text = REFERENCE.read_text(encoding="utf-8")
    sections = {name: "\n".join(section_of(name, command)) for name, command in commands().items()}
    rows = [f"| `neraca {name}` | {command.help} |" for name, command in COMMANDS.items()]
    missing = [lines for lines in (*rows, *sections.values()) if f"\n{lines}\n" not in text]
    assert not missing, "the reference must have:\n" + "\n\n".join(missing)
    assert re.findall(r"^### neraca (\w+)$", text, re.MULTILINE) == list(sections)


def test_every_option_has_help() -> None:
    """An option without help does not exist for a reader of the help."""
    silent = [
        (name, option.dest)
        for name, command in commands().items()
        for option in command._actions
        if not option.help and not isinstance(option, Actions)
    ]
    assert silent == []


def test_the_reference_has_every_setting_as_the_table_has_it() -> None:
    text = REFERENCE.read_text(encoding="utf-8").partition("## Settings")[2]
    rows = [
        f"| `{setting.name}` | {f'`{setting.default}`' if setting.default else 'none'} | {setting.help} |"
        for setting in SETTINGS.values()
    ]
    assert [row for row in rows if row not in text.splitlines()] == []
    assert re.findall(r"^\| `(NERACA_\w+)`", text, re.MULTILINE) == list(SETTINGS)


def test_the_program_reads_no_other_setting() -> None:
    """Every name it spells is in the table."""
    lines = {
        name
        for source in SOURCES
        if source.partition("/")[0] in ROOMS
        for name in re.findall(r"\"(NERACA_\w+)\"", (ROOT / source).read_text(encoding="utf-8"))
    }
    assert lines == set(SETTINGS)


def test_the_brokers_defaults_are_those_of_the_table() -> None:
    settings = KafkaSettings.of({"NERACA_KAFKA": "localhost:9092"})
    assert settings.protocol == SETTINGS["NERACA_KAFKA_SECURITY"].default
    assert settings.mechanism == SETTINGS["NERACA_KAFKA_SASL"].default


def test_documents_name_only_commands_and_options_there_are() -> None:
    """Every ``neraca …`` of a document is a command, and every option beside it one of its own."""
    parsers = commands()
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    wrong = list[str]()
    for document in documents:
        for name, rest in re.findall(r"\bneraca ([a-z]+)\b([^`\n#|]*)", document.read_text(encoding="utf-8")):
            options = re.findall(r"(?<![\w-])--[a-z-]+", rest)
            if name not in parsers:
                wrong += [f"{document.name}: neraca {name}"] * rest.lstrip().startswith("-")
                continue
            rows = " ".join(rows_of(parsers[name]))
            wrong += [f"{document.name}: neraca {name} {option}" for option in options if f"{option}" not in rows]
    assert wrong == []


def test_the_program_starts_itself_by_its_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a package nor a module of the working directory takes its place, unless that is the checkout."""
    for name in ("neraca.py", "json.py", "argparse.py"):
        (tmp_path / name).write_text("raise SystemExit('a stranger ran')\n")
    monkeypatch.chdir(tmp_path)
    process = subprocess.run([*program(), "token", "--help"], capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout.split()[:3]) == (0, ["usage:", "neraca", "token"]), process.stderr
    monkeypatch.chdir(ROOT)
    assert "-P" not in program()
