"""The examples of the README and the tutorial, run unchanged against a real server."""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.process import Process

ROOT: Final = Path(__file__).parents[2]
README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL: Final = (ROOT / "docs" / "tutorial" / "first-journal.md").read_text(encoding="utf-8")
TESTED: Final = re.compile(r"^<!-- tested -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVED: Final = "http://127.0.0.1:8000"


class Reader:
    """Someone who copies the documents into a shell, in a folder of their own."""

    def __init__(self, process: Process, data: Path, folder: Path) -> None:
        self._served, self._data, self._folder = process, data, folder

    def types(self, block: str) -> list[str]:
        """The lines that a block of commands prints; each command must succeed."""
        neraca = f'neraca() {{ {shlex.quote(sys.executable)} -m neraca "$@"; }}'
        script = f"set -euo pipefail\n{neraca}\n{block.replace(SERVED, self._served.url)}"
        shell = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env={"PATH": "/usr/bin:/bin", "NERACA_DATA": str(self._data)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert shell.returncode == 0, shell.stderr
        return [line for line in re.sub(r"(?<=\})(?=\{)", "\n", shell.stdout).splitlines() if line]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    data = tmp_path / "var"
    with Process(data) as process:
        yield Reader(process, data, tmp_path)


@pytest.mark.speed("test")
def test_the_readme_and_the_tutorial_from_top_to_bottom(reader: Reader) -> None:
    """An event is seen in the ranking, a repeat counts once, the replays come to the served digest, a token is made and ended."""
    (one_event,) = TESTED.findall(README)
    first, counter, proof, tokens = TESTED.findall(TUTORIAL)
    assert first == one_event
    receipt, ranking = map(json.loads, reader.types(first))
    deadline = time.monotonic() + 20
    while ranking["position"] < receipt["position"] and time.monotonic() < deadline:
        tally, ranking = map(json.loads, reader.types(first))  # a script may read before the fold is through
        assert tally == receipt
    assert receipt["position"] == 2
    assert [(card["subject"]["id"], card["counts"]["permits"]) for card in ranking["items"]] == [("disdukcapil", 1)]

    once, again = reader.types(counter)
    assert once.startswith("accepted=2 duplicates=0 refused=0")
    assert again.startswith("accepted=0 duplicates=")

    digest, replay, elsewhere = map(json.loads, reader.types(proof))
    assert (replay["position"], replay["digest"]) == (digest["position"], digest["digest"])
    assert elsewhere == replay

    secret, listing = reader.types(tokens)
    assert len(secret) > 20
    assert listing.startswith("loket-1: counter dinas=disdukcapil sources=/loket/1")


def test_the_real_figures_of_the_readme_are_those_of_the_figures() -> None:
    """One number, one home: the README repeats none that `docs/guides/real-figures.md` does not have."""
    figures = set(re.findall(r"\b\d{1,3},\d{3}\b", README.partition("## Real figures")[2].partition("\n## ")[0]))
    assert figures == figures & set(
        re.findall(r"\b\d{1,3},\d{3}\b", (ROOT / "docs" / "guides" / "real-figures.md").read_text(encoding="utf-8"))
    )
