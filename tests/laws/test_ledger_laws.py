"""Laws of sums, over the entries of real histories."""

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from audit.ends import Until
from audit.folded import Folded
from audit.replay import fold_lines
from domain.events.entries import AnyEntry, EventCorrected, EventRetracted, decode
from domain.fold.casefiles import EMPTY, CaseFile, CaseKey, changes_of, files_of, merged
from domain.fold.digest import by_dinas, digest
from domain.fold.ledger import Ledger, months_of, zero
from domain.fold.postings import Posting, negated, posting_of, postings_of
from domain.rules.rulebook import Rulebook
from tests.laws.histories import balances_of, bounded, recorded, steps
from tests.laws.steps import Step

HISTORIES = steps(40)


def _posted(entries: Iterable[AnyEntry]) -> Ledger:
    ledger = Ledger()
    for entry in entries:
        ledger.post(postings_of(entry))
    return ledger


def _files(entries: Iterable[AnyEntry]) -> dict[CaseKey, CaseFile]:
    files: dict[CaseKey, CaseFile] = {}
    for entry in entries:
        for key, change in changes_of(entry):
            files[key] = merged(files.get(key, EMPTY), change)
    return files


@bounded(12)
@given(HISTORIES, st.randoms(use_true_random=False))
def test_order_does_not_matter(steps: list[Step], dice: random.Random) -> None:
    """Journalled entries in any order come to the same balances, case files and rules."""
    with recorded(steps) as history:
        entries = history.entries
    permutation = list(entries)
    dice.shuffle(permutation)
    ledger, right = _posted(e for _, _, e in permutation), _posted(e for _, _, e in entries)
    assert balances_of(ledger.accounts) == balances_of(right.accounts)
    assert _files(e for _, _, e in permutation) == _files(e for _, _, e in entries)
    books = Rulebook(), Rulebook()
    for book, order in zip(books, (entries, permutation), strict=True):
        for position, _, entry in order:
            book.apply(position, entry)
    assert books[0].lines() == books[1].lines()


@bounded(12)
@given(HISTORIES, st.lists(st.integers(0, 3), min_size=1, max_size=20))
def test_partitions_merge(steps: list[Step], parts: list[int]) -> None:
    """However entries are dealt among partitions, the merged ledgers are the ledger of all."""
    with recorded(steps) as history:
        entries = [entry for _, _, entry in history.entries]
    piles: list[list[AnyEntry]] = [[], [], [], []]
    for number, entry in enumerate(entries):
        piles[parts[number % len(parts)]].append(entry)
    whole = Ledger()
    for part in piles:
        whole.merge(_posted(part))
    assert balances_of(whole.accounts) == balances_of(_posted(entries).accounts)


@bounded(12)
@given(HISTORIES)
def test_what_is_summed_in_one_go_is_what_is_summed_entry_by_entry(steps: list[Step]) -> None:
    """The months of dinas are what the same postings come to when each is posted to its month; so it is with case files."""
    with recorded(steps) as history:
        entries = [entry for _, _, entry in history.entries]
    months = Ledger()
    for entry in entries:
        for posting in postings_of(entry):
            dinas, _, _, month = posting.account
            months.post([Posting((dinas, "", "", month), posting.amounts)])
    assert months_of(_posted(entries)).accounts == months.accounts
    assert files_of(entries) == _files(entries)


@bounded(12)
@given(HISTORIES)
def test_a_reversal_is_the_negation_of_what_it_takes_out(steps: list[Step]) -> None:
    """A retraction posts minus the fact, a correction plus its replacement too; fact and negation are nothing."""
    with recorded(steps) as history:
        entries = [entry for _, _, entry in history.entries]
    for entry in entries:
        if not isinstance(entry, EventRetracted | EventCorrected):
            continue
        removes, adds = entry.data.resolved.removes, entry.data.resolved.adds
        postings = (negated(posting_of(removes)), *([posting_of(adds)] if adds is not None else []))
        assert postings_of(entry) == postings
        nothing = Ledger()
        nothing.post([posting_of(removes), negated(posting_of(removes))])
        assert list(nothing.accounts.values()) == [zero()]


@bounded(12)
@given(HISTORIES, st.integers(0, 60), st.booleans(), st.booleans())
def test_prefix_and_tail_are_the_whole(steps: list[Step], cut: int, early: bool, late: bool) -> None:  # noqa: FBT001 - drawn
    """A journal folded in two parts that meet is the journal folded at once, packed or not: accounts, files, rules."""
    with recorded(steps) as history:
        lines = history.lines
    prefix, tail, whole = fold_lines(lines[:cut]), fold_lines(lines[cut:]), fold_lines(lines)
    if early:
        prefix.pack(compress=True)
    if late:
        tail.pack(compress=False)
    prefix.join(tail)
    assert balances_of(prefix.accounts()) == balances_of(whole.accounts())
    assert sorted(prefix.open_files()) == sorted(whole.open_files())
    assert balances_of(prefix.accounts()) == balances_of(whole.accounts()), "looking at a fold does not change it"
    assert (prefix.rules, prefix.first, prefix.last) == (whole.rules, whole.first, whole.last)


@bounded(12)
@given(HISTORIES, st.integers(1, 12), st.integers(0, 4))
def test_a_fold_of_bounded_memory_is_the_fold(steps: list[Step], accounts_most: int, files_most: int) -> None:
    """However few accounts and case files are objects at once, a journal folds to the same accounts and open files."""
    with recorded(steps) as history:
        lines = history.lines
    whole, bounded_fold = fold_lines(lines), Folded(accounts_most, files_most)
    for position, line in lines:
        bounded_fold.follow([position])
        bounded_fold.fold([position], [decode(line)], lambda line=line: [line])  # type: ignore[misc]
    assert balances_of(bounded_fold.accounts()) == balances_of(whole.accounts())
    assert sorted(bounded_fold.open_files()) == sorted(whole.open_files())
    assert bounded_fold.rules == whole.rules


@bounded(30)
@given(st.lists(st.integers(0, 5), max_size=6), st.integers(0, 7), st.integers(-1, 6))
def test_lines_end_before_the_first_beyond_the_end(seconds: list[int], position: int, second: int) -> None:
    """An end by position or by time of recording leaves out the first line beyond it, and all that follow."""
    lines = [
        (number, b'{"recordedtime":"1970-01-01T00:00:0%dZ"}' % each) for number, each in enumerate(seconds, start=1)
    ]
    for until in (Until(), Until(position=position), Until(instant_us=second * 1_000_000)):
        beyond = [number for number, line in enumerate(lines) if until.ends_before(*line)]
        assert list(until.within(lines)) == lines[: beyond[0] if beyond else None]


@bounded(12)
@given(HISTORIES, st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_order(steps: list[Step], dice: random.Random) -> None:
    """Lines are sorted before they are hashed."""
    with recorded(steps) as history:
        run = fold_lines(history.lines)
    accounts, files = list(run.accounts().items()), run.open_files()
    rules = [line for _, line in run.rules]
    first = digest(by_dinas(dict(accounts)), rules, [files])
    for each in (accounts, rules, files):
        dice.shuffle(each)
    assert digest(by_dinas(dict(accounts)), rules, [files]) == first
