"""The style, held as tests: size, names and openings of every file, and what may stand in none."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("domain", "projections", "streams", "api", "audit", "neraca")
FOLDERS: Final = (*ROOMS, "benchmarks", "local", "tests")
SOURCES: Final = tuple(
    sorted(
        str(path.relative_to(ROOT))
        for path in [*ROOT.glob("*.py"), *(p for f in FOLDERS for p in ROOT.glob(f"{f}/**/*.py"))]
    )
)
LINES_MOST: Final = 300
FUNCTION_MOST: Final = 40
TEST_MOST: Final = 60
"""A test tells a history, and what must hold of it, in one piece."""
LONGER: Final = {
    "tests/streams/test_demo.py": "one simulated city, and what must hold of it",
    "tests/streams/test_importer.py": "tables of files as they come",
}
LONGER_FUNCTIONS: Final[dict[str, str]] = {}
NO_SUBJECT: Final = re.compile(r"(Who|What|Where)(ever)?\b")
FORBIDDEN_NAMES: Final = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}


@cache
def text_of(source: str) -> str:
    return (ROOT / source).read_text(encoding="utf-8")


@cache
def tree(source: str) -> ast.Module:
    return ast.parse(text_of(source))


def lines_of(source: str) -> int:
    return len(text_of(source).splitlines())


def test_a_module_says_what_it_owns() -> None:
    """Every module with code opens with a docstring."""
    assert [source for source in SOURCES if tree(source).body and not ast.get_docstring(tree(source))] == []


def test_a_file_holds_one_idea() -> None:
    """Files have 300 lines at most; what is longer is named here with its reason."""
    assert {source for source in SOURCES if lines_of(source) > LINES_MOST} <= set(LONGER)


def test_a_function_fits_on_a_screen() -> None:
    """Functions have 40 lines at most, tests 60."""
    long = {
        f"{source}:{node.name}"
        for source in SOURCES
        for node in ast.walk(tree(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1
        > (TEST_MOST if source.startswith("tests/") else FUNCTION_MOST)
    }
    assert long <= set(LONGER_FUNCTIONS)


def docstrings(source: str) -> list[str]:
    """The docstrings of a file, those under constants and fields too, each on one line."""
    bodies = (getattr(node, "body", []) for node in ast.walk(tree(source)))
    return [
        " ".join(statement.value.value.split())
        for body in bodies
        if isinstance(body, list)
        for statement in body
        if isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    ]


def test_a_sentence_opens_with_its_subject() -> None:
    """No sentence of a room's docstring opens with a question word for a person, a thing or a place."""
    offenders = [
        f"{source}: {sentence}"
        for source in SOURCES
        if source.startswith(tuple(f"{room}/" for room in (*ROOMS, "local")))
        for docstring in docstrings(source)
        for sentence in docstring.split(". ")
        if NO_SUBJECT.match(sentence)
    ]
    assert offenders == []


def test_a_name_says_something() -> None:
    """No file or folder has a name under which anything could be put."""
    parts = {part.removesuffix(".py") for source in SOURCES for part in Path(source).parts}
    assert parts.isdisjoint(FORBIDDEN_NAMES)


def test_what_is_to_do_has_an_issue() -> None:
    """A note of something to do is followed by its issue in brackets."""
    pattern = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b(?!\(#\d+\))")
    assert [source for source in SOURCES if pattern.search(text_of(source))] == []


def test_what_a_linter_is_told_to_leave_has_its_reason() -> None:
    """A line the linters are told to leave says why; a type checker's exception may be told by the words before it."""
    silent = re.compile(r"#\s*noqa\b(?!: [A-Z]+\d+(?:, [A-Z]+\d+)* - \w)")
    offenders = [
        f"{source}: {line.strip()}"
        for source in SOURCES
        for line in text_of(source).splitlines()
        if silent.search(line) and "re.compile" not in line
    ]
    assert offenders == []


def test_the_domain_knows_no_fractions_of_two() -> None:
    """Money, time and scores are integers and exact ratios; only JSON's own numbers pass the wire's edge as they came."""
    floats = {
        (source, node.id if isinstance(node, ast.Name) else repr(node.value))
        for source in SOURCES
        if source.startswith("domain/")
        for node in ast.walk(tree(source))
        if (isinstance(node, ast.Name) and node.id == "float")
        or (isinstance(node, ast.Constant) and isinstance(node.value, float))
    }
    assert floats == {("domain/intake/strict_json.py", "float")}


def test_the_formatter_lays_everything_out() -> None:
    """No line is kept from the formatter."""
    mark = "# fmt" + ": "
    assert [source for source in SOURCES if mark in text_of(source)] == []
