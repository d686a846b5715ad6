"""Parcels: a part of a fold comes out of its bytes as it went in, with any names and sums of any size."""

from hypothesis import given
from hypothesis import strategies as st

from audit.parcel import Part, packed, packed_decisions, unpacked, unpacked_decisions
from domain.fold.casefiles import CaseFile, ReceivedFile
from domain.measures import WIDTH

NAMES = st.text(max_size=4)
INTEGERS = st.integers() | st.integers(-(2**70), 2**70) | st.integers(0, 5)
ACCOUNTS = st.lists(
    st.tuples(st.tuples(NAMES, NAMES, NAMES), st.lists(INTEGERS, min_size=WIDTH, max_size=WIDTH)), max_size=5
)
INSTANTS = st.integers(-(2**62), 2**62)
RECEIPTS = st.builds(ReceivedFile, NAMES, INSTANTS, st.none() | INSTANTS, st.none() | INSTANTS)
FILES = st.builds(
    CaseFile,
    st.lists(st.tuples(RECEIPTS, st.integers(-3, 3)), max_size=2).map(tuple),
    st.integers(-3, 3),
    st.lists(st.tuples(INSTANTS, NAMES), max_size=2).map(tuple),
    st.lists(INSTANTS, max_size=2).map(tuple),
)


@given(
    ACCOUNTS,
    st.lists(st.tuples(st.tuples(NAMES, NAMES, NAMES), FILES), max_size=3),
    st.lists(st.lists(st.tuples(NAMES, NAMES), max_size=3), max_size=3),
    st.booleans(),
)
def test_a_part_comes_out_as_it_went_in(
    accounts: list[tuple[tuple[str, str, str], list[int]]],
    files: list[tuple[tuple[str, str, str], CaseFile]],
    decisions: list[list[tuple[str, str]]],
    compress: bool,  # noqa: FBT001 - drawn
) -> None:
    names, balances = [account[0] for account in accounts], [account[1] for account in accounts]
    part = Part(names, balances, files, list(map(packed_decisions, decisions)))
    assert unpacked(packed(part, compress=compress)) == part
    assert list(unpacked_decisions(part.decided)) == [decision for some in decisions for decision in some]
