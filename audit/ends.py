"""Ends of a replay: a position, an instant of recording, or a position for each partition."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import msgspec

from domain.clock import parse_instant
from domain.events.decoding import UNREADABLE, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.fold.partition import Vector


class _Recorded(msgspec.Struct):
    recordedtime: str


class Until(msgspec.Struct, frozen=True):
    """The end of a replay; with none of the three it is the end of the journal."""

    position: int | None = None
    instant_us: int | None = None
    vector: Vector | None = None

    def ends_before(self, position: int, line: bytes) -> bool:
        """True if the line at a position lies beyond the end. Raises: ``UnknownEntry`` if it does not say when it was recorded."""
        if self.instant_us is not None:
            try:
                return parse_instant(msgspec.json.decode(line, type=_Recorded).recordedtime) > self.instant_us
            except (*UNREADABLE, ValueError) as error:
                raise unreadable(position, error) from error
        return self._last is not None and position > self._last

    def within(self, lines: Sequence[tuple[int, bytes]]) -> Sequence[tuple[int, bytes]]:
        """Those of some lines in order that come before the first one beyond the end."""
        rising = self.instant_us is None  # positions rise; times of recording do not where a clock was set back
        if not lines or (rising and not self.ends_before(*lines[-1])):
            return lines
        return list(takewhile(lambda line: not self.ends_before(*line), lines))

    @property
    def _last(self) -> int | None:
        return self.vector.last if self.vector is not None else self.position
