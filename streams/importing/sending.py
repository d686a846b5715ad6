"""Imports a mapped file through the intake, in batches, and reports each refused row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from domain.intake.wire import submission_or_refusal
from domain.refusal import Refusal
from streams.emitting.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from projections.ports import Grant, Intake
    from streams.emitting.client import Client
    from streams.importing.rows import Row

BATCH: Final = 500
PATIENCE_S: Final = 60.0
"""The time for which an import retries an intake that does not answer."""


class Imported(Struct):
    """The number of rows of a file, by their outcome."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        """The last line of an import."""
        return f"accepted={self.accepted} duplicates={self.duplicates} refused={self.refused} skipped={self.skipped}"


class Refused(Struct):
    """A row that was not recorded, and why."""

    row: int
    detail: str
    problem: dict[str, Any] | None = None


class Sink(Protocol):
    """The receiver of a batch of events."""

    def send(self, events: list[dict[str, Any]]) -> tuple[int, int, dict[int, Refused]]:
        """The number accepted, the number of duplicates, and the refusals by index."""
        ...


class LocalSink:
    """Records a batch in the intake of this process."""

    def __init__(self, intake: Intake, grant: Grant) -> None:
        self._intake = intake
        self._grant = grant

    def send(self, events: list[dict[str, Any]]) -> tuple[int, int, dict[int, Refused]]:
        """Record a batch."""
        outcomes = self._intake.submit([submission_or_refusal(event) for event in events], self._grant)
        refused = {
            index: Refused(
                0,
                outcome.detail,
                {"type": outcome.slug, "errors": [{"pointer": f.pointer, "detail": f.detail} for f in outcome.faults]},
            )
            for index, outcome in enumerate(outcomes)
            if isinstance(outcome, Refusal)
        }
        repeated = sum(not isinstance(outcome, Refusal) and outcome.repeated for outcome in outcomes)
        return len(outcomes) - len(refused) - repeated, repeated, refused


class RemoteSink:
    """Sends a batch over HTTP to an intake elsewhere, and waits for one that does not answer."""

    def __init__(self, client: Client, say: Callable[[str], None]) -> None:
        self._sender = Sender(client, say, patience_s=PATIENCE_S)

    def send(self, events: list[dict[str, Any]]) -> tuple[int, int, dict[int, Refused]]:
        """Send a batch until it is answered. Raises: ``NotNow`` once patience ends; ``NotTaken``."""
        lines = [msgspec.json.encode(event) for event in events]
        done, accepted, duplicates, refused = 0, 0, 0, dict[int, Refused]()
        while done < len(lines):
            delivered = self._sender.send(lines[done:])
            answer = delivered.answer
            accepted, duplicates = accepted + answer.accepted, duplicates + answer.duplicates
            for one in answer.rejected:
                refused[done + one.index] = Refused(0, str(one.problem.get("detail")), one.problem)
            done += delivered.number
        return accepted, duplicates, refused


def import_rows(
    rows: Iterable[Row], sink: Sink, refuse: Callable[[Refused], None], progress: Callable[[int], None]
) -> Imported:
    """Every row is accepted, known already, refused or skipped; ``refuse`` hears of each refusal, with its row."""
    total, batch = Imported(), list[tuple[int, dict[str, Any]]]()
    for row in rows:
        if row.event is not None:
            batch.append((row.number, row.event))
        elif row.skipped is not None:
            total.skipped += 1
        else:
            total.refused += 1
            refuse(Refused(row.number, row.refusal or "cannot be mapped"))
        if len(batch) >= BATCH:
            _flush(batch, sink, refuse, total)
            progress(row.number)
    _flush(batch, sink, refuse, total)
    return total


def _flush(
    batch: list[tuple[int, dict[str, Any]]], sink: Sink, refuse: Callable[[Refused], None], total: Imported
) -> None:
    if not batch:
        return
    accepted, duplicates, refused = sink.send([event for _, event in batch])
    total.accepted += accepted
    total.duplicates += duplicates
    total.refused += len(refused)
    for index, refusal in sorted(refused.items()):
        refuse(msgspec.structs.replace(refusal, row=batch[index][0]))
    batch.clear()
