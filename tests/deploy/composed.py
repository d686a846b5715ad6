"""docker-compose.yml as Compose reads it, as far as this project's files go: .env put in, and the override's services added."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = "docker-compose.yml"
OVERRIDE: Final = "docker-compose.override.yml"
_REFERENCE: Final = re.compile(r"\$\{(?P<name>\w+):(?P<how>[-?])(?P<text>[^}]*)\}")


class Unset(Exception):  # noqa: N818 - told to a person as it is
    """A setting that the file asks for is not in .env; the message is the file's own."""


class _Loader(yaml.SafeLoader):
    """YAML with the one tag of Compose that the runbook uses: a list that replaces what it would lengthen."""


def _whole(loader: _Loader, node: yaml.nodes.Node) -> list[Any]:
    assert isinstance(node, yaml.nodes.SequenceNode)
    return loader.construct_sequence(node, deep=True)


_Loader.add_constructor("!override", _whole)


def loaded(text: str) -> dict[str, Any]:
    """A file as it is written."""
    project = yaml.load(text, _Loader)  # noqa: S506 - a safe loader with one tag more
    assert isinstance(project, dict)
    return project


def settings_of(folder: Path) -> dict[str, str]:
    """The settings of a folder's .env, if it has one."""
    file = folder / ".env"
    return dict(line.split("=", 1) for line in file.read_text("utf-8").splitlines()) if file.exists() else {}


def composed(folder: Path) -> dict[str, Any]:
    """The project of a folder: its file with its settings, and the services of an override. Raises: ``Unset``."""
    settings = settings_of(folder)

    def setting(match: re.Match[str]) -> str:
        value = settings.get(match["name"], "")
        if not value and match["how"] == "?":
            message = f"{match['name']}: {match['text']}"
            raise Unset(message)
        return value or match["text"]

    text = _REFERENCE.sub(setting, (folder / FILE).read_text("utf-8"))
    assert "$" not in text, "a reference of another form"
    project = loaded(text)
    if (folder / OVERRIDE).exists():
        for name, service in loaded((folder / OVERRIDE).read_text("utf-8"))["services"].items():
            parent = service.pop("extends")
            assert parent["file"] == FILE, "the runbook extends the one file"
            project["services"][name] = {**project["services"][parent["service"]], **service}
    return project
