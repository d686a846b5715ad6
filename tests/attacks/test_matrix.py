"""Each row of the policy is called for real, and no route and no link of a page is without a row (H3)."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

import pytest
from fastapi.routing import iter_route_contexts

from api.pages.router import PAGES
from domain.events.kinds import KINDS
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
    SUBJECTS,
    TABLE,
    THEIRS,
    City,
    Row,
    Subject,
    is_answered,
)
from tests.pages.reading import FAR, Page
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERIES: Final = {
    "/dinas/{dinas}/file": f"service={SERVICE}&case=K-1",
    "/asn/{asn}/late": "kind=tasks",
    "/asn/{asn}/task": "at={at}",
}
"""The queries without which a page would be a refusal."""


def starts(city: City) -> Iterator[str]:
    """An address of every page that a browser can go to."""
    blanks = {"dinas": OWN, "asn": MINE, "position": "2", "at": city.position_of_task(MINE)}
    for path in PAGES:
        yield f"{path}?{QUERIES.get(path, '')}".rstrip("?").format(**blanks)
    yield f"/loket?dinas={OWN}"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with Assembled(tmp_path_factory.mktemp("matrix") / "data") as neraca:
        yield City(neraca)


@pytest.mark.parametrize("route", ROUTES)
def test_each_row_comes_out_as_the_table_says(city: City, route: str) -> None:
    assert city.failures(route) == []


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


def test_a_ticket_opens_nothing_that_nobody_may(city: City) -> None:
    """Sent in place of a token on every route: what the public is refused is refused, but for the rating of its own case."""
    case = city.decided(OWN)
    names = json.dumps([*case.values(), city.ticket(case)]).encode()
    city.tokens["ticket"] = f"Ticket {base64.urlsafe_b64encode(names).decode().rstrip('=')}"
    calls = [
        (row._replace(role="ticket"), subject)
        for row in ROWS
        if row.role == "public" and not row.allowed
        for subject in SUBJECTS[row.whose]
    ]
    assert len(calls) > len(KINDS)
    assert [(row.route, subject) for row, subject in calls if is_answered(city.ask(row, subject))] == []
    rating = event("satisfaction-rated", "tiket", {**case, "overall": 4, "scale": 4})
    assert city.neraca.post(rating, headers=city.headers("ticket"), **FAR).status_code == 201


def test_every_role_has_its_rows_for_every_route() -> None:
    """A route that misses a role is one that nobody decided about; rows of a later version may still complete it."""
    roles = {"public", *LIMITS}
    assert {row.role for row in TABLE} == roles
    routes = {row.route: {other.role for other in TABLE if other.route == row.route} for row in TABLE}
    assert {route: sorted(roles - in_table) for route, in_table in routes.items() if in_table != roles} == {}


def test_every_route_has_a_row(city: City) -> None:
    """Of the API's document, and of the pages beside it; metrics are on the operator's own port, but under `--open`."""
    in_table = {route.partition("#")[0] for route in ROUTES}
    for app, away in ((city.neraca.built, []), (city.closed, ["GET /metrics"])):
        routes = {
            f"{method} {context.path}"
            for context in iter_route_contexts(app.framework.routes)
            for method in (context.methods or ())
            if method not in ("HEAD", "OPTIONS")
        }
        assert sorted(routes - in_table) == []
        assert sorted(in_table - routes) == away


def test_every_kind_has_rows() -> None:
    assert {f"POST /v1/events#{kind}" for kind in KINDS} <= set(ROUTES)


def test_every_link_of_a_page_has_a_row(city: City) -> None:
    """The pages as the operator sees them, who is offered all there is."""
    patterns = [
        re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(r.partition(" ")[2].partition("#")[0]))) for r in ROUTES
    ]
    strange = set()
    for start in starts(city):
        answer = city.neraca.get(start)
        assert answer.status_code == 200, (start, answer.text)
        for link in Page(answer.text).links:
            path = unquote(urlsplit(link).path)
            if link.startswith("/") and not any(pattern.fullmatch(path) for pattern in patterns):
                strange.add(path)
    assert strange == set()


def test_rows_of_a_later_version_are_named() -> None:
    """A row that is not called says which version brings its route."""
    assert {row.version for row in TABLE} - BUILT == {"city", "engine", "pages", "proof"}


def test_the_table_names_no_row_twice() -> None:
    names = [Row(*row[:4], allowed=True, refused="", version="") for row in TABLE]
    assert len(set(names)) == len(names)
