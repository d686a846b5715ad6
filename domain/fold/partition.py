"""Which partition an entry belongs to: a pure function of its dinas, the same in every process and for all time."""

import hashlib
from typing import assert_never

from domain.events.entries import AnyEntry, CaseNote, Fact, JournalOpened, Reversal, Rule


def partition_of(dinas: str, partitions: int) -> int:
    """The partition of a dinas: the first eight bytes of the SHA-256 of its UTF-8, big-endian, modulo their number."""
    return int.from_bytes(hashlib.sha256(dinas.encode()).digest()[:8], "big") % partitions


def dinas_of(entry: AnyEntry) -> str | None:
    """The dinas whose partition an entry belongs to, of a reversal the one it embeds; ``None`` for what is the rulebook's."""
    if isinstance(entry, Fact | CaseNote):
        return entry.data.dinas
    if isinstance(entry, Reversal):
        return entry.data.resolved.removes.data.dinas
    if isinstance(entry, Rule | JournalOpened):
        return None
    assert_never(entry)
