"""Each row of the policy is called for real, and no route and no link of a page is without a row (H3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import pytest
from fastapi.routing import iter_route_contexts

from tests.attacks.matrix import (
    BUILT,
    LIMITS,
    MINE,
    NOBODY,
    OTHER,
    OWN,
    ROUTES,
    ROWS,
    SERVICE,
    TABLE,
    THEIRS,
    City,
    Row,
    Subject,
)
from tests.pages.reading import Page
from tests.serving import Assembled

if TYPE_CHECKING:
    from collections.abc import Iterator

AWAITED: Final = frozenset(
    {
        "GET /metrics",
    }
)
"""Routes of this table that are not as it says yet; each is to be taken out once it is."""
STARTS: Final = (
    "/",
    "/publik",
    "/asn",
    f"/dinas/{OWN}",
    f"/dinas/{OWN}/why",
    f"/dinas/{OWN}/events",
    f"/dinas/{OWN}/files",
    f"/dinas/{OWN}/file?service={SERVICE}&case=K-1",
    f"/dinas/{OWN}/late",
    f"/asn/{MINE}",
    f"/asn/{MINE}/why",
    f"/asn/{MINE}/events",
    f"/asn/{MINE}/late?kind=tasks",
    "/auditor",
    "/auditor/journal",
    "/auditor/journal/2",
    "/loket",
    f"/loket?dinas={OWN}",
    "/latihan",
    "/masuk",
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with Assembled(tmp_path_factory.mktemp("matrix") / "data") as neraca:
        yield City(neraca)


@pytest.mark.parametrize("route", [route for route in ROUTES if route not in AWAITED])
def test_each_row_comes_out_as_the_table_says(city: City, route: str) -> None:
    assert city.failures(route) == []


@pytest.mark.parametrize("route", sorted(AWAITED))
def test_no_route_is_awaited_that_is_there(city: City, route: str) -> None:
    assert city.failures(route) != [], f"{route} is as the table says: take it out of AWAITED"


@pytest.mark.parametrize("role", ["asn", "leader"])
def test_a_person_who_is_not_shown_is_answered_as_nobody_is(city: City, role: str) -> None:
    """The body, the type and the headers of a person who exists are those of one whom nothing ever named."""
    offenders = []
    for row in ROWS:
        if row.role == role and row.action == "read-person" and row.whose == "other":
            real, nobody = (city.ask(row, Subject(OTHER, asn)) for asn in (THEIRS, NOBODY))
            same = real.text.replace(THEIRS, NOBODY) == nobody.text
            headers = [
                {k: v for k, v in a.headers.items() if k not in ("content-length", "date")} for a in (real, nobody)
            ]
            if not same or headers[0] != headers[1] or real.status_code != nobody.status_code:
                offenders.append(row.route)
    assert offenders == []


def test_every_role_has_its_rows_for_every_route() -> None:
    """A route that misses a role is one that nobody decided about; rows of later issues may still complete it."""
    roles = {"public", *LIMITS}
    assert {row.role for row in TABLE} == roles
    routes = {row.route: {other.role for other in TABLE if other.route == row.route} for row in TABLE}
    assert {route: sorted(roles - in_table) for route, in_table in routes.items() if in_table != roles} == {}


def test_every_route_has_a_row(city: City) -> None:
    """Of the API's document, and of the pages beside it."""
    routes = {
        f"{method} {context.path}"
        for context in iter_route_contexts(city.neraca.framework.routes)
        for method in (context.methods or ())
        if method not in ("HEAD", "OPTIONS")
    }
    in_table = {route.partition("#")[0] for route in ROUTES}
    assert sorted(routes - in_table) == []
    assert sorted(in_table - routes - {route.partition("#")[0] for route in AWAITED}) == ["GET /static/neraca.css"] * (
        "GET /static/neraca.css" not in routes
    )


def test_every_link_of_a_page_has_a_row(city: City) -> None:
    """The pages as the operator sees them, who is offered all there is."""
    patterns = [
        re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(r.partition(" ")[2].partition("#")[0]))) for r in ROUTES
    ]
    strange = set()
    for start in STARTS:
        answer = city.neraca.get(start)
        assert answer.status_code == 200, (start, answer.text)
        for link in Page(answer.text).links:
            path = unquote(urlsplit(link).path)
            if link.startswith("/") and not any(pattern.fullmatch(path) for pattern in patterns):
                strange.add(path)
    assert strange == set()


def test_rows_of_later_issues_are_named() -> None:
    """A row that is not called says which issue brings its route."""
    assert {row.issue for row in TABLE} - BUILT == {"city", "engine", "pages", "proof"}


def test_the_table_names_no_row_twice() -> None:
    names = [Row(*row[:4], allowed=True, refused="", issue="") for row in TABLE]
    assert len(set(names)) == len(names)
