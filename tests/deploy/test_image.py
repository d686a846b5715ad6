"""The image, checked without building it: its ingredients, the files sent to its builder, the user it runs as."""

import fnmatch
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Final

from tests.serving import ROOT
from tests.tidy.test_house import text_of
from tests.tidy.test_source import ROOMS

DOCKERFILE: Final = text_of("Dockerfile")
FINAL: Final = DOCKERFILE.rpartition("\nFROM ")[2]


def is_sent(name: str) -> bool:
    """True if .dockerignore lets a file through: its last line that fits the file, or a folder above it, decides."""
    through = True
    for line in text_of(".dockerignore").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!").removeprefix("**/")
        parts = Path(name).parts
        within = parts if line.startswith("**/") else ("/".join(parts[: number + 1]) for number in range(len(parts)))
        if any(fnmatch.fnmatch(path, pattern) for path in within):
            through = line.startswith("!")
    return through


def test_neither_journals_nor_secrets_are_sent_to_the_builder() -> None:
    """Only what is named is."""
    names = (
        ".env",
        "var/journal.sqlite",
        "neraca.dump",
        "loket-1.token",
        ".git/config",
        "tests/serving.py",
        "docker-compose.yml",
    )
    assert [name for name in names if is_sent(name)] == []
    assert not is_sent("domain/__pycache__/events.cpython-313.pyc")
    assert [name for name in ("neraca/__main__.py", "api/static/neraca.css") if not is_sent(name)] == []


def test_the_wheel_of_what_is_sent_is_the_whole_program(tmp_path: Path) -> None:
    """Built as the Dockerfile does, offline, from nothing but what its builder is sent."""
    assert "pip wheel --no-deps --no-build-isolation" in DOCKERFILE
    whole = {
        str(file.relative_to(ROOT))
        for room in (*ROOMS, "examples")
        for file in (ROOT / room).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    for name in (*whole, "pyproject.toml", "README.md", "LICENSE"):
        assert is_sent(name), name
        copy = tmp_path / "src" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    words = [
        "pip",
        "wheel",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(tmp_path),
        ".",
    ]
    subprocess.run([sys.executable, "-m", *words], cwd=tmp_path / "src", check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {re.sub(r"^examples/", "neraca_examples/", name) for name in whole} <= names


def test_the_image_holds_what_is_pinned_and_no_tool_to_build_with() -> None:
    """Wheels with hashes alone; the last stage installs and compiles nothing, and does not run as root."""
    installs = re.findall(r"pip(?: --python \S+)? install (.*?)(?: \\)?$", DOCKERFILE, re.MULTILINE)
    assert len(installs) == 3
    assert [line for line in installs if "--require-hashes" not in line and "--no-index" not in line] == []
    assert re.findall(r"^COPY (.*)$", FINAL, re.MULTILINE) == ["--from=build /opt/neraca /opt/neraca"]
    assert not re.search(r"\b(?:apt-get|pip install|gcc|ARG)\b", FINAL)
    assert int(re.findall(r"^USER (\d+)$", FINAL, re.MULTILINE)[-1]) > 0
    assert re.findall(r"^ENTRYPOINT (.*)$", FINAL, re.MULTILINE) == ['["neraca"]'], "a command is the program's own"
    pins = set(re.findall(r"^([a-z0-9-]+)==", text_of("requirements-scaled.lock"), re.MULTILINE))
    extras = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]
    requirements = {
        re.split(r"[^\w-]", requirement)[0] for extra in ("kafka", "postgres") for requirement in extras[extra]
    }
    assert requirements <= pins
    assert pins.isdisjoint({"hatchling", "pip", "setuptools", "wheel", "pytest"})
