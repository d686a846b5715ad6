"""The outcome of a batch of rows: those that say nothing new are duplicates, those that say something else are refused.

The intake compares events as they are spelt, under their names. Here a row is compared with what the journal holds of the same
thing: under the id that the former version gave it, under the holder of its natural key, and in other spellings of its
instants. With ``correct`` a row that says something else is recorded as a correction of the event in force.
"""

from __future__ import annotations

import hashlib
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from domain.clock import moment_of, parse_instant, stored_instant
from domain.events.names import type_of
from streams.importing.fields import is_moment
from streams.importing.moments import written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo

    from streams.importing.moments import OpenDay
    from streams.importing.rows import Row

    Event = dict[str, Any]
    Name = tuple[str, str]
    """An event by its source and its id."""
    Answers = tuple[int, dict[int, dict[str, Any]]]
    """The number of events accepted, and the problem of each refused one by its index."""

_FAR: Final = "9999-12-30T00:00:00Z"
"""A time at which nothing is accepted: an event at it is a question, answered by what the journal holds of its name."""
_CHAIN_MOST: Final = 50
"""The most corrections of one fact that are followed."""
_HELD: Final = frozenset({"content-conflict", "natural-key-held"})
_OTHERWISE: Final = "was recorded before and says something else"
_REMEDY: Final = "; --correct records this row as a correction"
_GONE: Final = "was recorded before and then retracted"
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


class Settled(Struct):
    """The outcome of a batch: corrections among those accepted, and the problem of each refused row by its index."""

    accepted: int = 0
    corrected: int = 0
    problems: dict[int, dict[str, Any]] = {}


class _Conflict(Struct):
    """A row whose thing is in the journal already, under the name of ``holder``."""

    row: Event
    """The event as its row states it, by which a correction is known again."""
    event: Event
    """The same; a day that its row leaves open is the holder's instant, where that lies on it."""
    problem: dict[str, Any]
    holder: dict[str, Any]
    day: OpenDay | None = None
    in_force: bool = False
    moved: bool = False
    """True once a correction or a retraction was found in the place of the first holder."""
    gone: bool = False


class Settling:
    """Settles batches through ``send``, a few requests for each batch, however many rows are in conflict.

    ``holders`` looks events up by their names, where that can be done without a request; otherwise ``None``.
    """

    def __init__(
        self,
        send: Callable[[list[Event]], Answers],
        holders: Callable[[list[Name]], dict[Name, dict[str, Any]] | None],
        zone: tzinfo,
        *,
        correct: bool,
    ) -> None:
        self._send = send
        self._holders = holders
        self._correct = correct
        self._spellings: tuple[Callable[[Event], Event], ...] = (
            _as_is,
            partial(_respelt, zone=zone, zulu=False),
            partial(_respelt, zone=UTC, zulu=False),
            partial(_respelt, zone=UTC, zulu=True),
        )

    def settle(self, rows: Sequence[Row]) -> Settled:
        """Record the rows that are new."""
        problems_before = self._known_before(rows)
        fresh = [index for index in range(len(rows)) if index not in problems_before]
        count, answers = self._record([_event(rows[index]) for index in fresh], [rows[at].day for at in fresh])
        problems = problems_before | {fresh[index]: problem for index, problem in answers.items()}
        outcome = Settled(count)
        conflicts = dict[int, _Conflict]()
        for index, problem in problems.items():
            holder = problem.get("holder")
            if _slug(problem) in _HELD and holder:
                conflicts[index] = _conflict(rows[index], problem, holder)
            else:
                outcome.problems[index] = problem
        self._resolve(conflicts, outcome)
        return outcome

    def _ask(self, events: list[Event]) -> Answers:
        return self._send(events) if events else (0, {})

    def _record(self, events: list[Event], days: Sequence[OpenDay | None]) -> Answers:
        """Record events; one that is refused since its day began too early is sent again from the earliest instant on."""
        count, answers = self._ask(events)
        again = {
            at: later
            for at, problem in answers.items()
            if (day := days[at]) is not None and (later := _later(events[at], day, problem)) is not None
        }
        more, answers_again = self._ask(list(again.values()))
        places = list(again)
        answers = {at: problem for at, problem in answers.items() if at not in again}
        return count + more, answers | {places[at]: problem for at, problem in answers_again.items()}

    def _known_before(self, rows: Sequence[Row]) -> dict[int, dict[str, Any]]:
        """The rows that the journal holds under the ids of the former version, with the conflict of each."""
        inquiry = [index for index, row in enumerate(rows) if row.former is not None]
        names = [(str(_event(rows[index])["source"]), str(rows[index].former)) for index in inquiry]
        holders = self._holders(names) if names else {}
        if holders is not None:
            return {
                index: {"type": "content-conflict", "holder": holders[name]}
                for index, name in zip(inquiry, names, strict=True)
                if name in holders
            }
        questions = [_event(rows[index]) | {"id": rows[index].former, "time": _FAR} for index in inquiry]
        _, answers = self._ask(questions)
        return {inquiry[at]: answer for at, answer in answers.items() if _slug(answer) == "content-conflict"}

    def _resolve(self, conflicts: dict[int, _Conflict], outcome: Settled) -> None:
        for spelling in self._spellings:
            self._drop_repeats(conflicts, spelling)
        self._find_ends(conflicts)
        for index in [index for index, case in conflicts.items() if _is_ours(case)]:
            del conflicts[index]
        correctable = {index: case for index, case in conflicts.items() if case.in_force}
        if self._correct and correctable:
            cases = list(correctable.values())
            count, answers = self._record([_correction(case) for case in cases], [case.day for case in cases])
            outcome.accepted += count
            outcome.corrected += count
            places = list(correctable)
            outcome.problems |= {places[at]: problem for at, problem in answers.items()}
            conflicts = {index: case for index, case in conflicts.items() if index not in correctable}
        outcome.problems |= {index: _refusal(case) for index, case in conflicts.items()}

    def _drop_repeats(self, conflicts: dict[int, _Conflict], spelling: Callable[[Event], Event]) -> None:
        """Drop the rows that the journal holds, word for word, under the name of their holder."""
        if not conflicts:
            return
        places = list(conflicts)
        events = [spelling(case.event) | _name(case.holder) for case in conflicts.values()]
        _, answers = self._ask(events)
        for at, index in enumerate(places):
            if at not in answers:
                del conflicts[index]

    def _find_ends(self, conflicts: Mapping[int, _Conflict]) -> None:
        """Follow each holder through its corrections to the event in force."""
        inquiry = list(conflicts.values())
        for _ in range(_CHAIN_MOST):
            _, answers = self._ask([_question(case) for case in inquiry])
            following = list[_Conflict]()
            for at, answer in answers.items():
                case, holder = inquiry[at], answer.get("holder")
                if _slug(answer) == "already-reversed" and holder:
                    case.holder, case.moved = holder, True
                    following.append(case)
                elif _slug(answer) == "invalid-event":
                    pointers = {error.get("pointer") for error in answer.get("errors", ())}
                    case.gone = "/data/event" in pointers and case.moved
                    case.in_force = "/data/event" not in pointers
            inquiry = following


def _event(row: Row) -> Event:
    """The event of a row; rows without one are not settled."""
    return row.event or {}


def _slug(problem: Mapping[str, Any]) -> str:
    """The last part of a problem's type, which the service writes as a URN."""
    return str(problem.get("type", "")).rpartition(":")[2]


def _name(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": holder["source"], "id": holder["id"]}


def _content(event: Event) -> str:
    """A short hash of what a row says, its instants as numbers."""
    data = {name: _number(name, value) for name, value in event["data"].items()}
    return hashlib.sha256(_ENCODE([event["type"], data])).hexdigest()[:24]


def _number(name: str, value: object) -> object:
    return parse_instant(value) if is_moment(name) and isinstance(value, str) else value


def _conflict(row: Row, problem: dict[str, Any], holder: dict[str, Any]) -> _Conflict:
    """The conflict of a row. A day that the row leaves open is at the instant that was recorded, if it lies on that day."""
    event = _event(row)
    text = str(holder.get("time", ""))
    is_on_day = row.day is not None and text != "" and row.day.text_at(stored_instant(text)) is not None
    on_its_day = _moved(event, row.day.field, text) if row.day is not None and is_on_day else event
    return _Conflict(event, on_its_day, problem, holder, row.day)


def _later(event: Event, day: OpenDay, problem: Mapping[str, Any]) -> Event | None:
    """An event whose day began too early, from the earliest instant on; ``None`` if that lies on another day."""
    for error in problem.get("errors", ()):
        if "earliest" in error and str(error["pointer"]).rpartition("/")[2] == day.field:
            text = day.text_at(parse_instant(error["earliest"]))
            return None if text is None else _moved(event, day.field, text)
    return None


def _moved(event: Event, field: str, text: str) -> Event:
    """An event, or the replacement of a correction, with another instant in a field, and in its time if that is the same."""
    data = event["data"]
    if "replacement" in data:
        return event | {"data": data | {"replacement": data["replacement"] | {field: text}}}
    time = text if event["time"] == data[field] else event["time"]
    return event | {"time": time, "data": data | {field: text}}


def _correction(conflict: _Conflict) -> Event:
    """The correction that puts a row in the place of the event in force. Its id begins with the hash of what it says."""
    event, holder = conflict.event, _name(conflict.holder)
    target = hashlib.sha256(_ENCODE(holder)).hexdigest()[:8]
    return {
        "specversion": "1.0",
        "type": type_of("event-corrected"),
        "source": event["source"],
        "id": f"{_content(conflict.row)}-{target}",
        "time": event["time"],
        "data": {"event": holder, "reason": "import", "replacement": event["data"]},
    }


def _question(conflict: _Conflict) -> Event:
    """A correction without a replacement, which nothing accepts: its refusal says whether the event is still in force."""
    correction = _correction(conflict)
    return correction | {"id": f"{correction['id']}-?", "data": correction["data"] | {"replacement": {}}}


def _is_ours(conflict: _Conflict) -> bool:
    """True if the event in force is a correction that an import made of this very row."""
    event, holder = conflict.row, conflict.holder
    return bool(holder["source"] == event["source"] and str(holder["id"]).startswith(f"{_content(event)}-"))


def _refusal(conflict: _Conflict) -> dict[str, Any]:
    position = conflict.holder.get("position")
    detail = f"{_GONE if conflict.gone else _OTHERWISE} (position {position})"
    return conflict.problem | {"detail": detail + (_REMEDY if conflict.in_force else "")}


def _respelt(event: Event, *, zone: tzinfo, zulu: bool) -> Event:
    """An event with its instants in a zone; with ``zulu`` an offset of none is written as ``Z``."""
    data = {name: _spelt(value, zone, zulu=zulu) if is_moment(name) else value for name, value in event["data"].items()}
    return event | {"data": data}


def _spelt(text: str, zone: tzinfo, *, zulu: bool) -> str:
    text_again = written(moment_of(parse_instant(text), zone))
    return text_again.replace("+00:00", "Z") if zulu else text_again


def _as_is(event: Event) -> Event:
    return event
