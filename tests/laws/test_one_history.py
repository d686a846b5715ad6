"""One history, four bookkeepers: the store, the auditor, a ledger in any order, and an oracle that shares no code.

All come to the same balances, digest, scorecards and ranks.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from audit.ends import Until
from audit.folded import Folded
from audit.journal_file import cut, fold_file, fold_part
from audit.replay import checked, concluded
from domain.fold.ledger import Ledger, amounts_by_measure
from domain.fold.postings import postings_of
from domain.periods import parse_period
from domain.score.replayed import StateAt
from domain.score.scorecard import Scorecard
from projections.ports import Accepted
from projections.reading.reader import Snapshot
from projections.store.store import Store
from tests.laws.histories import History, balances_of, bounded, follow, parsed, reading, recorded, steps, store_of
from tests.laws.steps import Step
from tests.laws.strategies import OPENED
from tests.oracle import Oracle

ENCODER = msgspec.json.Encoder(decimal_format="number")
PERIODS = ("2026-09", "2026-10", "2026-Q3", "2026-Q4", "2026-S2", "2026", "2025-12")
CUTS = st.lists(st.integers(1, 12), min_size=1, max_size=4)
LATER_US = 40 * 24 * 3_600_000_000


def _as_json(card: Scorecard) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(ENCODER.encode(card))
    return fields


def _audited(history: History, parts: int, period: str, now_us: int) -> tuple[Folded, StateAt]:
    """The export folded from its file: as a whole, and in parts joined in order, some of them packed."""
    path = history.folder / "journal.ndjson"
    path.write_bytes(history.export)
    whole_run = Folded()
    for number, (start, end) in enumerate(cut(path, parts)):
        part = fold_part(str(path), start, end)
        if number % 2:
            part.pack(compress=number % 3 == 0)
        whole_run.join(part)
    whole = checked(fold_file(path, Until()))
    state = concluded(whole, parse_period(period), now_us)
    assert concluded(checked(whole_run), parse_period(period), now_us) == state
    return whole, state


@bounded(30)
@given(steps(60), CUTS, st.randoms(use_true_random=False), st.integers(1, 4), st.sampled_from((0, 1, LATER_US)))
def test_four_bookkeepers_agree(
    steps: list[Step], cuts: list[int], dice: random.Random, parts: int, later_us: int
) -> None:
    """Balances, digest, and the scorecards of every dinas and ASN for months, quarters, halves and years."""
    with recorded(steps, batch=cuts[0]) as history, store_of(history.folder, "balances") as store:
        now_us = history.now_us + later_us
        oracle = Oracle(parsed(history.export))
        follow(history, store, cuts)
        entries = [entry for _, _, entry in history.entries]
        dice.shuffle(entries)
        ledger = Ledger()
        for entry in entries:
            ledger.post(postings_of(entry))
        run, state = _audited(history, parts, "2026", now_us)
        with reading(history, store, lambda: now_us) as snapshot, store.snapshot() as queries:
            accounts = {
                account: amounts for account, balance in queries.accounts() if (amounts := amounts_by_measure(balance))
            }
            assert accounts == oracle.balances
            assert balances_of(ledger.accounts) == oracle.balances
            assert balances_of(run.accounts()) == oracle.balances
            assert snapshot.digest() == state.digest == oracle.digest()
            assert snapshot.position == state.position == oracle.position
            cards_agree(snapshot, oracle, datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us))
            year = parse_period("2026")
            assert state.dinas == {
                standing.subject.id: snapshot.card(standing, year) for standing in snapshot.dinas(year)
            }


def cards_agree(snapshot: Snapshot, oracle: Oracle, now: datetime) -> None:
    for text in PERIODS:
        period = parse_period(text)
        dinas = snapshot.dinas(period)
        for standing in dinas:
            assert _as_json(snapshot.card(standing, period)) == oracle.scorecard(
                "dinas", standing.subject.id, text, now
            )
            within = standing.subject.id
            for each in snapshot.asn_of(within, period) or ():
                assert _as_json(snapshot.card(each, period)) == oracle.scorecard(
                    "asn", each.subject.id, text, now, within
                )
        for asn in ("a-1", "a-2", "a-3", "a-8", "a-9"):
            member = snapshot.one_asn(asn, period)
            if member is not None:
                assert _as_json(snapshot.card(member, period)) == oracle.scorecard("asn", asn, text, now)
        ranks = [(card.subject.id, card.rank) for card in snapshot.ranking(dinas, period)]
        places = [(place.id, place.best, place.worst) for place in oracle.places_dinas(text, now)]
        assert [(name, rank.best if rank else None, rank.worst if rank else None) for name, rank in ranks] == places


def _known_to_the_intake(history: History) -> int:
    return sum(isinstance(outcome, Accepted) and not outcome.repeated for _, outcome in history.outcomes)


@bounded(10)
@given(steps(60), CUTS)
def test_what_is_refused_or_repeated_leaves_no_trace(steps: list[Step], cuts: list[int]) -> None:
    """The journal holds its opening, each event accepted for the first time, and the service's own corrections."""
    with recorded(steps, batch=cuts[0]) as history:
        own = sum(line["recordedby"] == "neraca" for line in parsed(history.export))
        assert history.journal.head() == 1 + _known_to_the_intake(history) + own
        positions = [position for position, _ in history.lines]
        assert positions == list(range(1, len(positions) + 1))


@bounded(10)
@given(steps(60), st.integers(1, 20), st.integers(1, 20))
def test_how_submissions_are_batched_changes_nothing(steps: list[Step], size: int, other: int) -> None:
    """Earlier items of a batch count as recorded: alone or together, the same is accepted and the same follows."""
    digests = []
    for batch in (size, other):
        with (
            recorded(steps, batch, standing_us=OPENED + LATER_US) as history,
            store_of(history.folder, "balances") as store,
        ):
            follow(history, store, [1000])
            digests.append((_digest(history, store), history.kinds()))
    assert digests[0] == digests[1]


def _digest(history: History, store: Store) -> str:
    with reading(history, store, lambda: history.now_us) as snapshot:
        return snapshot.digest()
