"""Pages and their templates agree: each name that a template uses is a field of its page or of the frame, and no field idles."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Final

from jinja2 import Environment, PackageLoader, nodes
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from api.pages.frame import Frame, Reading
from api.pages.page import AddressedPage, Fragment, Page, ReadingPage
from api.pages.problem import ProblemPage
from api.pages.router import ADDRESSED, PAGES

ABSTRACT: Final = {Page, Fragment, ReadingPage, AddressedPage}
MARKED: Final = "current"
"""The only name that a template sets for the frame around it: which link of the navigation it is."""
ENVIRONMENT: Final = Environment(loader=PackageLoader("api"), autoescape=True)


def kinds_of(page: type[Page]) -> Iterator[type[Page]]:
    """A type of page and all types made of it."""
    yield page
    for kind in page.__subclasses__():
        yield from kinds_of(kind)


TYPES: Final = sorted((page for page in kinds_of(Page) if page not in ABSTRACT), key=lambda page: page.__name__)


def source_of(template: str) -> nodes.Template:
    assert ENVIRONMENT.loader is not None
    return ENVIRONMENT.parse(ENVIRONMENT.loader.get_source(ENVIRONMENT, template)[0])


def extended_by(template: str) -> str | None:
    """The template that one is laid into."""
    parents = [node.template for node in source_of(template).find_all(nodes.Extends)]
    return str(parents[0].value) if parents and isinstance(parents[0], nodes.Const) else None


def set_in(tree: nodes.Template) -> set[str]:
    """The names that a template sets itself: imports, macros, and variables."""
    targets = [node.target for node in tree.find_all(nodes.Assign)]
    variables = [name for target in targets for name in (target, *target.find_all(nodes.Name))]
    return {
        *(node.target for node in tree.find_all(nodes.Import)),
        *(node.name for node in tree.find_all(nodes.Macro)),
        *(name.name for name in variables if isinstance(name, nodes.Name)),
    }


def names_of(template: str) -> set[str]:
    """The names that a template takes from outside itself."""
    tree = source_of(template)
    return find_undeclared_variables(tree) - set_in(tree)


def used_by(page: type[Page]) -> set[str]:
    """The names that the template of a page and the one around it use."""
    around = extended_by(page.template)
    return names_of(page.template) | (names_of(around) - {MARKED} if around else set())


def given_to(page: type[Page]) -> set[str]:
    """The names beside the fields of a page that its template may use."""
    if issubclass(page, Fragment):
        return {"t", "link"}
    return {*Frame.__struct_fields__, *(Reading.__struct_fields__ if issubclass(page, ReadingPage) else ())}


def put_in_tables(page: type[Page]) -> set[str]:
    """The fields that a page's tables for spreadsheets are made of."""
    method = ast.parse(textwrap.dedent(inspect.getsource(page.tables)))
    return {
        node.attr
        for node in ast.walk(method)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


def test_the_types_are_those_of_the_router_and_those_of_an_answer_to_a_form() -> None:
    apart = {page for page in TYPES if page not in PAGES.values()}
    assert {page.__name__ for page in apart} == {"ProblemPage", "AgainPage", "BoardMoved", "ReadAt"}
    assert ProblemPage in apart
    assert all(issubclass(page, AddressedPage) for page in ADDRESSED.values())


def test_a_template_uses_fields_of_its_page_and_of_the_frame_alone() -> None:
    """So no name can be missing at run time: the type checker demands every field of a page."""
    unknown = {page: used_by(page) - set(page.__struct_fields__) - given_to(page) for page in TYPES}
    assert {page.__name__: names for page, names in unknown.items() if names} == {}
    hiding = {page: set(page.__struct_fields__) & given_to(page) for page in TYPES}
    assert {page.__name__: names for page, names in hiding.items() if names} == {}, "they hide names of the frame"


def test_a_page_has_no_field_that_nothing_uses() -> None:
    """Neither its template nor its tables."""
    idle = {page: set(page.__struct_fields__) - used_by(page) - put_in_tables(page) for page in TYPES}
    assert {page.__name__: names for page, names in idle.items() if names} == {}


def test_the_frame_has_no_name_that_no_template_uses() -> None:
    names_used = set().union(*(used_by(page) for page in TYPES))
    assert {*Frame.__struct_fields__, *Reading.__struct_fields__} <= names_used


def test_a_template_that_is_imported_takes_all_it_needs_as_arguments() -> None:
    """It sees no names of a page: a name that is not handed to its macro is not there."""
    own = {page.template for page in TYPES}
    templates = {template for template in ENVIRONMENT.list_templates() if template not in own | {"base.html"}}
    assert {template: names for template in templates if (names := names_of(template))} == {}


def test_every_template_is_of_a_page_or_imported_by_one() -> None:
    templates, waiting = {"base.html"}, [page.template for page in TYPES]
    while waiting:
        template = waiting.pop()
        if template not in templates:
            templates.add(template)
            waiting += [name for name in find_referenced_templates(source_of(template)) if name]
    assert set(ENVIRONMENT.list_templates()) == templates
