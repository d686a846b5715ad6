"""A digest is made group by group: for any names of dinas and ASN, it is that of all lines sorted at once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fold.casefiles import OpenFile
from domain.fold.digest import account_line, by_dinas, digest, digest_lines, file_line, in_order
from domain.fold.ledger import zero
from tests.journal.desk import lines_of, received, task
from tests.journal.folding import audited, reader, segments
from tests.oracle import Oracle
from tests.serving import event

if TYPE_CHECKING:
    from domain.fold.ledger import Balance
    from domain.fold.postings import Account
    from tests.conftest import NewStore
    from tests.serving import Assembled

AWKWARD: Final = ("ab", "ab!", "ab c", 'ab"', "ab\\", "ab,", "aB", "é", "ab\u0301", "ab\U0001f600", "ab\ufffd", "a,b")
"""Names whose order changes with a quote after them, with escapes, and with the encoding."""
NAMES: Final = st.sampled_from(AWKWARD) | st.text(min_size=1, max_size=3)


def _balance(amount: int) -> Balance:
    return [amount, *zero()[1:]]


@given(
    st.dictionaries(st.tuples(NAMES, NAMES, NAMES, st.just("2026-11")), st.integers(0, 3)),
    st.lists(st.binary(max_size=4).map(lambda text: text.replace(b"\n", b" ")), max_size=3),
    st.lists(st.builds(OpenFile, NAMES, NAMES, NAMES, NAMES | st.just(""), st.integers(), st.none(), NAMES, st.none())),
    st.integers(1, 3),
)
def test_groups_make_the_digest_of_all_lines_sorted(
    amounts: dict[Account, int], rules: list[bytes], files: list[OpenFile], size: int
) -> None:
    accounts = {account: _balance(amount) for account, amount in amounts.items()}
    names = in_order({file.asn for file in files})
    some = [names[start : start + size] for start in range(0, len(names), size)]
    groups = [[file for file in files if file.asn in group] for group in some]
    lines = sorted(line for pair in accounts.items() if (line := account_line(*pair)) is not None)
    lines += [*sorted(rules), *sorted(map(file_line, files))]
    assert list(digest_lines(by_dinas(accounts), rules, groups)) == lines
    assert (
        digest(by_dinas(accounts), rules, [files])
        == hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()
    )


def test_groups_out_of_order_make_no_digest() -> None:
    groups = [[((dinas, "", "", "2026-11"), _balance(1))] for dinas in ("b", "a")]
    with pytest.raises(ValueError, match="out of order"):
        digest(groups, [], [])


@pytest.mark.both_databases
def test_what_a_store_serves_is_in_order(neraca: Assembled, new_store: NewStore) -> None:
    """As the auditor has it, and an oracle that shares no code with either."""
    for number, name in enumerate(AWKWARD):
        neraca.record(
            event("dinas-registered", f"n{number}", {"dinas": name, "name": name}),
            received(f"r{number}", "K-1", dinas=name, asn=name),
            received(f"s{number}", "K-2", dinas=name),
            task(f"t{number}", name, dinas=name),
        )
    lines, store = neraca.journal.lines(0, 1000), new_store("store")
    for segment in segments(lines, 9):
        store.fold(segment)
    with reader(store).snapshot() as snapshot:
        digest_lines = list(snapshot.digest_lines())
        assert (snapshot.position, snapshot.digest()) == audited(lines)
        assert snapshot.digest() == Oracle(lines_of(neraca)).digest()
    accounts = [line for line in digest_lines if line.startswith(b'{"account"')]
    assert accounts == sorted(accounts)
    assert len(accounts) > len(AWKWARD)
