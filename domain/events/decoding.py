"""Decoding of stored lines in order: the first one that this version cannot read stops the reader, and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from domain.events.entries import DECODER, AnyEntry

if TYPE_CHECKING:
    from collections.abc import Sequence

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of a decoder: another form, other bytes than JSON's, and values within values without end."""


class StoppedAtEntry(Exception):  # noqa: N818 - a state of the journal, not a fault of the program
    """An entry stops every reader of the journal; the message names its position."""


class UnknownEntry(StoppedAtEntry):
    """The journal holds an entry of a kind or form that this version does not know; no reader passes over it."""


class ChangedEntry(StoppedAtEntry):
    """The journal holds an entry that is not as it was recorded; no reader passes over it."""


def entries_of(lines: Sequence[tuple[int, bytes]]) -> list[AnyEntry]:
    """The entries that lines at positions hold, in order. Raises: ``UnknownEntry``, naming the position."""
    entries, decode = list[AnyEntry](), DECODER.decode
    try:
        for _, line in lines:
            entries.append(decode(line))
    except UNREADABLE as error:
        raise unreadable(lines[len(entries)][0], error) from error
    return entries


def unreadable(position: int, error: Exception) -> UnknownEntry:
    """The error about a line that cannot be read."""
    return UnknownEntry(f"position {position}: this version cannot read the entry there: {error}")


def decoded(lines: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes, AnyEntry]]:
    """Positions, lines and their decoded entries, in order. Raises: ``UnknownEntry``, naming the position."""
    return [(position, line, entry) for (position, line), entry in zip(lines, entries_of(lines), strict=True)]
