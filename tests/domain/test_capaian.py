"""Capaian: floored per case, then half-up to 1/100 percent, then capped per case."""

from fractions import Fraction

import pytest

from domain.capaian import capped, half_up, permit_capaian
from domain.fold.ledger import amounts_by_measure
from domain.score.scoring import band
from tests.domain.said import HOUR, balance, decided

T = 24 * HOUR


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (0, 7, 0),
        (1, 2, 1),
        (3, 2, 2),
        (5, 2, 3),
        (7, 2, 4),
        (49, 100, 0),
        (50, 100, 1),
        (51, 100, 1),
        (-1, 2, 0),
        (-3, 2, -1),
        (-51, 100, -1),
        (149, 100, 1),
        (150, 100, 2),
        (10_000, 3, 3333),
        (20_000, 3, 6667),
    ],
)
def test_halves_round_upward(numerator: int, denominator: int, quotient: int) -> None:
    """Half-up, never half-even: 2.5 is 3 and 0.5 is 1; below zero upward is towards zero."""
    assert half_up(numerator, denominator) == quotient


@pytest.mark.parametrize(
    ("elapsed_us", "promise_us", "capaian_bp"),
    [
        (0, T, 20_000),
        (T // 2, T, 15_000),
        (T, T, 10_000),
        (T + T // 2, T, 5_000),
        (2 * T - 1, T, 0),
        (2 * T, T, 0),
        (2 * T + 1, T, 0),
        (50 * T, T, 0),
        (19_999, 20_000, 10_001),  # 10000.5 bp: the half goes up; half-even would say 10000
        (20_001, 20_000, 10_000),  # 9999.5 bp: up again
        (19_997, 20_000, 10_002),  # 10001.5 bp
        (39_999, 20_000, 1),  # 0.5 bp is 1, half-even would say 0
        (1, 3, 16_667),
        (2, 3, 13_333),
        (0, 1, 20_000),
    ],
)
def test_a_permits_capaian_is_what_was_saved_over_what_was_promised(
    elapsed_us: int, promise_us: int, capaian_bp: int
) -> None:
    """(2T - A)/T, LKjIP Maluku Tengah 2021: all of T used is 100 percent, twice T is 0 and stays 0."""
    assert permit_capaian(elapsed_us, promise_us) == capaian_bp


@pytest.mark.parametrize(
    ("capaian_bp", "under_each_cap"),
    [
        (0, (0, 0, 0, 0)),
        (9_999, (9_999, 9_999, 9_999, 9_999)),
        (10_000, (10_000, 10_000, 10_000, 10_000)),
        (10_001, (10_000, 10_001, 10_001, 10_001)),
        (11_000, (10_000, 11_000, 11_000, 11_000)),
        (11_001, (10_000, 11_000, 11_001, 11_001)),
        (12_000, (10_000, 11_000, 12_000, 12_000)),
        (12_001, (10_000, 11_000, 12_000, 12_001)),
        (20_000, (10_000, 11_000, 12_000, 20_000)),
    ],
)
def test_each_cap_of_the_closed_list_cuts_a_case(capaian_bp: int, under_each_cap: tuple[int, ...]) -> None:
    """Caps are 100, 110, 120 percent and none."""
    assert capped(capaian_bp) == under_each_cap


def test_the_cap_is_applied_to_each_case_never_to_the_sum() -> None:
    """One permit in no time and one at twice the promise: 120 + 0 under the cap of 120, not the 200 of the sum."""
    measures = amounts_by_measure(balance(decided(0, T), decided(2 * T, T)))
    assert measures["capaian_n"] == 2
    assert [measures[f"capaian_sum_{cap}"] for cap in (100, 110, 120, "none")] == [10_000, 11_000, 12_000, 20_000]
    assert [measures[f"capaian_sq_{cap}"] for cap in (100, 110, 120, "none")] == [
        10_000**2,
        11_000**2,
        12_000**2,
        20_000**2,
    ]


@pytest.mark.parametrize(
    ("elapsed_us", "promise_us", "on_time", "measures"),
    [
        (5, None, None, {"permits": 1, "permits_elapsed_us": 5}),
        (0, 0, False, {"permits": 1, "permits_with_standard": 1}),
        (0, -5, False, {"permits": 1, "permits_with_standard": 1}),
        (0, 0, True, {"permits": 1, "permits_with_standard": 1, "permits_on_time": 1}),
    ],
)
def test_a_promise_of_no_time_is_judged_but_has_no_capaian(
    elapsed_us: int,
    promise_us: int | None,
    on_time: bool | None,  # noqa: FBT001 - a column
    measures: dict[str, int],
) -> None:
    """T <= 0 counts for on-time and is left out of the speed mean; without a promise a permit is volume."""
    assert amounts_by_measure(balance(decided(elapsed_us, promise_us, on_time=on_time))) == measures


def test_rejection_is_counted_beside_the_verdict() -> None:
    """A rejected application was decided: it counts as a permit, on time or not, and as rejected."""
    measures = amounts_by_measure(
        balance(decided(1, 2, outcome="rejected"), decided(3, 2, outcome="rejected"), decided(3, 2))
    )
    assert (measures["permits"], measures["permits_rejected"], measures["permits_on_time"]) == (3, 2, 1)


@pytest.mark.parametrize(
    ("percent", "name"),
    [
        ("120", "sangat_tinggi"),
        ("91", "sangat_tinggi"),
        ("90.995", "sangat_tinggi"),
        ("90.9949", "tinggi"),
        ("76", "tinggi"),
        ("75.995", "tinggi"),
        ("75.99", "sedang"),
        ("66", "sedang"),
        ("65.99", "rendah"),
        ("51", "rendah"),
        ("50.995", "rendah"),
        ("50.99", "sangat_rendah"),
        ("0", "sangat_rendah"),
    ],
)
def test_bands_begin_where_permendagri_86_2017_says(percent: str, name: str) -> None:
    """From 91, 76, 66 and 51; the grade is that of the value shown, with two decimals."""
    assert band(Fraction(percent)) == name
