"""The course of a file or of a task, step by step: its facts, its pauses, and every correction and retraction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from api.pages.sentences import took, what
from api.pages.tables import Table
from domain.clock import parse_instant, stored_instant
from domain.events.kinds import FACT_TYPES, KINDS, NOTE_TYPES, REVERSAL_TYPES
from domain.intake.judged import DECIDED, TASK
from projections.reading.course import RECEIVED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from api.pages.words import Words
    from domain.intake.recorded import EffectiveFact, Recorded
    from projections.reading.course import Course

PAUSED = KINDS["permit-paused"].type
_DONE = {RECEIVED: "received_at", DECIDED: "completed_at", TASK: "completed_at"}
"""The field that holds the instant of each kind of fact."""


class Step(Struct, frozen=True):
    """A step of a course. ``length`` is that of a pause, or the service time; ``is_retracted`` is true of what was taken out."""

    at_us: int
    at: str
    instant: str
    what: str
    note: str
    length: str
    position: int
    is_retracted: bool


def steps_of_case(course: Course, words: Words, now_us: int) -> tuple[Step, ...]:
    """The steps of a case in the order in which they happened; the pauses that its decision states are among them."""
    lengths, promise_us = _pause_lengths(course, now_us), _promise_us(course)
    pending = course.decision is None
    steps = [*_steps_of_facts(course, words)]
    for position, event in course.entries:
        if event.type not in NOTE_TYPES:
            continue
        at_us, text, length = stored_instant(event.data["at"]), words("file.resumed"), ""
        if event.type == PAUSED:
            text = words("file.paused", reason=words.named("pause", event.data["reason"]))
            if at_us in lengths:
                length_us, end_noted = lengths[at_us]
                length = _pause(length_us, promise_us, words)
                length = words("file.stands", length=length) if pending and not end_noted else length
        steps.append(_step(at_us, text, words, position, length=length))
    return _ordered([*steps, *_from_decision(course, promise_us, words)])


def steps_of_task(course: Course, words: Words) -> tuple[Step, ...]:
    """The steps of a task: that it was assigned and done, and every correction and retraction."""
    steps = [*_steps_of_facts(course, words)]
    task = course.last(TASK)
    if task is not None and "assigned_at" in task.fact.data:
        at_us = stored_instant(task.fact.data["assigned_at"])
        steps.append(_step(at_us, words("task.assigned"), words, task.position))
    return _ordered(steps)


def course_table(steps: Sequence[Step], words: Words) -> Table:
    """The steps, for a spreadsheet."""
    names = ("receipt.occurred", "receipt.event", "csv.detail", "file.length", "receipt.position")
    return Table(
        [words(name) for name in names],
        [(step.instant, step.what, step.note, step.length, step.position) for step in steps],
    )


def _step(
    at_us: int, text: str, words: Words, position: int, *, note: str = "", length: str = "", is_retracted: bool = False
) -> Step:
    return Step(
        at_us, words.moment(at_us, short=True), words.sortable(at_us), text, note, length, position, is_retracted
    )


def _ordered(steps: Sequence[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda step: (step.at_us, step.position)))


def _steps_of_facts(course: Course, words: Words) -> Iterator[Step]:
    """A step for each fact, in force or not, and one for each reversal, with its reason and the token that sent it."""
    standing = {event.position for event in course.standing}
    for position, event in course.entries:
        stated_fact = event.fact if event.type in FACT_TYPES or event.resolved.adds is not None else None
        if event.type in REVERSAL_TYPES:
            yield _reversal(position, event, words)
        if stated_fact is not None:
            yield _fact(position, stated_fact, words, is_retracted=position not in standing)


def _fact(position: int, fact: EffectiveFact, words: Words, *, is_retracted: bool) -> Step:
    at_us = stored_instant(fact.data[_DONE[fact.type]])
    text, length = what(fact.type, fact.data, words), ""
    if fact.type == RECEIVED:
        text = words("file.received")
    elif fact.type == DECIDED:
        text = words("file.decided", outcome=words.named("outcome", fact.data.get("outcome", "issued")))
        values = fact.resolved
        length = "" if values.elapsed_us is None else took(values.elapsed_us, values.promise_us, words)
    return _step(
        at_us,
        text,
        words,
        position,
        note=words("file.gone") if is_retracted else "",
        length=length,
        is_retracted=is_retracted,
    )


def _reversal(position: int, event: Recorded, words: Words) -> Step:
    note = words("file.reversed", reason=_reason(event.data, words), by=event.recordedby)
    return _step(parse_instant(event.recordedtime), what(event.type, event.data, words), words, position, note=note)


def _reason(data: Mapping[str, Any], words: Words) -> str:
    return words("receipt.reason", reason=data["reason"])


def _promise_us(course: Course) -> int | None:
    """The standard that was promised, in whose unit the lengths of a case are written; none if no standard was."""
    if course.decision is not None:
        values = course.decision.fact.resolved
        return values.promise_us if values.due_us is None else None
    standard = None if course.receipt is None else course.receipt.fact.resolved.standard
    return None if standard is None else standard.us


def _pause(length_us: int, promise_us: int | None, words: Words) -> str:
    """The length of a pause, in the unit of the promise."""
    return words.span(length_us) if promise_us is None else words.against(length_us, promise_us)


def _pause_lengths(course: Course, now_us: int) -> dict[int, tuple[int, bool]]:
    """The length of each pause that a note began, by the instant of its beginning, and whether a note ended it.

    A pause that no note ended lasts until the decision, else until now.
    """
    notes = [(stored_instant(e.data["at"]), e.type == PAUSED) for _, e in course.entries if e.type in NOTE_TYPES]
    lengths: dict[int, tuple[int, bool]] = {}
    running: int | None = None
    for at_us, begins in sorted(notes):
        if begins and running is None:
            running = at_us
        elif not begins and running is not None:
            lengths[running] = at_us - running, True
            running = None
    if running is not None:
        decision = course.decision
        until_us = now_us if decision is None else stored_instant(decision.fact.data["completed_at"])
        lengths[running] = max(until_us - running, 0), False
    return lengths


def _from_decision(course: Course, promise_us: int | None, words: Words) -> Iterator[Step]:
    """The receipt and the pauses that only the decision states."""
    decision = course.decision
    if decision is None:
        return
    values = decision.fact.resolved
    if course.receipt is None and values.received_us is not None:
        yield _step(values.received_us, words("file.received"), words, decision.position)
    if "pauses" not in decision.fact.data:
        return
    for began_us, ended_us, reason in values.pauses:
        text = words("file.paused", reason=words.named("pause", reason))
        yield _step(began_us, text, words, decision.position, length=_pause(ended_us - began_us, promise_us, words))
        yield _step(ended_us, words("file.resumed"), words, decision.position)
