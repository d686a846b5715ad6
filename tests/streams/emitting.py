"""`neraca emit` in this process, on an outbox of a test."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from neraca.__main__ import main
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TASK: Final = {"dinas": "d", "asn": "a", "completed_at": "2026-11-24T10:00:00+07:00"}


class Emit:
    """Runs `neraca emit` on a counter's outbox."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._directory = directory
        self._capsys = capsys
        self.said = ""

    def __call__(self, lines: list[bytes] | None, *options: str, outbox: str = "a.sqlite") -> tuple[str, int]:
        """The last line, and the exit code; nothing is read where there are no lines."""
        file = self._directory / "events.ndjson"
        file.write_bytes(b"".join(line + b"\n" for line in lines or []))
        code = main(
            ["emit", *([] if lines is None else [str(file)]), "--outbox", str(self._directory / outbox), *options]
        )
        output = self._capsys.readouterr()
        self.said = output.err
        return output.out.strip(), code


def task(name: str, **data: object) -> bytes:
    """A task as a line."""
    return json.dumps(event("task-completed", name, {**TASK, "task": name, **data})).encode()


def recorded(neraca: Assembled) -> list[str]:
    """The ids in the journal, in order, without its opening."""
    return [json.loads(line)["id"] for _, line in neraca.journal.lines(1, 100_000)]
