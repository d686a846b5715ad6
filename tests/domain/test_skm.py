"""SKM, PermenPANRB 14/2017, against tables that others published: the index, its grade, the minimum sample.

Sources and licences of the files: ``tests/data/README.md``.
"""

import csv
from fractions import Fraction
from pathlib import Path

import pytest

from domain.fold.ledger import Balance
from domain.measures import UNSUR
from domain.score.scoring import hundredths, ikm, mutu
from tests.domain.said import answered, balance, measured

SKM = Path(__file__).parents[1] / "data" / "skm"
NINTH, W0111, W011 = Fraction(1, 9), Fraction("0.111"), Fraction("0.11")


def _rows(name: str) -> list[dict[str, str]]:
    with (SKM / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _means(row: dict[str, str]) -> Balance:
    """Published means as a balance: so many thousandths answered by ten thousand."""
    amounts = {f"unsur_n_{unsur}": 10_000 for unsur in UNSUR}
    amounts |= {f"unsur_sum_{unsur}": int(Fraction(row[f"u{n}"]) * 10_000) for n, unsur in enumerate(UNSUR, 1)}
    return measured(respondents=10_000, **amounts)


def _index(of: Balance, weight: Fraction) -> Fraction:
    index = ikm(of, weight)
    assert index is not None
    return index


ORACLES = [row for row in _rows("skm_rows.csv") if row["use_as_oracle"].startswith("yes")]
WEIGHED = [row for row in _rows("skm_rows.csv") if row["ikm_w_1_9"]]


@pytest.mark.parametrize("row", ORACLES, ids=[row["id"] for row in ORACLES])
def test_the_index_is_what_the_publisher_printed(row: dict[str, str]) -> None:
    """With the weight that the publisher used, to the two decimals they printed."""
    weight = Fraction(row["reproduces_with"].split()[0])
    assert hundredths(_index(_means(row), weight)) == int(Fraction(row["ikm_published"]) * 100)


@pytest.mark.parametrize("row", WEIGHED, ids=[row["id"] for row in WEIGHED])
def test_the_three_live_weights_give_what_was_worked_out_by_hand(row: dict[str, str]) -> None:
    """1/9, 0.111 and 0.11, each to three decimals."""
    for weight, column in ((NINTH, "ikm_w_1_9"), (W0111, "ikm_w_0111"), (W011, "ikm_w_011")):
        assert abs(_index(_means(row), weight) - Fraction(row[column])) <= Fraction(1, 1000), column


def test_nine_hundred_fifty_five_over_twenty_nine() -> None:
    """The worked example: 91.475 with 1/9, shown as 91.48, and 90.56 with 0.11; both A."""
    rows = _rows("ikm_kemenag_tw3_unsur_counts.csv")
    answers_of = {unsur: row for unsur, row in zip(UNSUR, rows, strict=True)}  # noqa: C416 - named as it is read below
    assert sum(int(row["total"]) for row in rows) == 955
    people = []
    for person in range(29):
        answers = {}
        for unsur, row in answers_of.items():
            scores = [score for score in (4, 3, 2, 1) for _ in range(int(row[f"n{score}"]))]
            answers[unsur] = scores[person]
        people.append(answered(answers))
    pool = balance(*people)
    exact = _index(pool, NINTH)
    assert exact == Fraction(25 * 955, 9 * 29)
    assert abs(exact - Fraction("91.475")) < Fraction(1, 1000)
    assert (hundredths(exact), mutu(exact)) == (9148, "A")
    assert (hundredths(_index(pool, W011)), mutu(_index(pool, W011))) == (9056, "A")


def test_forty_nine_raw_respondents_of_sekadau() -> None:
    """Column sums come to 1389 over 49: 78.74, B."""
    people = [
        {unsur: int(row[f"u{n}"]) for n, unsur in enumerate(UNSUR, 1)} for row in _rows("sekadau_2019_s1_first49.csv")
    ]
    index = _index(balance(*map(answered, people)), NINTH)
    assert len(people) == 49
    assert index == Fraction(25 * 1389, 9 * 49)
    assert (hundredths(index), mutu(index)) == (7874, "B")


def test_respondents_are_pooled_never_the_indices_of_services() -> None:
    """Ten answers of 4 and one of 1: 93.18, where the mean of the two indices is 62.50."""
    happy, sad = dict.fromkeys(UNSUR, 4), dict.fromkeys(UNSUR, 1)
    assert hundredths(_index(balance(*[answered(happy)] * 10, answered(sad)), NINTH)) == 9318


def test_an_unsur_is_averaged_over_those_who_answered_it() -> None:
    """Missing answers are no zeros: n of an unsur counts those who answered it."""
    partly = balance(answered(dict.fromkeys(UNSUR, 4)), answered({"waktu": 2}))
    assert _index(partly, NINTH) == 25 * NINTH * (8 * 4 + 3)


@pytest.mark.parametrize("missing", UNSUR)
def test_an_unsur_nobody_answered_leaves_the_index_undefined(missing: str) -> None:
    """Null, never eight ninths."""
    assert ikm(balance(*[answered({u: 4 for u in UNSUR if u != missing})] * 3), NINTH) is None
    assert ikm(balance(), NINTH) is None


@pytest.mark.parametrize(("weight", "most"), [(NINTH, Fraction(100)), (W0111, Fraction("99.9")), (W011, Fraction(99))])
def test_the_weight_decides_the_most_an_index_can_be(weight: Fraction, most: Fraction) -> None:
    """Only 1/9 reaches 100."""
    assert ikm(balance(answered(dict.fromkeys(UNSUR, 4))), weight) == most


def test_the_weight_can_flip_the_grade() -> None:
    """A mean of 3.56 is 89.00 A with 1/9 and 88.11 B with 0.11."""
    means = _means({f"u{n}": "3.56" for n in range(1, 10)})
    assert [(hundredths(_index(means, w)), mutu(_index(means, w))) for w in (NINTH, W011)] == [(8900, "A"), (8811, "B")]


@pytest.mark.parametrize(
    ("index", "grade"),
    [
        ("100", "A"),
        ("88.31", "A"),
        ("88.305", "A"),
        ("88.3049", "B"),
        ("88.30", "B"),
        ("76.61", "B"),
        ("76.605", "B"),
        ("76.6049", "C"),
        ("76.60", "C"),
        ("65", "C"),
        ("64.995", "C"),
        ("64.9949", "D"),
        ("64.99", "D"),
        ("25", "D"),
    ],
)
def test_the_grade_is_that_of_the_index_as_shown(index: str, grade: str) -> None:
    """Rounded half-up to two decimals first, graded then."""
    assert mutu(Fraction(index)) == grade
