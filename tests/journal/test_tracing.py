"""The entries of one case, and the course of one fact, are found without a scan, whatever was accept out since."""

import pytest

from tests.journal.desk import accept, corrected, decided, paused, rated, received, resumed, retracted, task
from tests.serving import Assembled

pytestmark = pytest.mark.both_databases

ODD = 'K"1\\%_é'
"""A case whose name JSON and LIKE write otherwise."""


def of_case(city: Assembled, case: str) -> list[int]:
    return [position for position, _ in city.journal.of_case("disdukcapil", "ktp-el", case)]


@pytest.mark.parametrize("case", ["K-1", ODD, "1"])
def test_a_case_has_its_receipts_pauses_decisions_and_reversals_and_nothing_else(neraca: Assembled, case: str) -> None:
    """Also a decision that was retracted, a correction that was corrected, and none of another case of a similar name."""
    own = [
        received("r", case),
        paused("p", case, "08:10"),
        resumed("q", case, "08:20"),
        decided("d", case, "10:00"),
        corrected("c1", "d", decided("_", case, "10:30")),
        corrected("c2", "c1", decided("_", case, "10:40")),
        retracted("x", "c2"),
        decided("d2", case, "11:00"),
    ]
    other = [
        received("r-other", f"{case}1"),
        decided("d-other", f"{case}1", "10:00"),
        retracted("x-other", "d-other"),
        rated("n", case=case, service="ktp-el"),
        retracted("x-rating", "n"),
        task("t"),
        retracted("x-task", "t"),
        received("r-service", case, service="kia"),
        retracted("x-service", "r-service"),
    ]
    first = neraca.journal.head() + 1
    accept(neraca, *own, *other)
    assert of_case(neraca, case) == list(range(first, first + len(own)))
    assert of_case(neraca, "none") == []


def test_a_fact_and_all_its_reversals_are_found_from_each_of_them(neraca: Assembled) -> None:
    accept(neraca, task("other"))
    first = neraca.journal.head() + 1
    new_fact = task("t")
    accept(neraca, task("t"), corrected("c1", "t", new_fact), corrected("c2", "c1", new_fact), retracted("x", "c2"))
    course = list(range(first, first + 4))
    for position in course:
        assert [rows for rows, _ in neraca.journal.course_of(position)] == course
    assert [rows for rows, _ in neraca.journal.course_of(1)] == [1]
    assert neraca.journal.course_of(10**9) == []


def test_each_reversed_event_knows_the_position_of_its_reversal(neraca: Assembled) -> None:
    accept(neraca, task("t1"), task("t2"), retracted("x", "t1"))
    names = [(source, ident) for source in ("/loket", "/other") for ident in ("t1", "t2")]
    assert neraca.journal.reversed_at(names) == {("/loket", "t1"): neraca.journal.head()}
    assert neraca.journal.reversed_at([]) == {}
