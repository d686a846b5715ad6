"""The list of security requirements is whole, and each that counts as met names a test or a file that exists."""

import re
from pathlib import Path
from typing import Final

from tests.serving import ROOT
from tests.tidy.test_house import text_of

ROW: Final = re.compile(r"^\| (V\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
LEVEL_1: Final = {
    "V1": "2.1-5 3.1-2 5.1",
    "V2": "1.1 2.1-2 3.1",
    "V3": "2.1-2 3.1 4.1-2 5.1-3",
    "V4": "1.1 4.1",
    "V5": "2.1-2 3.1-2",
    "V6": "1.1 2.1-8 3.1-2 4.1-2",
    "V7": "2.1-4 4.1-2",
    "V8": "1.1 2.1-2 3.1",
    "V9": "1.1-3 2.1",
    "V10": "4.1-5",
    "V11": "3.1-2 4.1",
    "V12": "1.1 2.1-2",
    "V13": "4.1",
    "V14": "2.1 3.1",
    "V15": "1.1 2.1 3.1",
}
"""The requirements of ASVS 5.0.0, by chapter: sections with the numbers of their requirements."""
LEVEL_2: Final = {
    "V1": "1.1-2 2.6-9 3.3-11 4.1-3 5.2",
    "V2": "1.2-3 2.3 3.2-4 4.1",
    "V5": "1.1 2.3 4.1-3",
    "V6": "1.2-3 2.9-12 3.3-4 4.3-4 5.1-5 6.1-3 8.1-4",
    "V7": "1.1-3 3.1-2 4.3-5 5.1-2 6.1-2",
    "V8": "1.2 2.3 4.1",
    "V11": "1.1-2 2.1-3 3.3 4.2-4 5.1 6.1",
    "V16": "1.1 2.1-5 3.1-4 4.1-3 5.1-3",
}
STATES: Final = {"met", "in part", "**not met**", "does not apply"}


def requirements(table: dict[str, str]) -> list[str]:
    """Every requirement of a table, by its number."""
    numbers = []
    for chapter, sections in table.items():
        for section in sections.split():
            name, _, span = section.partition(".")
            first, _, last = span.partition("-")
            numbers += [f"{chapter}.{name}.{number}" for number in range(int(first), int(last or first) + 1)]
    return numbers


def test_each_requirement_has_one_row_in_a_known_state() -> None:
    rows = ROW.findall(text_of("docs/asvs.md"))
    by_level = {level: [row[0] for row in rows if row[1] == level] for level in "12"}
    assert (len(requirements(LEVEL_1)), len(requirements(LEVEL_2))) == (70, 95)
    assert sorted(by_level["1"]) == sorted(requirements(LEVEL_1))
    assert sorted(by_level["2"]) == sorted(requirements(LEVEL_2))
    assert {row[3] for row in rows} <= STATES


def test_each_named_test_and_file_exists() -> None:
    """Of a test named within a file its very name."""
    for number, _, _, _, evidence in ROW.findall(text_of("docs/asvs.md")):
        for path, name in re.findall(r"`([a-z_]+/[\w./-]+?)(?:::(\w+))?`", evidence):
            assert (ROOT / path).exists(), (number, path)
            assert not name or f"def {name}(" in Path(ROOT / path).read_text(encoding="utf-8"), (number, name)


def test_the_counts_are_those_of_the_rows() -> None:
    text = text_of("docs/asvs.md")
    rows = ROW.findall(text)
    for level, head in (("1", "Level 1: "), ("2", "Level 2, the chapters named: ")):
        counts = {
            state: int(number)
            for number, state in re.findall(r"(\d+) ([a-z ]+)", text.partition(head)[2].partition(".")[0])
        }
        states = [row[3].strip("*") for row in rows if row[1] == level]
        assert counts == {state: states.count(state) for state in set(states)}
