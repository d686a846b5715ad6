"""What was recorded last, for the board: unit, service and kind. Never a person, a case, or a single answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from api.pages.drawing import name_of
from api.pages.subject.receipt import what
from domain.clock import parse_instant
from domain.events.kinds import FACT_TYPES, REVERSAL_TYPES
from domain.intake.recorded import read_line, resolved_of

if TYPE_CHECKING:
    from api.pages.words import Words
    from projections.ports import Lines
    from projections.reading.reader import Snapshot

SHOWN: Final = 8
LOOKED_AT: Final = 64
"""Rules and other entries that no citizen waits for are passed over, but not for long."""
TYPES: Final = FACT_TYPES | REVERSAL_TYPES


class Item(Struct, frozen=True):
    """One entry of the feed. ``late`` is true past the promise, false within it, and nothing where there is none."""

    position: int
    clock: str
    instant: str
    dinas: str
    name: str
    what: str
    detail: str
    late: bool | None


def feed(snapshot: Snapshot, lines: Lines, words: Words) -> tuple[Item, ...]:
    """The last facts and reversals up to a reading's position, the newest first."""
    start = max(0, snapshot.position - LOOKED_AT)
    found = []
    for position, line in reversed(lines.lines(start, LOOKED_AT, snapshot.position)):
        event = read_line(line)
        if event.type in TYPES:
            found.append(_item(snapshot, position, event.type, event.data, event.recordedtime, words))
        if len(found) == SHOWN:
            break
    return tuple(found)


def _item(snapshot: Snapshot, position: int, type_: str, data: dict[str, Any], recorded: str, words: Words) -> Item:
    fact = resolved_of(data).adds or resolved_of(data).removes
    said = data if fact is None else fact.data
    resolved = resolved_of(said)
    judged, took, promise = resolved.on_time, resolved.elapsed_us, resolved.promise_us
    details = [said.get("service") or ""]
    if took is not None:
        key = "receipt.took_plain" if promise is None else "receipt.took"
        details.append(words(key, elapsed=words.duration(took), promise=words.duration(max(promise or 0, 0))))
    at_us = parse_instant(recorded)
    return Item(
        position, words.clock(at_us), recorded, said["dinas"], name_of(snapshot, said["dinas"]),
        what(type_, data, words), " · ".join(filter(None, details)), None if judged is None else not judged,
    )  # fmt: skip
