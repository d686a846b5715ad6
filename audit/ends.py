"""Ends of a replay: a position, an instant of recording, or a position for each partition."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.clock import parse_instant

if TYPE_CHECKING:
    from domain.fold.partition import Vector


class _Recorded(msgspec.Struct):
    recordedtime: str


class Until(msgspec.Struct, frozen=True):
    """The end of a replay; with none of the three it is the end of the journal."""

    position: int | None = None
    instant_us: int | None = None
    vector: Vector | None = None

    def ends_before(self, position: int, line: bytes) -> bool:
        """True if the line at a position lies beyond the end."""
        if self.instant_us is not None:
            return parse_instant(msgspec.json.decode(line, type=_Recorded).recordedtime) > self.instant_us
        last = self.vector.last if self.vector is not None else self.position
        return last is not None and position > last
