"""Numbers of files in many notations: whole by their value, or refused where they may be another."""

from pathlib import Path

import pytest

from tests.streams.desk import Desk, data, refusal


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


SURVEY = """
kind = "satisfaction-rated"
source = "/import/test"
{more}
[fields]
survey = "resp"
time = "T"
overall = "o"
[fixed]
dinas = "d"
scale = 10
[values.overall]
"NaN" = ""
"""


@pytest.mark.parametrize(
    ("decimal", "text", "number"),
    [
        ("", "4", 4),
        ("", "4.0", 4),
        ("", "4,0", 4),
        ("", "4.00", 4),
        ("", "+4.0", 4),
        ("", "4E0", 4),
        ("", "4.0e+00", 4),
        ("", " 4 ", 4),
        ("", "NaN", None),
        ("", "", None),
        (".", "4.000", 4),
        (",", "4,000", 4),
        (",", "4", 4),
        (".", "1,000", 1000),
        (",", "1.000", 1000),
        (",", "1.000,0", 1000),
        (".", "12,345,678.0", 12_345_678),
        ("", "-0.0", 0),
    ],
)
def test_a_number_whose_value_is_whole_is_one(desk: Desk, decimal: str, text: str, number: int | None) -> None:
    more = 'delimiter = ";"\n' + (f'decimal = "{decimal}"' if decimal else "")
    (item,) = desk.read(f"resp;T;o\n1;2026-03-01 08:00;{text}\n", SURVEY.format(more=more))
    assert data(item).get("overall") == number


@pytest.mark.parametrize(
    ("decimal", "text"),
    [
        ("", "4.5"),
        ("", "3,5"),
        ("", "1.000"),
        ("", "1,000"),
        (",", "4.0"),
        (".", "4,0"),
        ("", "four"),
        ("", "4e-1"),
        ("", "9" * 19),
        ("", "1e30"),
        ("", "4.0.0"),
        ("", "٤"),
        ("", "Infinity"),
        (",", "1.00,0"),
    ],
)
def test_a_number_that_may_be_another_is_refused(desk: Desk, decimal: str, text: str) -> None:
    """`1.000` is one in one country and a thousand in another: the mapping has to say which."""
    more = 'delimiter = ";"\n' + (f'decimal = "{decimal}"' if decimal else "")
    (item,) = desk.read(f"resp;T;o\n1;2026-03-01 08:00;{text}\n", SURVEY.format(more=more))
    assert refusal(item).startswith("overall: ")
    assert ("may be" in refusal(item)) == (text in {"1.000", "1,000"})


@pytest.mark.parametrize(("value", "number"), [("4.0", 4), ("4", 4), ("4e0", 4), ('"4.0"', 4), ("null", None)])
def test_a_number_of_ndjson_is_whole_by_its_value(desk: Desk, value: str, number: int | None) -> None:
    (item,) = desk.read(
        f'{{"resp": 7.0, "T": "2026-03-01 08:00", "o": {value}}}', SURVEY.format(more=""), "rows.ndjson"
    )
    assert data(item).get("overall") == number
    assert data(item)["survey"] == "7"
