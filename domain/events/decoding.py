"""Decoding of stored lines in order: the first one that this version cannot read stops the reader, and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.events.entries import DECODER, AnyEntry

if TYPE_CHECKING:
    from collections.abc import Sequence


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
    except msgspec.DecodeError as error:
        message = f"position {lines[len(entries)][0]}: this version cannot read the entry there: {error}"
        raise UnknownEntry(message) from error
    return entries


def decoded(lines: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes, AnyEntry]]:
    """Positions, lines and their decoded entries, in order. Raises: ``UnknownEntry``, naming the position."""
    return [(position, line, entry) for (position, line), entry in zip(lines, entries_of(lines), strict=True)]
