"""The last facts recorded, for the board: unit, service and kind. It never tells of a person, a case, or one answer.

The public is told no outcome, and of a cell too small to be shown neither how long a fact took nor whether it was late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from api.pages.sentences import is_late, name_of, took, what
from domain.clock import parse_instant, stored_instant
from domain.events.kinds import FACT_TYPES, REVERSAL_TYPES
from domain.intake.recorded import read_line, resolved_of
from projections.reading.why import is_rating

if TYPE_CHECKING:
    from api.pages.periods import Chosen
    from api.pages.words import Words
    from domain.intake.recorded import Recorded
    from projections.ports import Lines
    from projections.reading.reader import Snapshot

SHOWN: Final = 8
LOOKED_AT: Final = 64
"""The last entries to look through: rules and others that no citizen waits for are passed over, but not for long."""
TYPES: Final = FACT_TYPES | REVERSAL_TYPES


class Item(Struct, frozen=True):
    """One entry of the feed. ``late`` is true past the promise, false within it, and none without one."""

    position: int
    clock: str
    instant: str
    dinas: str
    name: str
    what: str
    detail: str
    late: bool | None


def feed(snapshot: Snapshot, lines: Lines, words: Words, choice: Chosen) -> tuple[Item, ...] | None:
    """The last facts and reversals up to the position of a reading, the newest first; ratings are not among them.

    None beside a period that does not run: what is recorded now does not belong to it.
    """
    if not choice.running:
        return None
    start = max(0, snapshot.position - LOOKED_AT)
    items: list[Item] = []
    for position, line in reversed(lines.stored_lines(start, LOOKED_AT, snapshot.position)):
        event = read_line(line)
        if event.type in TYPES and not is_rating(event):
            items.append(_item(snapshot, position, event, words))
        if len(items) == SHOWN:
            break
    return tuple(items)


def _item(snapshot: Snapshot, position: int, event: Recorded, words: Words) -> Item:
    data, recorded_us, occurred_us = event.data, parse_instant(event.recordedtime), stored_instant(event.time)
    fact = resolved_of(data).adds or resolved_of(data).removes
    content = data if fact is None else fact.data
    outcome = resolved_of(content)
    dinas, service = content["dinas"], content.get("service") or ""
    shows_all = snapshot.shows_all(dinas)
    is_small = not shows_all and bool(outcome.month) and snapshot.is_left_out(dinas, service, outcome.month)
    details = [service]
    if is_late(occurred_us, recorded_us):  # the list is by recording, and its clock too
        details.insert(0, words("feed.occurred", moment=words.moment(occurred_us, short=True)))
    if outcome.elapsed_us is not None and not is_small:
        details.append(took(outcome.elapsed_us, outcome.promise_us, words))
    return Item(
        position,
        words.clock(recorded_us),
        event.recordedtime,
        dinas,
        name_of(snapshot, dinas),
        what(event.type, data, words, outcome=shows_all),
        " · ".join(filter(None, details)),
        None if outcome.on_time is None or is_small else not outcome.on_time,
    )
