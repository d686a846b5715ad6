"""A Neraca into which tests import files, in this process or over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.importing.rows import Mapping, read_rows
from streams.importing.sending import Importing, Refused, Sink
from tests.serving import ZONE, Assembled

if TYPE_CHECKING:
    from pathlib import Path


class City:
    """A Neraca into which files are imported, by one of the two ways."""

    def __init__(self, neraca: Assembled, sink: Sink, folder: Path) -> None:
        self.neraca = neraca
        self.sink = sink
        self.folder = folder
        self.refused: list[Refused] = []

    def take(self, toml: str, content: str, *, correct: bool = False) -> str:
        (self.folder / "m.toml").write_text(toml, encoding="utf-8")
        (self.folder / "rows.csv").write_text(content, encoding="utf-8")
        self.refused.clear()
        rows = read_rows(self.folder / "rows.csv", Mapping.load(self.folder / "m.toml", {}), ZONE)
        importing = Importing(self.sink, self.refused.append, ZoneInfo(ZONE), correct=correct)
        importing.run(rows, lambda _number: None)
        return str(importing.total)

    def counts(self) -> dict[str, Any]:
        self.neraca.settle()
        tally: dict[str, Any] = self.neraca.get("/v1/dinas/d?period=2026-03").json()["counts"]
        return tally


def outcome(new: int = 0, duplicates: int = 0, refusals: int = 0) -> str:
    return f"accepted={new} duplicates={duplicates} refused={refusals} skipped=0"
