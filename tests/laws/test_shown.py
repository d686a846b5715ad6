"""Small cells: what the public is not shown of a cell, against a plain statement of the rule."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from domain.fold.shown import LEAST, left_out
from domain.measures import MEASURES

OVER: Final = {
    "permits": ("permits", "capaian"),
    "permits_with_standard": ("capaian", "permits_with_standard", "permits_on_time"),
    "capaian_n": ("capaian",),
    "tasks": ("tasks",),
    "tasks_with_due": ("tasks_with_due", "tasks_on_time"),
}
"""The measures that rest on each denominator, by how their names begin."""


def _plain(cell: dict[str, int]) -> dict[str, int]:
    small = [denominator for denominator in OVER if 0 < cell[denominator] < LEAST]
    return {
        name: amount
        for name, amount in cell.items()
        if amount and any(name.startswith(OVER[denominator]) for denominator in small)
    }


@given(st.lists(st.integers(0, 12), min_size=len(MEASURES), max_size=len(MEASURES)))
def test_what_is_left_out_is_each_amount_over_a_denominator_below_ten(amounts: list[int]) -> None:
    """Whatever else a cell holds: of ratings and of receipts nothing is left out here."""
    names = {MEASURES[index]: amount for index, amount in left_out(list(amounts))}
    assert names == _plain(dict(zip(MEASURES, amounts, strict=True)))


def test_ten_are_shown_and_nine_are_not() -> None:
    """Ten permits of which nine had a promise are shown, without the share that kept it."""
    cell = [0] * len(MEASURES)
    cell[MEASURES.index("permits")] = LEAST
    cell[MEASURES.index("permits_rejected")] = 2
    assert left_out(cell) == ()
    cell[MEASURES.index("permits_with_standard")] = LEAST - 1
    cell[MEASURES.index("permits_on_time")] = 4
    assert {MEASURES[index] for index, _ in left_out(cell)} == {"permits_with_standard", "permits_on_time"}
