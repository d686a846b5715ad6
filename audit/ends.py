"""Ends of a replay: a position, an instant of recording, or a position for each partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from domain.clock import parse_instant
from domain.fold.partition import dinas_of, partition_of

if TYPE_CHECKING:
    from domain.events.entries import AnyEntry


class Vector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far each partition and the rulebook are folded, as ``/v1/digest`` gives it where they are folded apart."""

    partitions: Annotated[tuple[int, ...], msgspec.Meta(min_length=1)]
    rulebook: int

    @property
    def position(self) -> int:
        """The least of them: up to here everything is folded."""
        return min(*self.partitions, self.rulebook)

    @property
    def last(self) -> int:
        """The greatest of them: beyond it nothing is folded."""
        return max(*self.partitions, self.rulebook)

    def holds(self, position: int, entry: AnyEntry) -> bool:
        """Whether an entry is folded."""
        dinas = dinas_of(entry)
        reached = self.rulebook if dinas is None else self.partitions[partition_of(dinas, len(self.partitions))]
        return position <= reached


class _Recorded(msgspec.Struct):
    recordedtime: str


class Until(msgspec.Struct, frozen=True):
    """The end of a replay; with none of the three it is the end of the journal."""

    position: int | None = None
    instant_us: int | None = None
    vector: Vector | None = None

    def ends_before(self, position: int, line: bytes) -> bool:
        """Whether the line at a position lies beyond the end."""
        if self.instant_us is not None:
            return parse_instant(msgspec.json.decode(line, type=_Recorded).recordedtime) > self.instant_us
        last = self.vector.last if self.vector is not None else self.position
        return last is not None and position > last
