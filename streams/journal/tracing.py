"""Tracing in the journal: every entry about the file of one case, and the reversals of a fact.

Natural keys, notes of cases and the index of rare entries find them; no run of the journal is scanned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from domain.events.kinds import CASE, DECISION, KINDS, NOTES, RECEIPT, REVERSAL_TYPES, reversed_key
from domain.intake.recorded import Recorded, read_line, stated
from projections.ports import LineSearch
from streams.journal.naming import originator_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from streams.journal.appending import JournalTables, Recorder

AT_ONCE: Final = 1000
"""The most reversals that one query reads."""
RATED: Final = KINDS["satisfaction-rated"].type
Line = tuple[int, bytes]
Name = tuple[str, str]
"""An event by its source and its id."""


def of_case(recorder: Recorder, case: tuple[str, str, str], head: int) -> list[Line]:
    """Every line about the file of one case, in order; its ratings are none.

    The facts in force hold natural keys. A fact that was taken out is named by its reversal, which embeds its data.
    """
    data = dict(zip(CASE, case, strict=True))
    rows = _reversals_about(recorder, data, head)
    with recorder.looking() as tables:
        rows |= {position: line for _, position, line in tables.notes([NOTES.text(data)])}
        rows |= dict(_held(tables, [RECEIPT.text(data), DECISION.text(data)]).values())
        return sorted((rows | _reversed_facts(tables, rows.values())).items())


def course_of(recorder: Recorder, position: int) -> list[Line]:
    """A fact and every reversal of it, in order; none for a position that the journal does not hold."""
    line = recorder.lines_at([position]).get(position)
    if line is None:
        return []
    with recorder.looking() as tables:
        rows = {position: line} | _reversed_facts(tables, [line])
        latest: bytes | None = line
        while latest is not None:
            key = reversed_key(*_name(latest))
            reversal = _held(tables, [key]).get(key)
            rows |= dict([reversal] if reversal is not None else [])
            latest = None if reversal is None else reversal[1]
    return sorted(rows.items())


def events(recorder: Recorder, names: Sequence[Name]) -> dict[Name, Line]:
    """The position and line of each event that the journal holds."""
    originators = {originator_of(*name): name for name in names}
    with recorder.looking() as tables:
        return {originators[key]: (position, line) for key, position, line in tables.events(list(originators))}


def reversed_at(recorder: Recorder, names: Sequence[Name]) -> dict[Name, int]:
    """The position of the reversal of each event that has one."""
    keys = {reversed_key(*name): name for name in names}
    with recorder.looking() as tables:
        return {keys[key]: position for key, (position, _) in _held(tables, list(keys)).items()}


def _held(tables: JournalTables, keys: Sequence[str]) -> dict[str, Line]:
    """The position and line of the event that holds each key."""
    holders = dict(tables.holders(keys)) if keys else {}
    events = {name: (position, line) for name, position, line in tables.events(sorted({*holders.values()}))}
    return {key: events[holder] for key, holder in holders.items()}


def _reversals_about(recorder: Recorder, data: dict[str, str], head: int) -> dict[int, bytes]:
    """Every reversal of a fact about a case, found by its words and then compared."""
    texts = tuple((msgspec.json.encode(text).decode()[1:-1],) for text in data.values())
    search, until, rows = LineSearch(tuple(sorted(REVERSAL_TYPES)), texts), head, dict[int, bytes]()
    while True:
        lines = recorder.newest(search, 0, until, AT_ONCE)
        rows |= {position: line for position, line in lines if _is_about(read_line(line), data)}
        if len(lines) < AT_ONCE:
            return rows
        until = lines[-1][0] - 1


def _is_about(event: Recorded, data: dict[str, str]) -> bool:
    removal = event.resolved.removes
    if removal is None or removal.type == RATED:
        return False
    return any(data.items() <= part.items() for part in stated(event.data))


def _reversed_facts(tables: JournalTables, lines: Iterable[bytes]) -> dict[int, bytes]:
    """The events that reversals name, and those that these name in their turn."""
    rows, names_sought = dict[int, bytes](), _targets(lines)
    while names_sought:
        target = {position: line for _, position, line in tables.events(names_sought)}
        names_sought = _targets(line for position, line in target.items() if position not in rows)
        rows |= target
    return rows


def _targets(lines: Iterable[bytes]) -> list[str]:
    """The originators of the events that some lines reverse."""
    events = (read_line(line) for line in lines)
    target = (event.data["event"] for event in events if event.type in REVERSAL_TYPES)
    return [originator_of(name["source"], name["id"]) for name in target]


def _name(line: bytes) -> Name:
    event = read_line(line)
    return event.source, event.id
