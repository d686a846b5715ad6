"""The reference of the mapping language: each example does what stands below it, and every key has one."""

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from streams.importing.mapping import Written
from streams.importing.rows import Mapping, Row, read_rows

PAGE: Final = (Path(__file__).parents[2] / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
EXAMPLES: Final = re.findall(r"```toml\n(.*?)```\n\n```csv\n(.*?)```\n\n```json\n(.*?)```", PAGE, re.DOTALL)
SHOWN_BY_SHEET: Final = {"sheet"}
"""A workbook is no text that a page can show; `test_workbook.py` holds the law."""


def told(row: Row) -> dict[str, Any]:
    if row.event is None:
        return {"skipped": row.skipped} if row.skipped else {"refused": row.refusal}
    data = row.event["data"]
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[0].splitlines()[0])
def test_an_example_does_what_stands_below_it(example: tuple[str, str, str], tmp_path: Path) -> None:
    toml, content, outcomes = example
    mapping, file = tmp_path / "mapping.toml", tmp_path / "rows.csv"
    mapping.write_text(toml, encoding="utf-8")
    rules = Mapping.load(mapping, {})
    file.write_text(content, encoding=rules.encoding)
    rows = [told(row) for row in read_rows(file, rules, "Asia/Jakarta")]
    assert rows == [json.loads(line) for line in outcomes.splitlines()]


def test_every_key_has_an_example() -> None:
    """And no example is left out for its form."""
    assert len(EXAMPLES) == PAGE.count("```toml")
    text = "\n".join(toml for toml, _, _ in EXAMPLES)
    keys = set(re.findall(r"^\[?([a-z_]+)", text, re.MULTILINE))
    assert set(Written.__struct_fields__) - keys == SHOWN_BY_SHEET
    assert all(f"`{key}`" in PAGE or f"`[{key}" in PAGE for key in Written.__struct_fields__)
