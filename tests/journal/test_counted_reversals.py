"""Reversals of a dinas are counted once each, whatever failed while they were read and however the clock was set."""

import json
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
import pytest

from domain.clock import parse_instant
from domain.periods import parse_period
from projections.ports import FoundLines, LineSearch
from projections.reading.reversals import Reversals, Reversed

if TYPE_CHECKING:
    from projections.ports import Lines

pytestmark = pytest.mark.speed("quick")

NOVEMBER: Final = parse_period("2026-11")
MIDNIGHT_US: Final = parse_instant("2026-11-20T00:00:00Z")
BEFORE, AFTER = "2026-11-19T23:59:59.000000Z", "2026-11-20T00:00:00.000000Z"


def line(number: int, at: str, by: str = "kota", kind: str = "satisfaction-rated") -> bytes:
    """The reversal of a fact of November at dishub."""
    fact = {"dinas": "dishub", "survey": f"s{number}", "overall": 4, "scale": 4, "resolved": {"month": "2026-11"}}
    data: dict[str, Any] = {"event": {"source": "/s", "id": f"{number}"}, "reason": "ganda"}
    data["resolved"] = {"month": "2026-11", "removes": {"type": f"neraca.{kind}.v1", "data": fact}}
    return json.dumps(
        {
            "specversion": "1.0",
            "type": "neraca.event-retracted.v1",
            "source": "/s",
            "id": f"x{number}",
            "time": at,
            "data": data,
            "recordedtime": at,
            "recordedby": by,
            "contenthash": "v1:0",
        }
    ).encode()


class Paper:
    """Lines on paper, the first of them at position 1; each page holds two."""

    def __init__(self, *lines: bytes) -> None:
        self.rows = list(lines)

    def newest(self, _: LineSearch, after: int, until: int, limit: int) -> FoundLines:
        """The newest lines of ``(after, until]``."""
        low = max(after, until - min(limit, 2))
        return FoundLines([(at, self.rows[at - 1]) for at in range(until, low, -1)], low)


def reader(paper: Paper) -> Reversals:
    """It asks for nothing else of the port."""
    return Reversals(cast("Lines", paper))


def counted(reversals: Reversals, position: int) -> Reversed:
    return reversals.of("dishub", NOVEMBER, position, MIDNIGHT_US)


def test_ratings_are_counted_as_of_midnight_and_callers_alone_apart() -> None:
    paper = Paper(line(1, BEFORE), line(2, BEFORE, "local"), line(3, BEFORE, kind="task-completed"), line(4, AFTER))
    assert counted(reader(paper), 4) == Reversed(facts=1, facts_alone=0, ratings=2, ratings_alone=1)


def test_a_clock_that_was_set_back_hides_no_reversal() -> None:
    """The last two were recorded a second before midnight, after two of midnight."""
    paper = Paper(line(1, AFTER), line(2, AFTER), line(3, BEFORE), line(4, BEFORE))
    assert counted(reader(paper), 4).ratings == 2


@pytest.mark.parametrize("position", [1, 3, 5])
def test_a_line_that_cannot_be_read_lets_none_be_counted_twice(position: int) -> None:
    paper = Paper(*(line(number, BEFORE) for number in range(1, 6)))
    whole, paper.rows[position - 1] = paper.rows[position - 1], b"{"
    reversals = reader(paper)
    with pytest.raises(msgspec.DecodeError):
        counted(reversals, 5)
    paper.rows[position - 1] = whole
    assert counted(reversals, 5).ratings == 5
    assert counted(reversals, 5).ratings == 5
