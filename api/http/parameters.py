"""Query parameters: each route knows its own by their exact names, and takes each once; any other is refused by name.

A misspelt parameter would otherwise be answered with another question's figures, and nothing would say so.
"""

from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping
from inspect import isclass
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from domain.refusal import Fault, Refusal, pointer

Known = frozenset[str]
NONE: Final[Known] = frozenset()


class UnknownParameters(Refusal):
    """A query holds parameters that its route does not know, or one of them more than once."""

    def __init__(self, names: Mapping[str, str]) -> None:
        faults = [Fault(pointer("", name), detail) for name, detail in names.items()]
        super().__init__("invalid-query", "; ".join(f"{name}: {detail}" for name, detail in names.items()), *faults)
        self.names = tuple(names)


def check(query: list[tuple[str, str]], known_names: Known) -> None:
    """Refuse a query with a parameter that is not known, or with one that is repeated. Raises: ``UnknownParameters``."""
    wrong = {}
    for name, times in Counter(name for name, _ in query).items():
        if name not in known_names:
            rows = ", ".join(sorted(known_names))
            wrong[name] = f"is no parameter here; there {f'are {rows}' if rows else 'is none'}"
        elif times > 1:
            wrong[name] = "stands more than once"
    if wrong:
        raise UnknownParameters(wrong)


def checking(
    table: Mapping[str, Known], names: Collection[str] = (), check_first: Callable[[Request], None] = lambda _: None
) -> Callable[[Request], Coroutine[None, None, None]]:
    """The dependency that checks the query of every request to a route.

    A route knows the parameters of its own signature; ``table`` adds, by path, those that a route reads by itself. A query
    with one of some ``names`` is first checked by ``check_first``, beside the event loop.
    """
    known_names: dict[str, Known] = {}

    async def check_query(request: Request) -> None:
        if not request.scope["query_string"]:
            return
        route = request.scope["route"]
        if any(name in request.query_params for name in names):
            await run_in_threadpool(check_first, request)
        if route.path not in known_names:
            known_names[route.path] = known_to(route, table)
        check(request.query_params.multi_items(), known_names[route.path])

    return check_query


def known_to(route: APIRoute, table: Mapping[str, Known]) -> Known:
    """The parameters that a route knows."""
    return frozenset(_declared(route.dependant)) | table.get(route.path, NONE)


def _declared(dependant: Dependant) -> Iterator[str]:
    """The parameters of a signature, and of those that it depends on."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isclass(model) and issubclass(model, BaseModel):
            yield from (inner.alias or name for name, inner in model.model_fields.items())
        else:
            yield field.alias
    for dependency in dependant.dependencies:
        yield from _declared(dependency)
