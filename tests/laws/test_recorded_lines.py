"""The law of recorded lines: what the intake recorded passes the check of every reader, and what a hand changed does not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.events.decoding import ChangedEntry
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
    for path, fact in _facts(event):
        yield from ((f"{path} {name}", _with(event, path, name, value)) for name, value in _resolved_changes(fact))
    if "adds" in resolution:
        yield "a correction of something else", _with(event, "adds", "month", "1999-01")


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
