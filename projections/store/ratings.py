"""The ratings of dinas's months as stored: the runs that wait, the published sums, and a row for each published block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from domain.fold.blocks import Block
from domain.fold.cells import MonthState, Waiting
from domain.fold.disclosed import Month
from domain.fold.ledger import add, zero
from domain.fold.ratings import RATING_KINDS, MonthKey, changes_of_ratings, follow
from projections.store.vectors import measures_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import tzinfo

    from sqlalchemy import Connection

    from domain.events.entries import AnyEntry
    from domain.fold.cells import Change
    from projections.store.statements import Tools

Changes = dict[MonthKey, list[tuple[str, "Change"]]]
"""The effects of entries on the ratings of each dinas's month: the time of recording and the change, in order of position."""
_ENCODER: Final = msgspec.msgpack.Encoder()
_STATE: Final = msgspec.msgpack.Decoder(MonthState)
_BLOCK: Final = msgspec.msgpack.Decoder(Block)
_NONE: Final[tuple[str, MonthState | None]] = ("{}", None)
_TAKEN_OUT: Final = b""
"""The row of a block that was taken out."""


class StoredMonth(NamedTuple):
    """A dinas's month of ratings as stored: the published sum, what waits, and what waited when its last day began."""

    dinas: str
    month: str
    measures: str
    ratings: int
    reversals: int
    day: str
    ratings_then: int
    reversals_then: int
    closed: int
    changes: int
    state: bytes

    @property
    def now(self) -> Waiting:
        """The numbers that wait after the newest change."""
        return Waiting(self.ratings, self.reversals)

    @property
    def then(self) -> Waiting:
        """The numbers that waited at the midnight before the newest change."""
        return Waiting(self.ratings_then, self.reversals_then)


def state_of_month(state: bytes) -> MonthState:
    """A stored state. Raises: ``msgspec.ValidationError``."""
    return _STATE.decode(state)


def blocks_of(rows: Iterable[bytes]) -> list[Block]:
    """Stored blocks, without those that were taken out."""
    return [_BLOCK.decode(row) for row in rows if row != _TAKEN_OUT]


def rating_changes(fresh: Sequence[tuple[int, bytes, AnyEntry]]) -> Changes:
    """The effects of entries on ratings, by dinas and month."""
    changes: Changes = {}
    for _, _, entry in fresh:
        if type(entry) in RATING_KINDS:
            for key, change in changes_of_ratings(entry):
                changes.setdefault(key, []).append((entry.recordedtime, change))  # type: ignore[union-attr] # by its kind
    return changes


class RatingFold:
    """The ratings of one fold: it asks for the rows that changes touch, and writes them once they have come."""

    def __init__(self, db: Connection, tools: Tools, changes: Changes) -> None:
        self._db = db
        self._tools = tools
        self._changes = changes
        keys = sorted(changes)
        reversed_in = [key for key in keys if any(change.sign < 0 for _, change in changes[key])]
        self._rows: Callable[[], Iterable[Any]] = tools.ratings.ask(db, keys)
        self._block_rows: Callable[[], Iterable[Any]] = tools.blocks.ask(db, reversed_in)

    def put(self, zone: tzinfo) -> None:
        """Add the changes, in their order, to what is stored."""
        rows = {(row[0], row[1]): (row[2], state_of_month(row[3])) for row in self._rows()}
        blocks: dict[MonthKey, list[bytes]] = {}
        for row in self._block_rows():
            blocks.setdefault((row[0], row[1]), []).append(row[2])
        months, fresh_blocks = list[tuple[Any, ...]](), list[tuple[Any, ...]]()
        for key, changes in sorted(self._changes.items()):
            measures, state = rows.get(key, _NONE)
            month = Month(state, blocks_of(blocks.get(key, ())))
            for at, change in changes:
                follow(month, key[1], change, at, zone)
            months.append(_row(key, month, measures))
            fresh_blocks += [
                (*key, service, int(is_tap), number, _TAKEN_OUT if block is None else _ENCODER.encode(block))
                for (service, is_tap, number), block in sorted(month.moved.items())
            ]
        self._tools.put_ratings.run(self._db, months)
        self._tools.put_blocks.run(self._db, fresh_blocks)


def _row(key: MonthKey, month: Month, measures: str) -> StoredMonth:
    """A month as stored; ``measures`` are those it had, which only a block changes, or a reversal that waits."""
    state, waiting = month.state, month.waiting()
    if month.moved:
        balance = zero()
        add(balance, month.published())
        measures = measures_of(balance)
    return StoredMonth(
        *key,
        measures,
        waiting.ratings,
        waiting.reversals,
        state.day,
        state.then.ratings,
        state.then.reversals,
        int(state.closed),
        state.changes,
        _ENCODER.encode(state),
    )
