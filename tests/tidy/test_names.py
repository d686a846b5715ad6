"""Variables and parameters are named by nouns: a participle says what was done to a thing, not what the thing is."""

import ast
import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.tidy.test_source import ROOMS, SOURCES, tree

NAMED_BY_NOUNS: Final = tuple(f"{folder}/" for folder in (*ROOMS, "benchmarks", "local", "tests"))
PARTICIPLE: Final = re.compile(
    r"""[a-z]+ed | ones?
    | begun | borne | bought | bound | bred | broken | brought | built | caught | chosen | dealt | done | drawn | driven
    | eaten | fallen | felt | fought | found | forgotten | given | gone | got | grown | heard | held | hidden | kept
    | known | laid | led | left | lent | lost | made | meant | met | paid | read | said | seen | sent | shown | sold
    | sought | spelt | spent | stood | struck | stuck | sunk | swept | taken | taught | thought | thrown | told | torn
    | understood | woken | won | worn | written""",
    re.VERBOSE,
)
"""Participles, and ``one``, which names nothing. Those that are nouns too are left out, such as ``run`` and ``cut``."""
NOUNS: Final = frozenset({"bed", "embed", "feed", "need", "seed", "speed"})
"""Nouns that end as participles do."""
ALLOWED: Final = {
    ("left", "domain/fold/casefiles.py"): "the left one of two, beside the right one",
    ("published", "*"): "the option --published of `neraca replay`: an adjective",
    ("undivided", "*"): "the option --undivided of `neraca rebuild`: an adjective",
    ("assigned", "streams/worker/shell.py"): "the parameter of Faust's own method",
    ("assigned", "tests/kafka/test_guards_seek.py"): "the parameter of Faust's own method",
}


def is_participle(name: str) -> bool:
    word = name.strip("_")
    return PARTICIPLE.fullmatch(word) is not None and word not in NOUNS


def fields_of(module: ast.Module) -> set[int]:
    """The names that classes bind in their bodies: fields, which may say what holds of their owner (``repeated: bool``)."""
    statements = [statement for node in ast.walk(module) if isinstance(node, ast.ClassDef) for statement in node.body]
    targets = [
        target
        for statement in statements
        if isinstance(statement, ast.AnnAssign | ast.Assign)
        for target in ([statement.target] if isinstance(statement, ast.AnnAssign) else statement.targets)
    ]
    return {id(node) for target in targets for node in ast.walk(target)}


def bindings(module: ast.Module) -> Iterator[str]:
    """Each variable and parameter that a module binds, once for each place where it does."""
    fields = fields_of(module)
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) if id(node) not in fields and not name.isupper():
                yield name
            case ast.arg(arg=name) | ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)) | ast.alias(asname=str(name)):
                yield name
            case _:
                pass


def is_allowed(name: str, source: str) -> bool:
    return (name, source) in ALLOWED or (name, "*") in ALLOWED


def test_a_variable_is_named_by_a_noun() -> None:
    """No variable, parameter or fixture is a bare participle: ``row`` and ``error``, not ``held`` and ``found``."""
    offenders = {
        f"{source}: {name}"
        for source in SOURCES
        if source.startswith(NAMED_BY_NOUNS)
        for name in bindings(tree(source))
        if is_participle(name) and not is_allowed(name, source)
    }
    assert offenders == set()


def test_each_exception_is_needed() -> None:
    """A name that is allowed is bound somewhere; an exception that nothing needs any more goes."""
    pairs = {(name, source) for source in SOURCES for name in bindings(tree(source))}
    names = {name for name, _ in pairs}
    assert [pair for pair in ALLOWED if pair not in pairs and not (pair[1] == "*" and pair[0] in names)] == []


@pytest.mark.parametrize(
    "text",
    [
        "held = 1",
        "def f(found): ...",
        "for one in (): ...",
        "with open('x') as opened: ...",
        "if (kept := 1): ...",
        "try: ...\nexcept ValueError as raised: ...",
        "match 1:\n    case sent: ...",
        "import json as imported",
        "[taken for taken in ()]",
        "lambda shown: 0",
        "self, (_read, _) = 1, (2, 3)",
    ],
)
def test_every_way_to_bind_a_name_is_seen(text: str) -> None:
    assert any(map(is_participle, bindings(ast.parse(text))))


def test_fields_constants_and_nouns_are_no_variables() -> None:
    text = "class Outcome:\n    repeated: bool = False\n    kept = 1\nKEPT = 1\nseed, row, feed = 1, 2, 3"
    assert not any(map(is_participle, bindings(ast.parse(text))))
