"""Imports a mapped file through the intake, in batches, and reports each refused row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec
from msgspec import Struct

from domain.intake.wire import submission_or_refusal
from domain.refusal import Refusal, stated
from projections.ports import Unavailable
from streams.emitting.client import NotNow
from streams.emitting.sender import Sender
from streams.importing.opening import ReadError
from streams.importing.settling import Settling
from streams.intake.cases import key_holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import tzinfo

    from projections.ports import Grant, Intake
    from streams.emitting.client import Client
    from streams.importing.rows import Row
    from streams.importing.settling import Answers, Event, Name

    Find = Callable[[Sequence[Name]], Mapping[Name, tuple[int, bytes]]]
    """Finds events of the journal by source and id: position and line of each that it holds."""

BATCH: Final = 500
PATIENCE_S: Final = 60.0
"""The time for which an import retries an intake that does not answer."""


class Imported(Struct):
    """The number of rows of a file, by their outcome; ``corrected`` are those accepted rows that are corrections."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0
    skipped: int = 0
    corrected: int = 0

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

    def send(self, events: list[Event]) -> Answers:
        """The number accepted, and the problem of each refused event by its index; the others were duplicates."""
        ...

    def holders(self, names: list[Name]) -> dict[Name, dict[str, Any]] | None:
        """The events that the journal holds of some, as a conflict names them; ``None`` where only ``send`` can tell."""
        ...


class LocalSink:
    """Records a batch in the intake of this process; ``find`` looks into its journal."""

    def __init__(self, intake: Intake, grant: Grant, find: Find) -> None:
        self._intake = intake
        self._grant = grant
        self._find = find

    def holders(self, names: list[Name]) -> dict[Name, dict[str, Any]]:
        """The events that the journal holds of some."""
        return {name: key_holder(*line) for name, line in self._find(names).items()}

    def send(self, events: list[Event]) -> Answers:
        """Record a batch. Raises: ``NotNow`` when nothing was recorded, as on a full disk."""
        try:
            outcomes = self._intake.submit([submission_or_refusal(event) for event in events], self._grant)
        except Unavailable as error:
            raise NotNow(str(error)) from error
        problems = {
            index: problem_of(decision) for index, decision in enumerate(outcomes) if isinstance(decision, Refusal)
        }
        new = sum(not isinstance(decision, Refusal) and not decision.repeated for decision in outcomes)
        return new, problems


def problem_of(refusal: Refusal) -> dict[str, Any]:
    """A refusal in the form of the service's problems."""
    problem: dict[str, Any] = {
        "type": refusal.slug,
        "detail": refusal.detail,
        "errors": [stated(fault) for fault in refusal.faults],
    }
    return problem if refusal.holder is None else problem | {"holder": refusal.holder}


class RemoteSink:
    """Sends a batch over HTTP to an intake elsewhere, and waits for one that does not answer; ``say`` hears that it waits."""

    def __init__(self, client: Client, say: Callable[[str], None] = lambda _text: None) -> None:
        self._sender = Sender(client, say, patience_s=PATIENCE_S)
        self.unpromised = 0

    def holders(self, _names: list[Name]) -> None:
        """Not known without a request."""

    def send(self, events: list[Event]) -> Answers:
        """Send a batch until it is answered. Raises: ``NotNow`` once patience ends; ``NotTaken``."""
        lines = [msgspec.json.encode(event) for event in events]
        position, new, problems = 0, 0, dict[int, dict[str, Any]]()
        while position < len(lines):
            delivery = self._sender.send(lines[position:])
            new += delivery.answer.accepted
            self.unpromised += delivery.answer.unpromised
            problems |= {position + rejection.index: rejection.problem for rejection in delivery.answer.rejected}
            position += delivery.number
        return new, problems


class Importing:
    """The rows of a file on their way to the intake: each is accepted, known already, refused or skipped.

    ``refuse`` hears of each refusal, with its row. With ``correct`` a row that says something else than was recorded
    becomes a correction. ``total`` counts the rows that were answered, whatever ends the import.
    """

    def __init__(self, sink: Sink, refuse: Callable[[Refused], None], zone: tzinfo, *, correct: bool = False) -> None:
        self.total = Imported()
        self._refuse = refuse
        self._settling = Settling(sink.send, sink.holders, zone, correct=correct)
        self._batch: list[Row] = []

    def run(self, rows: Iterable[Row], progress: Callable[[int], None]) -> None:
        """Send all rows; if reading breaks off, those that were read before. Raises: all that reading and sending raise."""
        try:
            for row in rows:
                self._take(row)
                if len(self._batch) >= BATCH:
                    self._flush()
                    progress(row.number)
        except ReadError:
            self._flush()
            raise
        self._flush()

    def _take(self, row: Row) -> None:
        if row.event is not None:
            self._batch.append(row)
        elif row.skipped is not None:
            self.total.skipped += 1
        else:
            self.total.refused += 1
            self._refuse(Refused(row.number, row.refusal or "cannot be mapped"))

    def _flush(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        outcome = self._settling.settle(batch)
        total = self.total
        total.accepted += outcome.accepted
        total.corrected += outcome.corrected
        total.refused += len(outcome.problems)
        total.duplicates += len(batch) - outcome.accepted - len(outcome.problems)
        for index, problem in sorted(outcome.problems.items()):
            self._refuse(Refused(batch[index].number, str(problem.get("detail", "")), problem))
