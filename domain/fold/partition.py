"""The partition of an entry, and how far each partition is folded.

A partition is a pure function of the dinas, the same in every process and for all time.
"""

import hashlib
from typing import Annotated, assert_never

import msgspec
from msgspec import Meta, Struct

from domain.events.entries import AnyEntry, CaseNote, Fact, JournalOpened, Reversal, Rule

_Position = Annotated[int, Meta(ge=0)]


def partition_of(dinas: str, partitions: int) -> int:
    """The partition of a dinas: the first eight bytes of the SHA-256 of its UTF-8, big-endian, modulo their number."""
    return int.from_bytes(hashlib.sha256(dinas.encode()).digest()[:8], "big") % partitions


def dinas_of(entry: AnyEntry) -> str | None:
    """The dinas whose partition an entry belongs to, that of the fact for a reversal; ``None`` for the rulebook's."""
    if isinstance(entry, Fact | CaseNote):
        return entry.data.dinas
    if isinstance(entry, Reversal):
        return entry.data.resolved.removes.data.dinas
    if isinstance(entry, Rule | JournalOpened):
        return None
    assert_never(entry)


class Vector(Struct, frozen=True, forbid_unknown_fields=True):
    """The position of each partition and of the rulebook, as ``/v1/digest`` gives it while they are folded apart."""

    partitions: Annotated[tuple[_Position, ...], Meta(min_length=1)]
    rulebook: _Position

    @property
    def position(self) -> int:
        """The least of them: everything up to here is folded."""
        return min(*self.partitions, self.rulebook)

    @property
    def last(self) -> int:
        """The greatest of them: nothing beyond it is folded."""
        return max(*self.partitions, self.rulebook)

    def holds(self, position: int, entry: AnyEntry) -> bool:
        """True if an entry is folded."""
        dinas = dinas_of(entry)
        position_folded = self.rulebook if dinas is None else self.partitions[partition_of(dinas, len(self.partitions))]
        return position <= position_folded


def vector_of(text: str) -> Vector:
    """A vector as JSON. Raises: ``msgspec.DecodeError``."""
    return msgspec.json.decode(text, type=Vector)
