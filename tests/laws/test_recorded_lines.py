"""The law of recorded lines: what the intake recorded passes the check of every reader, and what a hand changed does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from audit.ends import Until
from audit.folded import ReplayError
from audit.replay import PublishedRatings, fold_lines
from domain.events.decoding import ChangedEntry, StoppedAtEntry
from domain.intake.recorded import exported, leaf_of
from domain.intake.resolve import ODD_PROMISE
from domain.intake.unchanged import check, check_exported
from tests.laws.histories import bounded, recorded, steps
from tests.laws.strategies import ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.laws.steps import Step

CITY = ZoneInfo(ZONE)


@bounded(60)
@given(steps(30))
def test_every_recorded_line_passes_by_its_leaf_and_by_its_content(steps: list[Step]) -> None:
    """The service's own corrections, late receipts and odd promises among them."""
    with recorded(steps) as history:
        rows = history.journal._recorder.lines(0, 10_000)
        export = history.export
    check(rows, CITY)
    check([(position, line, None) for position, line, _ in rows], CITY)
    check_exported(export, CITY)
    assert all(leaf == leaf_of(line, position) for position, line, leaf in rows)


@bounded(60)
@given(steps(20), st.integers(0, 10_000))
def test_no_changed_line_passes(steps: list[Step], number: int) -> None:
    """Each value of the data, time, type, hash, and each resolved value that the data decide."""
    with recorded(steps) as history:
        lines = history.lines
    position, line = lines[number % len(lines)]
    for what, content in _changes(json.loads(line)):
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        sentence = f"position {position}: the data are not those that were recorded"
        assert _refusal(lambda text=text: check([(position, text, None)], CITY)) == sentence, f"{what} of {line!r}"  # type: ignore[misc]  # bound at once
        export = exported(text, position) + b"\n"
        assert _refusal(lambda export=export: check_exported(export, CITY)) == sentence, f"{what} of {line!r}"  # type: ignore[misc]  # bound at once


JUNK: Final[tuple[object, ...]] = (
    None,
    True,
    5,
    -1,
    10**30,
    1.5,
    "",
    "x",
    "2026-13-45T25:00:00Z",
    [],
    [[]],
    {},
    {"x": {}},
)
"""Values of every type of JSON, put in the place of each value of a line."""
NO_LINES: Final = (b"", b"\0", b"null", b"[]", b"5", b"{}", b'{"type":5}', b'"\xff"', b"[" * 10_000)


@bounded(40)
@given(steps(20), st.integers(0, 10_000))
def test_a_line_of_any_other_shape_stops_its_readers_by_its_position(steps: list[Step], number: int) -> None:
    """Whatever a hand puts in the place of a value, or takes away: no reader ends by another error."""
    with recorded(steps) as history:
        lines = history.lines
    position, line = lines[number % len(lines)]
    for path, text in _other_shapes(json.loads(line), number):
        refusal = _refusal_of_readers(position, text)
        is_covered = path[0] in {"data", "time", "type", "contenthash"} and "resolved" not in path[:-1]
        assert refusal.startswith(f"position {position}: ") or not (refusal or is_covered), (path, text, refusal)
    for text in (
        *NO_LINES,
        line.replace(b'"data":{', b'"data":{"\xff":0,'),
        line.replace(b'"data":', b'"data":' + b"[" * 9999),
    ):
        assert _refusal_of_readers(position, text).startswith(f"position {position}: "), text[:99]


def _other_shapes(event: dict[str, Any], number: int) -> Iterator[tuple[tuple[str | int, ...], bytes]]:
    """The paths of an event's values, each with the event as it is without that value, and with two others there."""
    for place, (path, value) in enumerate(_values((), event)):
        *parents, name = path
        for junk in (..., JUNK[(number + place) % len(JUNK)], JUNK[(3 * number + place) % len(JUNK)]):
            if junk == value and type(junk) is type(value):
                continue
            content = json.loads(json.dumps(event))
            parent = content
            for step in parents:
                parent = parent[step]
            if junk is ...:
                del parent[name]
            else:
                parent[name] = junk
            yield path, json.dumps(content, separators=(",", ":")).encode()


def _values(path: tuple[str | int, ...], value: object) -> Iterator[tuple[tuple[str | int, ...], object]]:
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in items:
        yield from _values((*path, name), part)


def _refusal_of_readers(position: int, text: bytes) -> str:
    """The sentence with which the readers of a line stop; none if they fold it. Another error is passed on."""
    opening = b'{"type":"neraca.journal-opened.v1","position":1,"data":{"journal":"j","zone":"%b"}}' % ZONE.encode()
    try:
        check([(position, text, None)], CITY)
        Until(instant_us=0).ends_before(position, text)
        visit = PublishedRatings()
        fold_lines([(position - 1, opening), (position, text)], visit=visit)
    except (StoppedAtEntry, ReplayError) as error:
        return str(error)
    return ""


def _refusal(check_it: Callable[[], None]) -> str:
    try:
        check_it()
    except ChangedEntry as error:
        return str(error)
    return "it passes"


def _changes(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "time", {**event, "time": "2026-01-01T00:00:00Z"}
    yield "hash", {**event, "contenthash": "v1:" + "0" * 64}
    yield "no hash", {**event, "contenthash": ""}
    data = event["data"]
    for name, value in data.items():
        if name != "resolved" and isinstance(value, str | int):
            is_instant = name.endswith("_at") or name == "at"
            other = "2026-01-02T00:00:00Z" if is_instant else value + 1 if isinstance(value, int) else f"{value}x"
            yield name, {**event, "data": {**data, name: other}}
    resolution = data.get("resolved", {})
    if resolution:
        yield "no resolved values", {**event, "data": {name: data[name] for name in data if name != "resolved"}}
    for path, fact in _facts(event):
        if path:
            yield from ((f"{path} {what}", _embedding(event, path, content)) for what, content in _other_data(fact))
        yield from ((f"{path} {name}", _with(event, path, name, value)) for name, value in _resolved_changes(fact))
    if "adds" in resolution:
        yield "a correction of something else", _with(event, "adds", "month", "1999-01")


def _other_data(fact: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Data of an embedded fact that no hash covers, and that the service could not have written."""
    yield "without resolved values", {name: value for name, value in fact["data"].items() if name != "resolved"}
    if fact["type"].split(".")[1] == "permit-processed":
        yield "with a pause of nothing", {**fact["data"], "pauses": [{}]}


def _embedding(event: dict[str, Any], path: str, data: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(event))
    content["data"]["resolved"][path]["data"] = data
    return content


def _facts(event: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    resolution = event["data"].get("resolved", {})
    if "month" in resolution:
        yield "", event
    for name in ("removes", "adds"):
        if name in resolution:
            yield name, resolution[name]


def _resolved_changes(fact: dict[str, Any]) -> Iterator[tuple[str, object]]:
    resolution = fact["data"]["resolved"]
    yield "month", "1999-01"
    if "elapsed_us" in resolution:
        yield "elapsed_us", resolution["elapsed_us"] + 1
        yield "promise_us", resolution.get("promise_us", 0) + 1
    if fact["type"].split(".")[1] in ("permit-processed", "task-completed"):
        on_time = resolution.get("on_time")
        if ODD_PROMISE not in resolution.get("flags", ()):
            yield from (("on_time", value) for value in (True, False, None) if value is not on_time)


def _with(event: dict[str, Any], path: str, name: str, value: object) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(event))
    resolution = content["data"]["resolved"]
    (resolution[path]["data"]["resolved"] if path else resolution)[name] = value
    return content
