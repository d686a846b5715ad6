"""Times are read out of texts in one module: what the standard library tolerates changes with its version."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.test_source import ROOMS, SOURCES, text_of

EXEMPT: Final = {
    "streams/importing/": "the formats of foreign files are those of strptime, named by a mapping",
    "streams/emitting/http.py": "the date of a Retry-After header, which is no instant of an event",
}
PRODUCT: Final = tuple(f"{room}/" for room in ROOMS)
PARSERS: Final = {"fromisoformat", "strptime", "fromisocalendar", "parsedate", "parsedate_to_datetime", "parsedate_tz"}
DECODING: Final = {"convert", "decode", "Decoder"}
MOMENTS: Final = {"datetime", "date", "time", "timedelta"}


def named_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} | {
        part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)
    }


def left_to_a_library(text: str) -> list[int]:
    """The lines of a source that leave the reading of a time to the standard library, or to msgspec."""
    lines = []
    for node in ast.walk(ast.parse(text)):
        if (isinstance(node, ast.Attribute) and node.attr in PARSERS) or (
            isinstance(node, ast.Name) and node.id in PARSERS
        ):
            lines.append(node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DECODING:
            types = [*node.args[1:], *(word.value for word in node.keywords if word.arg == "type")]
            types += node.args[:1] if node.func.attr == "Decoder" else []
            lines += [node.lineno for type_ in types if MOMENTS & named_in(type_)]
    return lines


def test_no_time_is_read_by_what_may_read_it_otherwise_tomorrow() -> None:
    """`domain/clock.py` reads times by their patterns, and computes them."""
    sources = [source for source in SOURCES if source.startswith(PRODUCT)]
    offenders = [source for source in sources if left_to_a_library(text_of(source))]
    assert [source for source in offenders if not source.startswith(tuple(EXEMPT))] == []


def test_what_is_stored_is_read_by_the_rule_of_what_was_ever_stored() -> None:
    """The data of a recorded event may be spelt as only a former version took it."""
    strict = re.compile(r"parse_instant\([\w.]+\.data\[")
    assert [source for source in SOURCES if source.startswith(PRODUCT) and strict.search(text_of(source))] == []


def test_every_exemption_is_of_something_that_is_there() -> None:
    assert all(Path(text).exists() for text in EXEMPT)


@pytest.mark.parametrize(
    "text",
    [
        "datetime.fromisoformat(text)",
        "datetime.datetime.strptime(text, '%Y')",
        "email.utils.parsedate_to_datetime(text)",
        "parsedate_to_datetime(text)",
        "msgspec.convert(text, datetime)",
        "msgspec.json.decode(text, type=list[datetime.date])",
        "msgspec.json.Decoder(datetime | None)",
    ],
)
def test_each_way_of_leaving_it_to_a_library_is_seen(text: str) -> None:
    assert left_to_a_library(text)
