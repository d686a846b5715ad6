"""Searching the journal: a filter finds exactly what a naive one over all lines finds, however it is cut into pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.pages.auditor import search as journal_search
from api.pages.auditor.search import KNOWN_KINDS, Wanted, last_recorded, searched
from domain.clock import parse_instant
from domain.events.entries import decode
from domain.fold.postings import postings_of
from domain.periods import parse_period
from streams.journal import searching
from tests.pages.five_days import DAYS
from tests.pages.reading import Page
from tests.serving import Assembled, Clock, event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.periods import Period
    from projections.ports import FoundLines, LineSearch


def _facts(line: dict[str, Any]) -> list[dict[str, Any]]:
    resolution = line["data"].get("resolved") or {}
    return [line["data"], *(fact["data"] for name in ("removes", "adds") if (fact := resolution.get(name)))]


def _says(line: dict[str, Any], text: str) -> bool:
    names = ("case", "asn", "task", "survey", "service", "name", "scheme")
    texts = [line["source"], line["id"], line["recordedby"], *(line["data"].get("event") or {}).values()]
    texts += [fact[name] for fact in _facts(line) for name in names if name in fact]
    low = "".join(letter.lower() if letter.isascii() else letter for letter in text)
    return any(low in "".join(letter.lower() if letter.isascii() else letter for letter in text) for text in texts)


def _bears(raw: bytes, line: dict[str, Any], period: Period, dinas: str) -> bool:
    if line["type"] == "neraca.scheme-adopted.v1":
        return bool(line["data"]["effective_from"] <= period.last_day.isoformat())
    registrations = {line["data"]["dinas"]} if line["type"] == "neraca.dinas-registered.v1" else set()
    dinas_posted = {posting.account[0] for posting in postings_of(decode(raw)) if posting.account[3] in period.months}
    return bool(dinas in registrations | dinas_posted if dinas else registrations | dinas_posted)


def naive(lines: Sequence[tuple[int, bytes]], criteria: Wanted) -> list[int]:
    """Every line decoded and asked, with nothing of the search itself."""
    positions = []
    for position, raw in lines:
        line = json.loads(raw)
        at_us = parse_instant(line["recordedtime"])
        if (
            criteria.after < position <= (criteria.until or position)
            and (not criteria.kind or line["type"] == f"neraca.{criteria.kind}.v1")
            and (not criteria.text or _says(line, criteria.text))
            and (criteria.from_us or at_us) <= at_us <= (criteria.to_us or at_us)
            and (
                _bears(raw, line, criteria.touches, criteria.dinas)
                if criteria.touches
                else not criteria.dinas or any(fact.get("dinas") == criteria.dinas for fact in _facts(line))
            )
        ):
            positions.append(position)
    return positions[::-1]


def paged(neraca: Assembled, criteria: Wanted, limit: int, *, whole: bool = False) -> list[int]:
    """Every page of a search; together they have looked at everything once."""
    positions, before, high = list[int](), neraca.journal.head() + 1, None
    while True:
        result = searched(neraca.journal, criteria, before, limit, whole=whole)
        assert high is None or result.high <= high
        assert all(result.low <= entry.position <= result.high for entry in result.entries)
        positions += [entry.position for entry in result.entries]
        if not result.more:
            return positions
        assert result.low < before
        before = high = result.low


def _wanted(values: dict[str, Any]) -> Wanted:
    return Wanted(**values)


WANTED: Final = st.fixed_dictionaries(
    {
        "dinas": st.sampled_from(["", "", "dishub", "dinkes", "lain"]),
        "kind": st.sampled_from(["", "", *KNOWN_KINDS]),
        "text": st.sampled_from(
            ["", "", "tugas-1", "a-1", "K-1", "é", '"kutip\\', "t-4", "LOCAL", "Perhubungan", "baru", "tiada"]
        ),
        "from_us": st.sampled_from([None, *(parse_instant(f"{day}T12:00:00+07:00") for day in DAYS)]),
        "to_us": st.sampled_from(
            [None, *(parse_instant(f"{day}T{at}+07:00") for day in DAYS for at in ("11:00:00", "12:00:00"))]
        ),
        "touches": st.sampled_from([None, *map(parse_period, ("2026-10", "2026-11", "2026-Q4", "2027"))]),
        "after": st.sampled_from([0, 0, 7, 20]),
        "until": st.sampled_from([None, 1, 12, 25]),
    }
).map(_wanted)


@pytest.mark.both_databases
def test_a_filter_finds_what_a_naive_one_finds(five_days: Assembled, monkeypatch: pytest.MonkeyPatch) -> None:
    """For any filter, however it is cut into pages, however little of the journal one page or one statement may look at."""
    lines = five_days.journal.lines(0, 1000)

    @settings(max_examples=250, deadline=None)
    @given(
        WANTED,
        st.sampled_from([1, 3, 50]),
        st.sampled_from([1, 5, 1000]),
        st.sampled_from([4, 1000]),
        st.sampled_from([0.0, 60.0]),
        st.booleans(),
    )
    def holds(criteria: Wanted, limit: int, looked_at: int, window: int, looked_s: float, whole: bool) -> None:  # noqa: FBT001 - drawn
        monkeypatch.setattr(searching, "RUN", looked_at)
        monkeypatch.setattr(journal_search, "LOOKED_S", looked_s)
        monkeypatch.setattr(journal_search, "WINDOW", window)
        assert paged(five_days, criteria, limit, whole=whole) == naive(lines, criteria)

    holds()


def test_a_clock_that_was_set_back_hides_nothing_from_who_looks_entry_by_entry(
    october_journal: Assembled, clock: Clock
) -> None:
    """Bounds by time are found by halving, which needs times that rise; the page says so, and offers the other way."""
    for hour in (12, 13, 8, 9, 10):
        clock.set(f"2026-11-20T{hour:02}:00:00+07:00")
        october_journal.record(
            event("asn-registered", f"a-{hour}", {"asn": f"a-{hour}"}, time="2026-11-20T07:00:00+07:00")
        )
    criteria = Wanted(from_us=parse_instant("2026-11-20T12:30:00+07:00"))
    assert (
        paged(october_journal, criteria, 50, whole=True) == naive(october_journal.journal.lines(0, 50), criteria) == [3]
    )
    address = "/auditor/journal?from=2026-11-20T12:30"
    other = next(link for link in Page(october_journal.get(address).text).links if "whole=1" in link)
    assert [row[0] for row in Page(october_journal.get(other).text).rows[1:]] == ["3"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=40).map(sorted), st.integers(-1, 31), st.data())
def test_the_last_entry_recorded_by_an_instant(seconds: list[int], second_asked: int, data: st.DataObject) -> None:
    class Kept:
        """A journal of nothing but times."""

        def lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
            raise NotImplementedError

        def stored_lines(self, after: int, limit: int, stop: int | None = None) -> list[tuple[int, bytes]]:
            raise NotImplementedError

        def lines_at(self, positions: Sequence[int]) -> dict[int, bytes]:
            return {
                at: b'{"recordedtime":"2026-11-24T00:00:%02d.000000Z"}' % seconds[at - 1]
                for at in positions
                if 0 < at <= len(seconds)
            }

        def newest(self, search: LineSearch, after: int, until: int, limit: int) -> FoundLines:
            raise NotImplementedError

        def head(self) -> int:
            return len(seconds)

        def of_case(self, dinas: str, service: str, case: str) -> list[tuple[int, bytes]]:
            raise NotImplementedError

        def course_of(self, position: int) -> list[tuple[int, bytes]]:
            raise NotImplementedError

        def reversed_at(self, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
            raise NotImplementedError

    low = data.draw(st.integers(0, len(seconds)))
    at_us = parse_instant("2026-11-24T00:00:00Z") + second_asked * 1_000_000
    last = max([low, *(at for at, second in enumerate(seconds, 1) if second <= second_asked)])
    assert last_recorded(Kept(), at_us, low, len(seconds)) == last
