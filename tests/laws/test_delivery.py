"""Laws of delivery, through the real store: each entry counts once, even if sent again or cut otherwise."""

from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from projections.segment import JOURNAL, Gap, Segment, WrongJournal
from projections.store.store import Store
from streams.following.follower import read_segment
from tests.domain.said import entry
from tests.laws.histories import History, bounded, follow, reading, recorded, steps, store_of
from tests.laws.steps import Step

HISTORIES = steps(30)
CUTS = st.lists(st.integers(1, 9), min_size=1, max_size=5)


def _contents(history: History, store: Store) -> tuple[object, ...]:
    """All that a store holds: balances, index, files, rules, position."""
    with reading(history, store, lambda: history.now_us) as snapshot, store.snapshot() as queries:
        accounts = dict(queries.accounts())
        return (
            {account: balance for account, balance in accounts.items() if any(balance)},
            snapshot.digest(),
            store.source(JOURNAL),
            {d: queries.positions(snapshot.months(), 0, 10_000, {"dinas": d}) for d in ("disdukcapil", "dpmptsp")},
            queries.rule_lines(0),
            sorted(queries.files.all()),
            queries.ratings(None, ()),
        )


@bounded(16)
@given(HISTORIES, CUTS, st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_redelivery_is_trimmed(steps: list[Step], cuts: list[int], back: list[int]) -> None:
    """Pages that begin too early, and pages wholly delivered before, leave the store as one delivery does."""
    with (
        recorded(steps) as history,
        store_of(history.folder, "once") as once,
        store_of(history.folder, "again") as again,
    ):
        follow(history, once, [1_000_000])
        follow(history, again, cuts, back)
        everything = read_segment(history.journal, 0, 1_000_000)
        assert everything is not None
        assert again.fold(everything).position == history.journal.head()
        assert _contents(history, again) == _contents(history, once)


@bounded(8)
@given(HISTORIES, st.integers(0, 30), st.integers(1, 5))
def test_a_gap_is_never_applied(steps: list[Step], start: int, missing: int) -> None:
    """A segment that lies ahead is refused whole, and the balances stay as they were."""
    with recorded(steps) as history, store_of(history.folder, "balances") as store:
        follow_until = min(start, history.journal.head() - 1)
        if follow_until:
            first = read_segment(history.journal, 0, follow_until)
            assert first is not None
            store.fold(first)
        ahead = read_segment(history.journal, follow_until + missing, 5)
        if ahead is None:
            ahead = Segment(
                JOURNAL, history.journal.id, follow_until + missing, follow_until + missing + 1, "", [], UTC
            )
        before = _contents(history, store)
        with pytest.raises(Gap, match=f"entries {follow_until + 1} to {follow_until + missing} are missing"):
            store.fold(ahead)
        assert _contents(history, store) == before


@bounded(4)
@given(HISTORIES)
def test_entries_of_another_journal_are_never_applied(steps: list[Step]) -> None:
    """Balances belong to one journal, by its id."""
    with recorded(steps) as history, store_of(history.folder, "balances") as store:
        follow(history, store, [7])
        before, head = _contents(history, store), history.journal.head()
        with pytest.raises(WrongJournal):
            store.fold(Segment(JOURNAL, "another", head, head + 1, "", [], UTC))
        assert _contents(history, store) == before


@pytest.mark.parametrize("failure", ["a rule", "the position"])
@bounded(5)
@given(steps=HISTORIES, cut=st.integers(1, 20))
def test_a_fold_that_fails_leaves_balances_and_position_as_they_were(failure: str, steps: list[Step], cut: int) -> None:
    """Balances, index, files and position move in one transaction or not at all; the fold resumes where it was.

    The database itself refuses the end of the segment, after balances, index and files were written: a rule listed
    twice at one position, or a position without its hash.
    """
    with (
        recorded(steps) as history,
        store_of(history.folder, "balances") as store,
        store_of(history.folder, "once") as once,
    ):
        first = read_segment(history.journal, 0, cut)
        rest = first and read_segment(history.journal, first.last, 1_000_000)
        if first is None or rest is None:
            return
        store.fold(first)
        before, entries = _contents(history, store), [*rest.entries]
        last_hash: Any = rest.last_hash
        if failure == "a rule":
            entries += [(rest.last, b"{}", entry("asn-registered", {"asn": "a-1"}))] * 2
        else:
            last_hash = None
        with pytest.raises(IntegrityError):
            store.fold(msgspec.structs.replace(rest, entries=entries, last_hash=last_hash))
        assert _contents(history, store) == before
        store.fold(rest)
        follow(history, once, [1_000_000])
        assert _contents(history, store) == _contents(history, once)
