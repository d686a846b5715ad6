"""The board as drawn at an instant for all who watch it, and the difference between two drawings as messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from msgspec import Struct

from api.pages.board.board import board
from api.pages.board.feed import feed
from api.pages.page import Fragment
from api.pages.periods import choices, choose
from projections.reading.backlog import backlog_of

if TYPE_CHECKING:
    from api.http.disclosure import View
    from api.pages.board.board import Board
    from api.pages.board.feed import Item
    from api.pages.periods import Choices, Chosen
    from api.pages.words import Words
    from api.v1.reads import Reads
    from domain.periods import Period
    from projections.reading.backlog import Backlog
    from projections.reading.version import Version


class Watched(NamedTuple):
    """The board that a page shows: of its period, or of the running month; ``follow`` as for ``periods.choose``."""

    period: Period | None = None
    follow: bool = False


class BoardMoved(Fragment, frozen=True):
    """The part of a board that has moved, by anchors of rows; or the ``whole`` of it, and perhaps the head of its page."""

    template: ClassVar[str] = "moved.html"

    board: Board
    feed: tuple[Item, ...] | None
    chosen: Chosen
    choices: tuple[Choices, ...]
    position: int
    read_us: int
    behind: Backlog | None
    moved: dict[str, str]
    whole: bool
    head: bool


class ReadAt(Fragment, frozen=True):
    """The time of the figures of a board that stands."""

    template: ClassVar[str] = "read.html"

    period: Period
    read_us: int
    behind: Backlog | None


class Drawn(Struct, frozen=True):
    """A board as drawn: the contents of its rows by anchor, without the marks of a move, and the version of the reading.

    After ``until_us`` it is another one though nothing is recorded: a file is overdue, or a month has ended.
    """

    board: Board
    rows: dict[str, object]
    order: tuple[str, ...]
    feed: tuple[Item, ...] | None
    version: Version
    read_us: int
    until_us: int | None
    chosen: Chosen
    choices: tuple[Choices, ...] = ()
    behind: Backlog | None = None

    def moved_since(self, before: Drawn, words: Words) -> BoardMoved:
        """The message to those who have the drawing before. In another period all rows are others, and none has moved."""
        is_other = self.chosen != before.chosen
        marks = {} if is_other else changes(before, self, words)
        whole = is_other or self.order != before.order or self.board.bare is not None
        return self._message(marks, whole=whole, head=is_other)

    def whole(self) -> BoardMoved:
        """The message to those who have nothing."""
        return self._message({}, whole=True, head=True)

    def _message(self, marks: dict[str, str], *, whole: bool, head: bool) -> BoardMoved:
        return BoardMoved(
            self.board,
            self.feed,
            self.chosen,
            self.choices,
            self.version.position,
            self.read_us,
            self.behind,
            marks,
            whole,
            head,
        )


def changes(before: Drawn, now: Drawn, words: Words) -> dict[str, str]:
    """The movement of each changed row: the rise or fall of its score, or a mark that something else changed."""
    scores = {row.anchor: row.card.iku.value for group in before.board.groups for row in group.rows}
    marks = {}
    for group in now.board.groups:
        for row in group.rows:
            if row.anchor not in now.rows or before.rows.get(row.anchor) == now.rows[row.anchor]:
                continue
            value, was = row.card.iku.value, scores.get(row.anchor)
            gap = None if value is None or was is None else value - was
            marks[row.anchor] = f"{'▲' if gap > 0 else '▼'} {words.percent(abs(gap))}" if gap else words("live.same")
    return marks


def draw(reads: Reads, request: Watched, words: Words, view: View) -> Drawn:
    """The board now, of the part of the figures that some callers are served."""
    reader = reads.reader
    with reader.snapshot(published=view.published, own=view.own) as snapshot:
        now_us, current = snapshot.now_us, reader.month(snapshot.now_us)
        choice = choose(snapshot, request.period, current, follow=request.follow)
        drawing = board(snapshot, choice, words)
        rows: dict[str, object] = {
            row.anchor: (row.name, row.rank, row.card.iku, row.card.indicators, row.card.overall, row.card.counts)
            for group in (() if drawing.bare else drawing.groups)
            for row in group.rows
        }
        ends_us, late_us = current.end_us(reader.zone) - 1, snapshot.version.until_us
        return Drawn(
            drawing,
            rows,
            tuple(rows),
            feed(snapshot, reads.lines, words, choice),
            snapshot.version,
            now_us,
            ends_us if late_us is None else min(ends_us, late_us),
            choice,
            choices(snapshot.months(), choice, words),
            backlog_of(reader.live, reads.lines, snapshot.position, now_us),
        )
