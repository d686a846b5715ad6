"""Instants of lines, read by a table of hours: each is the one that is read by its pattern, whatever the text."""

from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.clock import Months, line_instant, line_utc, local_month, stored_instant, utc_text
from tests.laws.histories import bounded
from tests.laws.strategies import ZONE as NAME

ZONE = ZoneInfo(NAME)
HEADS = ("2026-11-24", "9999-12-31", "0001-01-01", "2026-02-29", "2026-12-31")
PARTS = st.tuples(
    st.sampled_from(HEADS),
    st.sampled_from(("T", " ", "t")),
    st.sampled_from(("00", "10", "23", "24", "1x")),
    st.sampled_from((":", "x")),
    st.sampled_from(("00", "30", "59", "60", "\u0660\u0663")),
    st.sampled_from((":", "-")),
    st.sampled_from(("00", "07", "59", "60")),
    st.sampled_from(
        (
            "",
            ".",
            ".5",
            ".123",
            ".12\u0663",
            ".+23",
            ".1 3",
            ".123456",
            ".1234567",
            f".{'123' * 10}",
            f".{'1' * 31}",
            ".\u0660\u0660\u0660\u0660\u0660\u0660",
            ".12345x",
        )
    ),
    st.sampled_from(("Z", "z", "+07:00", "-00:30", "+05:30", "+07:60", "+23:59", "")),
)


def _read(text: str) -> object:
    try:
        return stored_instant(text)
    except ValueError as error:
        return str(error)


def _read_by_table(text: str) -> object:
    try:
        utc, instant_us = line_utc(text)
        assert line_instant(text) == instant_us
        assert utc == utc_text(instant_us)
    except ValueError as error:
        return str(error)
    return instant_us


@bounded(600)
@given(st.lists(PARTS, min_size=1, max_size=8))
def test_the_table_of_hours_reads_what_the_pattern_reads(parts: list[tuple[str, ...]]) -> None:
    texts = ["".join(part) for part in parts]
    for text in (*texts, *texts):  # the second time its hour is known
        assert _read_by_table(text) == _read(text), text


@bounded(200)
@given(st.integers(1_700_000_000_000_000, 1_900_000_000_000_000))
def test_months_are_those_of_the_zone(instant_us: int) -> None:
    months = Months(ZONE)
    assert months.of(instant_us) == months.of(instant_us) == local_month(instant_us, ZONE)
