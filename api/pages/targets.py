"""Targets: the page of the file or the task that an event is about. Both may name persons, and are guarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from domain.events.kinds import CASE, KINDS
from domain.intake.recorded import resolved_of

if TYPE_CHECKING:
    from collections.abc import Mapping

RATED = KINDS["satisfaction-rated"].type
TASK = KINDS["task-completed"].type


class Target(Struct, frozen=True):
    """A page: the steps of its address, and its query."""

    steps: tuple[str, ...]
    query: dict[str, str]


def target_of(type_: str, data: Mapping[str, Any], position: int) -> Target | None:
    """The page of the file or the task of an event, or of the fact that it reverses.

    A rating has none: the page of its file would lead to the citizen who rated.
    """
    resolution = resolved_of(data)
    inner = resolution.adds or resolution.removes
    if inner is not None:
        type_, data = inner.type, inner.data
    if type_ == TASK and "asn" in data:
        return Target(("asn", data["asn"], "task"), {"at": str(position)})
    if type_ != RATED and all(name in data for name in CASE):
        return file_target(*(data[name] for name in CASE))
    return None


def file_target(dinas: str, service: str, case: str) -> Target:
    """The page of a file."""
    return Target(("dinas", dinas, "file"), {"service": service, "case": case})
