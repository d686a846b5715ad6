"""Nothing but the policy decides who may do what: no route, page, stream or intake looks at a grant's roles and limits itself."""

import ast
from collections.abc import Iterator
from typing import Final

from tests.tidy.test_source import SOURCES, tree

DECIDES: Final = "domain/access/"
KEEPS: Final = ("streams/places/tokens.py", "neraca/making.py")
"""The store of tokens, and the command that makes them: they write roles and limits down."""
RIGHTS: Final = frozenset({"roles", "scopes"})
LIMITS: Final = frozenset({"dinas", "sources", "asn", "case", "until_us", "alone"})
ROOMS: Final = ("api/", "streams/", "projections/", "neraca/")


def is_of_grant(node: ast.AST) -> bool:
    """True of a limit that is read from something called a grant."""
    if not isinstance(node, ast.Attribute) or node.attr not in LIMITS:
        return False
    owner = node.value
    return (owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")) == "grant"


def decisions(module: ast.Module) -> Iterator[int]:
    """The lines that look at roles, or compare a limit."""
    for node in ast.walk(module):
        if isinstance(node, ast.Attribute) and node.attr in RIGHTS:
            yield node.lineno
        if isinstance(node, ast.Compare) and any(map(is_of_grant, ast.walk(node))):
            yield node.lineno


def test_nothing_but_the_policy_decides() -> None:
    offenders = [
        f"{source}:{line}"
        for source in SOURCES
        if source.startswith(ROOMS) and source not in KEEPS
        for line in decisions(tree(source))
    ]
    assert offenders == []


def test_a_decision_elsewhere_would_be_seen() -> None:
    for text in ('"read" in grant.scopes', "dinas in grant.dinas", "query.grant.asn == asn", "set(grant.roles)"):
        assert list(decisions(ast.parse(text))), text
