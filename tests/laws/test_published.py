"""What is published is the same wherever it is worked out: the fold in any cut, a replay, and the plain rule."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.replay import PublishedRatings, concluded, fold_lines
from domain.clock import parse_instant
from domain.events.names import type_of
from domain.fold.cells import Waiting
from domain.fold.ledger import amounts_by_measure
from domain.measures import UNSUR
from domain.periods import parse_period
from projections.ports import Accepted
from tests.laws.histories import Desk, bounded, desk, follow, reading, store_of
from tests.laws.plain_blocks import CLOSE, Plain, Said
from tests.laws.test_blocks import MOVES, Moves, said_by

DINAS: Final = "dishub"
GIVEN: Final = "{}-15T10:00:00+07:00"
MONTH: Final = parse_period("2026-09")
BEFORE: Final = parse_instant("2026-10-30T23:59:59+07:00")
CLOSED: Final = parse_instant("2026-10-31T00:00:00+07:00")
HALF_YEAR: Final = parse_period("2026-S2")
LATER: Final = parse_instant("2027-02-03T08:00:00+07:00")
"""After the half-year closed."""


class Clerk:
    """A counter that tells what citizens said in a month, event by event; ``close`` lets the month close."""

    def __init__(
        self, record: Callable[[dict[str, Any]], None], close: Callable[[], None], month: str = MONTH.name
    ) -> None:
        self._record = record
        self._close = close
        self._month = month
        self._names: dict[str, str] = {}
        self._number = 0

    def tell(self, entries: list[Said]) -> None:
        """Record entries; a rating that is taken out and given again at once is corrected."""
        while entries:
            entry = entries.pop(0)
            if entry == CLOSE:
                self._close()
                continue
            again = (
                entries.pop(0) if not entry.gives and entries and entries[0].gives and not entries[0].first else None
            )
            self._number += 1
            self._tell(f"{self._month}-{self._number}", entry, again)

    def _tell(self, name: str, entry: Said, again: Said | None) -> None:
        if entry.gives:
            event: dict[str, Any] = {"type": type_of("satisfaction-rated"), "data": _data(entry)}
        else:
            event = {
                "type": type_of("event-retracted"),
                "data": {"event": _named(self._names[entry.name]), "reason": "x"},
            }
            if again is not None:
                event["type"] = type_of("event-corrected")
                event["data"]["replacement"] = _data(again)
        self._names[entry.name] = name
        self._record({"specversion": "1.0", **_named(name), "time": GIVEN.format(self._month), **event})


def clerk_at(counter: Desk) -> Clerk:
    """One who tells the intake of a desk, on the last day before the month closes."""
    counter.now_us = BEFORE

    def record(event: dict[str, Any]) -> None:
        outcomes = counter.tell(event)
        assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes

    def close() -> None:
        counter.now_us = CLOSED

    return Clerk(record, close)


def _named(name: str) -> dict[str, str]:
    return {"source": "/loket", "id": name}


def _data(entry: Said) -> dict[str, Any]:
    data: dict[str, Any] = {"dinas": DINAS, "survey": entry.name}
    data |= {"service": entry.service} if entry.service else {}
    data |= {"asn": entry.asn} if entry.asn else {}
    if len(entry.values) == 1:
        return data | {"overall": entry.values[0] // 2500, "scale": 4}
    return data | {"unsur": {unsur: answer for unsur, answer in zip(UNSUR, entry.values, strict=True) if answer}}


@bounded(16)
@given(MOVES, st.lists(st.integers(1, 40), min_size=1, max_size=4), st.sampled_from((0, 1)))
def test_fold_replay_and_plain_rule_publish_the_same(moves: Moves, cuts: list[int], later: int) -> None:
    """Before the close of the month, and after it, whether or not an entry has come since."""
    entries = said_by(moves)
    with desk() as counter, store_of(counter.folder, "balances") as store:
        clerk_at(counter).tell(list(entries))
        follow(counter, store, cuts)
        now_us = CLOSED if later else counter.now_us
        statements = entries if CLOSE in entries or not later else [*entries, CLOSE]
        plain, ratings = Plain(statements), PublishedRatings()
        run = fold_lines(counter.lines, None, ratings)
        with reading(counter, store, lambda: now_us, published=True) as snapshot:
            cards = {row.subject.id: snapshot.card(row, MONTH) for row in snapshot.dinas(MONTH)}
            assert cards == concluded(run, MONTH, now_us, None, ratings).dinas
            balance = snapshot.months_of(next(iter(snapshot.dinas(MONTH))).subject, MONTH.months) if cards else {}
            figures = Counter(amounts_by_measure(balance["2026-09"])) if balance else Counter[str]()
            assert figures == plain.sums()
            for service, sums in snapshot.services(DINAS, MONTH).items():
                assert Counter(amounts_by_measure(sums)) == plain.sums(service)
        with reading(counter, store, lambda: now_us + 24 * 3_600_000_000, published=True) as snapshot:
            later_cards = [snapshot.card(row, MONTH) for row in snapshot.dinas(MONTH)]
            if now_us > BEFORE or CLOSE in entries:
                assert [card.waiting for card in later_cards] == [Waiting(*plain.waiting())] * len(later_cards)


@pytest.mark.parametrize("late", ["a rating", "a reversal"])
def test_what_a_closed_half_year_serves_a_late_entry_leaves_as_it_is(late: str) -> None:
    """Of the 35 ratings that name an ASN 15 were published by the close of their month, whenever the next entry comes."""
    ratings = [Said("ktp", f"n{at}", "a-1", (3, *(4,) * 8), gives=True, first=True) for at in range(36)]
    out = ratings[0]._replace(gives=False, first=False)
    with desk() as counter, store_of(counter.folder, "balances") as store:
        clerk = clerk_at(counter)
        clerk.tell(ratings[:35])
        follow(counter, store, [10])
        figures = []
        for number in range(2):
            counter.now_us = LATER
            with reading(counter, store, lambda: LATER, published=True) as snapshot:
                staff = snapshot.asn_of(DINAS, HALF_YEAR)
                assert staff is not None
                (asn,) = staff
                person, dinas = snapshot.one_asn("a-1", HALF_YEAR), snapshot.one_dinas(DINAS, HALF_YEAR)
                assert person is not None
                assert dinas is not None
                figures.append((asn.balance, person.balance, dinas.balance))
                ratings_replayed = PublishedRatings()
                run = fold_lines(counter.lines, None, ratings_replayed)
                (card,) = concluded(run, HALF_YEAR, LATER, None, ratings_replayed).dinas.values()
                assert card == snapshot.card(dinas, HALF_YEAR)
            if not number:
                clerk.tell(ratings[35:] if late == "a rating" else [out])
                follow(counter, store, [10])
        assert amounts_by_measure(figures[0][0])["respondents"] == 35
        assert figures[0] == figures[1]
