"""Each kind of fact posts its measures to its leaf account: tasks, receipts, ratings."""

from typing import Any

import pytest

from domain.fold.ledger import amounts_by_measure
from domain.fold.postings import postings_of
from tests.domain.said import DINAS, SERVICE, answered, balance, decided, entry

MONTH = {"month": "2026-11"}


def _task(*, on_time: bool | None = None, **data: str) -> Any:  # noqa: ANN401 - an entry
    values = MONTH if on_time is None else MONTH | {"on_time": on_time}
    return entry("task-completed", {"dinas": DINAS, "asn": "a-1", "resolved": values, **data})


def _asked(overall: int, scale: int | None = None) -> Any:  # noqa: ANN401 - an entry
    data = {"dinas": DINAS, "survey": "s", "overall": overall, "resolved": MONTH}
    return entry("satisfaction-rated", data | ({} if scale is None else {"scale": scale}))


@pytest.mark.parametrize(
    ("overall", "scale", "bp"),
    [
        (1, 4, 2_500),
        (4, None, 10_000),
        (3, None, 7_500),
        (1, 3, 3_333),
        (2, 3, 6_667),
        (1, 7, 1_429),
        (6, 7, 8_571),
        (1, 2, 5_000),
        (5, 6, 8_333),
        (10, 10, 10_000),
    ],
)
def test_a_single_question_posts_its_share_of_the_scale(overall: int, scale: int | None, bp: int) -> None:
    """Basis points of r/scale, half-up; a scale left out is 4."""
    assert amounts_by_measure(balance(_asked(overall, scale))) == {
        "overall_n": 1,
        "overall_sum": bp,
        "overall_sq": bp * bp,
    }


@pytest.mark.parametrize(
    ("unsur", "mean_bp"),
    [
        ({"waktu": 4}, 10_000),
        ({"waktu": 1}, 2_500),
        ({"waktu": 3, "biaya": 4}, 8_750),
        ({"waktu": 3, "biaya": 3, "produk": 4}, 8_333),
        ({"waktu": 3, "biaya": 4, "produk": 4}, 9_167),
        ({"waktu": 1, "biaya": 1, "produk": 1, "perilaku": 1, "sarana": 1, "prosedur": 1, "kompetensi": 2}, 2_857),
    ],
)
def test_a_respondent_posts_each_answer_by_name_and_the_mean_of_those_given(
    unsur: dict[str, int], mean_bp: int
) -> None:
    amounts = amounts_by_measure(balance(answered(unsur)))
    assert amounts.pop("respondents") == 1
    assert (amounts.pop("respondent_mean_sum"), amounts.pop("respondent_mean_sq")) == (mean_bp, mean_bp * mean_bp)
    assert amounts == {f"unsur_n_{name}": 1 for name in unsur} | {f"unsur_sum_{name}": n for name, n in unsur.items()}


@pytest.mark.parametrize(
    ("on_time", "reported_by", "amounts"),
    [
        (None, None, {"tasks": 1}),
        (None, "self", {"tasks": 1, "tasks_self_reported": 1}),
        (True, "system", {"tasks": 1, "tasks_with_due": 1, "tasks_on_time": 1}),
        (False, "self", {"tasks": 1, "tasks_with_due": 1, "tasks_self_reported": 1}),
    ],
)
def test_a_task_without_a_due_time_is_volume_neither_late_nor_on_time(
    on_time: object, reported_by: str | None, amounts: dict[str, int]
) -> None:
    due = None if on_time is None else bool(on_time)
    assert (
        amounts_by_measure(balance(_task(on_time=due, **({"reported_by": reported_by} if reported_by else {}))))
        == amounts
    )


def test_a_fact_moves_one_leaf_account_and_absent_parts_of_its_name_are_empty() -> None:
    """Dinas, ASN, service, month."""
    rating = entry(
        "satisfaction-rated",
        {"dinas": DINAS, "service": SERVICE, "case": "K-1", "asn": "a-2", "overall": 1, "resolved": MONTH},
    )
    receipt = entry(
        "permit-received", {"dinas": DINAS, "service": SERVICE, "case": "K-1", "resolved": MONTH | {"received_us": 0}}
    )
    accounts = [
        posting.account for each in (_task(), rating, receipt, decided(1), _asked(1)) for posting in postings_of(each)
    ]
    assert accounts == [
        (DINAS, "a-1", "", "2026-11"),
        (DINAS, "a-2", SERVICE, "2026-11"),
        (DINAS, "", SERVICE, "2026-11"),
        (DINAS, "", SERVICE, "2026-11"),
        (DINAS, "", "", "2026-11"),
    ]
    assert amounts_by_measure(balance(receipt)) == {"received": 1}
