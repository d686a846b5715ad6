"""Scorecards: two decimals half-up at the edge, and ranks within one covered set."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.measures import INDEX, MEASURES
from domain.rules.scheme import CONTOH_2026, Indicator, Scheme
from domain.score.scorecard import Rank, Standing, Subject, number, ranked, scorecard
from domain.score.scoring import hundredths, rank_keys, score_of
from tests.domain.said import measured

ENCODER = msgspec.json.Encoder(decimal_format="number")


@pytest.mark.parametrize(
    ("exact", "text"),
    [
        ("0", "0.00"),
        ("91.475", "91.48"),
        ("91.4749999", "91.47"),
        ("90.565", "90.57"),
        ("90.555", "90.56"),
        ("200/3", "66.67"),
        ("100", "100.00"),
        ("0.005", "0.01"),
        ("0.0049", "0.00"),
        ("1/3", "0.33"),
        ("2.675", "2.68"),
        ("1.005", "1.01"),
        ("12345.675", "12345.68"),
    ],
)
def test_percent_is_shown_with_two_decimals_half_up(exact: str, text: str) -> None:
    """As written by hand: 2.675 is 2.68, where a float would say 2.67."""
    assert str(number(Fraction(exact))) == text


def _standing(name: str, *, is_registered: bool = True, **amounts: int) -> Standing:
    return Standing(Subject("dinas", name), is_registered, measured(**amounts), 0, 0)


def _shown(standing: Standing) -> dict[str, Any]:
    score = score_of(standing.balance, CONTOH_2026)
    card = scorecard(standing, score, period="2026-11", position=7, scheme="contoh-2026")
    fields: dict[str, Any] = msgspec.json.decode(ENCODER.encode(card))
    return fields


def test_a_scorecard_of_nothing_says_null_never_zero() -> None:
    """All counts are there and zero; no value, no capaian, no score."""
    fields = _shown(_standing("dlh", is_registered=False))
    assert fields["iku"] == {"value": None, "state": "insufficient", "se": None, "lo": None, "hi": None}
    assert [(part["value"], part["capaian"], part["n"], part["state"]) for part in fields["indicators"]] == [
        (None, None, 0, "insufficient")
    ] * 3
    assert set(fields["counts"].values()) == {0}
    assert len(fields["counts"]) == 11
    assert fields["registered"] is False
    assert "rank" not in fields


def test_an_insufficient_indicator_keeps_its_value_and_says_its_n() -> None:
    fields = _shown(_standing("dlh", tasks=9, tasks_with_due=3, tasks_on_time=2))
    part = fields["indicators"][2]
    assert part == {
        "id": "ketepatan_waktu",
        "value": 66.67,
        "target": 100,
        "capaian": None,
        "weight": 0.3,
        "n": 3,
        "state": "insufficient",
    }


def test_counts_are_the_plain_ones_and_ratings_are_both_kinds() -> None:
    amounts = {
        "permits": 5,
        "permits_with_standard": 4,
        "permits_on_time": 3,
        "permits_rejected": 2,
        "tasks": 9,
        "tasks_with_due": 8,
        "tasks_on_time": 7,
        "tasks_self_reported": 6,
    }
    balance = measured(respondents=20, overall_n=3, **amounts)
    fields = _shown(
        Standing(Subject("dinas", "dlh"), registered=True, balance=balance, permits_open=11, permits_open_overdue=10)
    )
    assert fields["counts"] == amounts | {"permits_open": 11, "permits_open_overdue": 10, "ratings": 23}


def _half(name: str, measure: str) -> Indicator:
    return Indicator(name, f"{measure}_on_time", measure, "higher", Fraction(100), None, 1, Fraction(1, 2))


EVEN = Scheme("even", (_half("zeta", "tasks"), _half("alfa", "permits")), Fraction(1, 9), Fraction(1, 2))
"""Two indicators of equal weight, the first of which comes last in the alphabet."""


def _tasks(name: str, on_time: int, of: int) -> Standing:
    return _standing(name, tasks=of, tasks_on_time=on_time)


def _places(*standings: Standing) -> list[tuple[str, Rank | None]]:
    places = [(standing.subject.id, rank) for standing, rank in ranked(standings, EVEN)]
    assert places == [(standing.subject.id, rank) for standing, rank in ranked(reversed(standings), EVEN)]
    return places


def test_equal_values_share_a_range_of_ranks_and_stand_by_id() -> None:
    places = _places(_tasks("d", 1, 2), _tasks("b", 2, 3), _tasks("a", 4, 6), _tasks("c", 3, 3), _tasks("e", 0, 1))
    assert places == [("c", Rank(1, 1)), ("a", Rank(2, 3)), ("b", Rank(2, 3)), ("d", Rank(4, 4)), ("e", Rank(5, 5))]


def test_values_that_are_shown_alike_share_their_ranks() -> None:
    """Ranks go by the value as served: 66.666… and 66.6655 are both 66.67; 66.66499… is 66.66."""
    assert _places(
        _tasks("b", 200_000, 300_000), _tasks("a", 133_331, 200_000), _tasks("c", 6_666_499, 10_000_000)
    ) == [("a", Rank(1, 2)), ("b", Rank(1, 2)), ("c", Rank(3, 3))]


def test_only_subjects_of_one_covered_set_are_ranked_together_the_larger_first_and_the_unranked_last() -> None:
    both = _standing("both", tasks=2, tasks_on_time=0, permits=1, permits_on_time=0)
    permits = _standing("permits", permits=1, permits_on_time=1)
    places = _places(
        permits, _tasks("tasks-b", 0, 1), _standing("none"), _standing("also-none"), _tasks("tasks-a", 1, 1), both
    )
    assert places == [
        ("both", Rank(1, 1)),
        ("tasks-a", Rank(1, 1)),
        ("tasks-b", Rank(2, 2)),
        ("permits", Rank(1, 1)),
        ("also-none", None),
        ("none", None),
    ]


def test_the_balance_of_a_scorecard_is_never_changed_by_reading_it() -> None:
    standing = _tasks("a", 1, 2)
    _shown(standing)
    assert standing.balance[INDEX["tasks"]] == 2


def test_a_value_is_rounded_from_its_exact_fraction_before_it_is_ranked() -> None:
    """The half of a hundredth is shown, and ranked, as the hundredth above; what lacks 10⁻¹⁷ of it is the one below."""
    many = 2 * 10**17
    half = many * 66_665 // 100_000
    near = [_tasks("c", half, many), _tasks("a", half - 1, many), _tasks("b", half + 1, many)]
    assert [rank_keys(EVEN)(standing.balance).hundredths for standing in near] == [6667, 6666, 6667]
    assert _places(*near) == [("b", Rank(1, 2)), ("c", Rank(1, 2)), ("a", Rank(3, 3))]


RATIOS = [("tasks_on_time", "tasks"), ("tasks", "tasks"), ("capaian_sum_120", "capaian_n"), ("ikm", "respondents")]
AMOUNTS = sorted(
    {name for ratio in RATIOS for name in ratio if name != "ikm"} | {name for name in MEASURES if "unsur" in name}
)


@settings(deadline=None)  # the first examples fill caches, and a busy machine is slow
@given(
    ratios=st.lists(st.sampled_from(RATIOS), min_size=1, max_size=3, unique=True),
    least=st.integers(0, 3),
    coverage=st.fractions(0, 1, max_denominator=4),
    amounts=st.lists(st.dictionaries(st.sampled_from(AMOUNTS), st.integers(0, 9)), min_size=1, max_size=4),
)
def test_a_rank_key_is_that_of_the_score_however_often_it_is_computed(
    ratios: list[tuple[str, str]], least: int, coverage: Fraction, amounts: list[dict[str, int]]
) -> None:
    """The cache by the measures that a scheme reads never gives the key of another balance."""
    indicators = tuple(
        Indicator(f"i{n}", numerator, denominator, "higher", Fraction(90), 120, least, Fraction(1, len(ratios)))
        for n, (numerator, denominator) in enumerate(ratios)
    )
    scheme = Scheme("any", indicators, Fraction(1, 9), coverage)
    for balance in [measured(**measures) for measures in amounts * 2]:
        score, key = score_of(balance, scheme), rank_keys(scheme)(balance)
        hundreds = None if score.value is None else hundredths(score.value)
        assert (key.hundredths, key.covered) == (hundreds, score.covered)
        assert [indicators[place] for place in key.covered_set] == [
            part.indicator for part in score.indicators if part.sufficient
        ]
