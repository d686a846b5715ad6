"""Schemes: the rules for announcing one, and the value of each indicator for a balance."""

from fractions import Fraction
from typing import Any

import msgspec
import pytest

from domain.events.submitted import SchemeAdopted
from domain.measures import UNSUR
from domain.rules.scheme import CONTOH_2026, Indicator, decimal, faults_of, scheme_of, weight_of_unsur
from domain.score.scoring import capaian_of, score_of, value_of
from tests.domain.said import measured
from tests.domain.test_rulebook import INDICATOR

NINTH = Fraction(1, 9)


def _announced(*indicators: dict[str, Any], **fields: Any) -> SchemeAdopted:  # noqa: ANN401 - fields of the event
    data = {
        "scheme": "s",
        "effective_from": "2026-01-01",
        "indicators": indicators or [INDICATOR],
        "skm_weight": "1/9",
        "min_coverage": "0.6",
    }
    return msgspec.convert(data | fields, SchemeAdopted)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"weight": "0.9"}, "/data/indicators"),
        ({"weight": "0.3333333333334"}, "/data/indicators/0/weight"),
        ({"weight": "1/1"}, "/data/indicators/0/weight"),
        ({"weight": "-1"}, "/data/indicators/0/weight"),
        ({"target": "0"}, "/data/indicators/0/target"),
        ({"target": "1e2"}, "/data/indicators/0/target"),
        ({"cap": 130}, "/data/indicators/0/cap"),
        ({"cap": 110}, "/data/indicators/0/cap"),
        ({"cap": None}, "/data/indicators/0/cap"),
        ({"min_n": 0}, "/data/indicators/0/min_n"),
        ({"numerator": "permits_elapsed_us"}, "/data/indicators/0/numerator"),
        ({"numerator": "capaian_sq_120"}, "/data/indicators/0/numerator"),
        ({"numerator": "unsur_sum_waktu"}, "/data/indicators/0/numerator"),
        ({"denominator": "capaian_sum_120"}, "/data/indicators/0/denominator"),
        ({"numerator": "ikm"}, "/data/indicators/0/denominator"),
    ],
)
def test_a_scheme_that_cannot_score_is_refused_at_the_field(change: dict[str, Any], field: str) -> None:
    assert field in [fault.pointer for fault in faults_of(_announced(INDICATOR | change))]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"skm_weight": "0"}, "/data/skm_weight"),
        ({"skm_weight": "1/0"}, "/data/skm_weight"),
        ({"skm_weight": "1.1"}, "/data/skm_weight"),
        ({"min_coverage": "0"}, "/data/min_coverage"),
        ({"min_coverage": "1.01"}, "/data/min_coverage"),
        ({"min_coverage": "x"}, "/data/min_coverage"),
    ],
)
def test_a_schemes_own_numbers_are_checked(fields: dict[str, str], field: str) -> None:
    assert [fault.pointer for fault in faults_of(_announced(**fields))] == [field]


def test_weights_sum_to_exactly_one_and_ids_are_named_once() -> None:
    """0.1 ten times is 1: decimal strings, not floats."""
    tenths = [INDICATOR | {"id": f"i{n}", "weight": "0.1"} for n in range(10)]
    assert faults_of(_announced(*tenths)) == []
    assert [f.detail for f in faults_of(_announced(*[INDICATOR | {"weight": "0.5"}] * 2))] == [
        "each id must be named once"
    ]
    assert [f.pointer for f in faults_of(_announced(indicators=[]))] == ["/data/indicators"]


def test_the_example_scheme_is_what_the_documents_say() -> None:
    """Kecepatan 0.40, kepuasan 0.30 against 88.31, ketepatan waktu 0.30; samples 30, 30, 10; coverage 0.60; 1/9."""
    rows = [(i.id, i.weight, i.target, i.min_n, i.cap) for i in CONTOH_2026.indicators]
    assert rows == [
        ("kecepatan", Fraction("0.4"), 100, 30, 120),
        ("kepuasan", Fraction("0.3"), Fraction("88.31"), 30, 120),
        ("ketepatan_waktu", Fraction("0.3"), 100, 10, 120),
    ]
    assert (CONTOH_2026.skm_weight, CONTOH_2026.min_coverage) == (NINTH, Fraction("0.6"))


@pytest.mark.parametrize(("text", "value"), [("0.4", "2/5"), ("1", "1"), ("100.000000000001", "100.000000000001")])
def test_a_decimal_string_is_exact(text: str, value: str) -> None:
    assert decimal(text) == Fraction(value)


@pytest.mark.parametrize(("text", "value"), [("1/9", "1/9"), ("0.111", "0.111"), ("0.11", "0.11"), ("2/18", "1/9")])
def test_the_weight_of_an_unsur_may_be_a_ratio(text: str, value: str) -> None:
    assert weight_of_unsur(text) == Fraction(value)


def _indicator(**fields: Any) -> Indicator:  # noqa: ANN401 - fields of an indicator
    usual: dict[str, Any] = {
        "id": "i",
        "numerator": "tasks_on_time",
        "denominator": "tasks",
        "direction": "higher",
        "target": Fraction(100),
        "cap": 120,
        "min_n": 1,
        "weight": Fraction(1),
    }
    return Indicator(**(usual | fields))


@pytest.mark.parametrize(
    ("numerator", "denominator", "amounts", "percent"),
    [
        ("tasks_on_time", "tasks", {"tasks": 3, "tasks_on_time": 2}, "200/3"),
        ("permits_rejected", "permits", {"permits": 4}, "0"),
        ("permits", "received", {"permits": 3, "received": 2}, "150"),
        ("capaian_sum_none", "capaian_n", {"capaian_n": 2, "capaian_sum_none": 25_000}, "125"),
        ("respondent_mean_sum", "respondents", {"respondents": 3, "respondent_mean_sum": 25_000}, "250/3"),
        ("overall_sum", "overall_n", {"overall_n": 1, "overall_sum": 3_333}, "33.33"),
        ("tasks_on_time", "tasks", {}, None),
        ("ikm", "respondents", {"respondents": 1, "unsur_n_waktu": 1, "unsur_sum_waktu": 4}, None),
    ],
)
def test_a_value_is_a_count_over_a_count_or_basis_points_over_a_count_in_percent(
    numerator: str, denominator: str, amounts: dict[str, int], percent: str | None
) -> None:
    value = value_of(_indicator(numerator=numerator, denominator=denominator), measured(**amounts), NINTH)
    assert value == (None if percent is None else Fraction(percent))


@pytest.mark.parametrize(
    ("direction", "target", "cap", "value", "capaian"),
    [
        ("higher", 80, None, "60", "75"),
        ("higher", 80, None, "100", "125"),
        ("higher", 80, 120, "100", "120"),
        ("higher", 80, 100, "80.01", "100"),
        ("higher", 80, 120, "0", "0"),
        ("lower", 10, None, "10", "100"),
        ("lower", 10, None, "5", "150"),
        ("lower", 10, None, "15", "50"),
        ("lower", 10, None, "20", "0"),
        ("lower", 10, None, "30", "0"),
        ("lower", 10, 120, "0", "120"),
        ("lower", 10, None, "0", "200"),
    ],
)
def test_an_indicators_capaian_is_floored_then_capped(
    direction: str, target: int, cap: int | None, value: str, capaian: str
) -> None:
    indicator = _indicator(direction=direction, target=Fraction(target), cap=cap)
    assert capaian_of(indicator, Fraction(value)) == Fraction(capaian)


SPEED = {"capaian_n": 30, "capaian_sum_120": 30 * 9_000}
TASKS = {"tasks_with_due": 10, "tasks_on_time": 8}
PLEASED = {"respondents": 30} | {f"unsur_n_{u}": 30 for u in UNSUR}
PLEASED |= {name.replace("_n_", "_sum_"): 30 * 4 for name in PLEASED if "unsur" in name}


@pytest.mark.parametrize(
    ("amounts", "coverage", "iku"),
    [
        ({}, "0", None),
        (SPEED, "0.4", None),
        (SPEED | {"capaian_n": 29}, "0", None),
        (SPEED | TASKS, "0.7", Fraction(90 * 4 + 80 * 3, 7)),
        (SPEED | TASKS | {"tasks_with_due": 9}, "0.4", None),
        (TASKS | PLEASED, "0.6", (80 + 100 / Fraction("0.8831")) / 2),
        (TASKS | PLEASED | {"respondents": 29}, "0.3", None),
        (SPEED | TASKS | PLEASED, "1", Fraction("36") + 24 + 30 / Fraction("0.8831")),
        (SPEED | TASKS | PLEASED | {"unsur_n_biaya": 0}, "0.7", Fraction(90 * 4 + 80 * 3, 7)),
    ],
)
def test_a_missing_part_is_not_zero_and_too_little_coverage_is_no_score(
    amounts: dict[str, int], coverage: str, iku: Fraction | None
) -> None:
    score = score_of(measured(**amounts), CONTOH_2026)
    assert (score.covered, score.value) == (Fraction(coverage), iku)


def test_a_score_reads_the_scheme_that_was_announced() -> None:
    """Its own cap, weight and minimum: one permit is enough here."""
    own = scheme_of(_announced(INDICATOR | {"numerator": "capaian_sum_none", "cap": None}))
    assert score_of(measured(capaian_n=1, capaian_sum_none=15_000), own).value == 150
