"""A desk for tests of importing: it writes a mapping and a file into a folder, and reads the one by the other."""

import gzip
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from streams.importing.rows import Mapping, Row, read_rows

TASKS = """
kind = "task-completed"
source = "/import/test"
[fields]
dinas = "Dinas"
asn = "Who"
task = "Task"
completed_at = "Done"
due_at = "Due"
"""
HEADER = "Dinas,Who,Task,Done,Due\n"
ROW = "dlh,a-1,t-1,2026-11-24T10:00:00+07:00,\n"


class Desk:
    """Writes a mapping and a file into a folder, and reads the one by the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes: list[str] = []
        """What the import said of the columns it read last."""

    def mapping(self, toml: str = TASKS, **overrides: str) -> Mapping:
        path = self.folder / "mapping.toml"
        path.write_text(toml, encoding="utf-8")
        return Mapping.load(path, overrides)

    def write(self, content: str | bytes, name: str = "rows.csv") -> Path:
        raw = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    def read(
        self,
        content: str | bytes,
        toml: str = TASKS,
        name: str = "rows.csv",
        zone: str = "Asia/Jakarta",
        **overrides: str,
    ) -> list[Row]:
        self.notes.clear()
        return list(read_rows(self.write(content, name), self.mapping(toml, **overrides), zone, self.notes.append))


def ids(rows: Iterable[Row]) -> list[object]:
    return [row.event["id"] for row in rows if row.event is not None]


def data(row: Row) -> dict[str, Any]:
    assert row.event is not None, row
    return msgspec.convert(row.event["data"], dict[str, Any])


def refusal(row: Row) -> str:
    assert row.refusal is not None, row
    assert row.event is None
    assert row.skipped is None
    return row.refusal


def tally(rows: Iterable[Row]) -> dict[str, int]:
    return Counter("event" if row.event else "refused" if row.refusal else "skipped" for row in rows)
