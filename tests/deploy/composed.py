"""docker-compose.yml as Compose reads it: .env put in, the override merged, extensions resolved.

It knows the words that this project's files and runbook use, and refuses others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE: Final = "docker-compose.yml"
OVERRIDE: Final = "docker-compose.override.yml"
_REFERENCE: Final = re.compile(r"\$(?:\$|\{(?P<name>\w+)(?:(?P<how>:[-?])(?P<text>[^}]*))?\}|(?P<bad>.?))")
_REPLACED: Final = {"command", "entrypoint", "test"}
"""Lists that a later file replaces; others it lengthens."""


class Unset(Exception):  # noqa: N818 - told to a person as it is
    """A setting that the file asks for is not in .env; the message is the file's own."""


class _Whole(list[Any]):
    """A list marked ``!override``: it replaces what it would lengthen."""


class _Loader(yaml.SafeLoader):
    """YAML with the one tag of Compose that the runbook uses."""


def _whole(loader: _Loader, node: yaml.nodes.Node) -> _Whole:
    assert isinstance(node, yaml.SequenceNode)
    return _Whole(loader.construct_sequence(node, deep=True))


_Loader.add_constructor("!override", _whole)


def settings_of(folder: Path) -> dict[str, str]:
    """The settings of a folder's .env, if it has one."""
    file = folder / ".env"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    pairs = (line.partition("=") for line in lines if line.strip() and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def interpolated(held: Any, settings: Mapping[str, str]) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Every reference in every text replaced by its setting. Raises: ``Unset``."""

    def replaced(found: re.Match[str]) -> str:
        name, how, text = found["name"], found["how"], found["text"]
        if found[0] == "$$":
            return "$"
        if name is None:
            message = f"not a reference this reader knows: {found[0]}"
            raise ValueError(message)
        value = settings.get(name, "")
        if not value and how == ":?":
            message = f"{name}: {text}"
            raise Unset(message)
        return value or (text if how == ":-" else "")

    if isinstance(held, str):
        return _REFERENCE.sub(replaced, held)
    if isinstance(held, dict):
        return {key: interpolated(value, settings) for key, value in held.items()}
    if isinstance(held, list):
        return type(held)(interpolated(value, settings) for value in held)
    return held


def _merged(under: Any, over: Any, key: str = "") -> Any:  # noqa: ANN401 - whatever YAML holds
    """What a later file, or one that extends, makes of an earlier one."""
    if isinstance(under, dict) and isinstance(over, dict):
        return {name: _merged(under.get(name), over.get(name, under.get(name)), name) for name in {**under, **over}}
    if isinstance(under, list) and isinstance(over, list) and over is not under:
        return over if isinstance(over, _Whole) or key in _REPLACED else [*under, *over]
    return over


def loaded(file: Path) -> dict[str, Any]:
    """One file as it is written."""
    held = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe loader with one tag more
    assert isinstance(held, dict)
    return held


def composed(folder: Path) -> dict[str, Any]:
    """The project of a folder: its file, with the override beside it, and its settings put in. Raises: ``Unset``."""
    settings = settings_of(folder)
    project: dict[str, Any] = interpolated(loaded(folder / FILE), settings)
    if (folder / OVERRIDE).exists():
        over = interpolated(loaded(folder / OVERRIDE), settings)
        for name, service in over.get("services", {}).items():
            extended = service.pop("extends", None)
            if extended is not None:
                assert extended["file"] == FILE, "the runbook extends the one file"
                over["services"][name] = _merged(project["services"][extended["service"]], service)
        project = _merged(project, over)
    return {name: value for name, value in project.items() if not name.startswith("x-")}
