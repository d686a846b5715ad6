"""Decoding of stored lines in order: the first one that this version cannot read stops the reader, and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from domain.events.entries import decode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from domain.events.entries import AnyEntry


class UnknownEntry(Exception):  # noqa: N818 - a state of the journal, not a fault of the program
    """The journal holds an entry of a kind or form that this version does not know; no reader passes over it."""


def decoded(lines: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes, AnyEntry]]:
    """Positions, lines and their decoded entries, in order. Raises: ``UnknownEntry``, naming the position."""
    entries = []
    for position, line in lines:
        try:
            entries.append((position, line, decode(line)))
        except msgspec.DecodeError as error:
            message = f"position {position}: this version cannot read the entry there: {error}"
            raise UnknownEntry(message) from error
    return entries
