"""Every route takes the parameters it knows, by their exact names and once each, and refuses any other by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from msgspec.structs import replace

from api.app import build
from api.http.parameters import known_to
from api.pages.router import PAGES, PARAMETERS
from tests.pages.every import ADDRESSES
from tests.serving import Assembled, event

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-20T10:00:00+07:00"}
BLANKS: Final = {"dinas": "d", "asn": "a-1", "position": "2", "code": "asn-1"}
UNKNOWN: Final = ("page", "periode", "PERIOD", "Limit", "a/b", "utm_source", "")
STREAMS: Final = {"/v1/stream", "/live/board"}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """One task, behind everything that can be offered, practice too."""
    with Assembled(tmp_path_factory.mktemp("parameters") / "data") as neraca_of:
        neraca_of.record(event("task-completed", "t1", TASK))
        neraca_of.built = build(replace(neraca_of.parts, reset=lambda: None))
        yield neraca_of


def routes(city: Assembled) -> list[tuple[str, str, APIRoute]]:
    """Every route of the app: a method, its path, and the route."""
    links = []
    for context in iter_route_contexts(city.framework.routes):
        route = context.original_route
        if isinstance(route, APIRoute):
            links += [(method, route.path, route) for method in sorted(route.methods or ()) if method != "HEAD"]
    return links


def test_every_route_refuses_what_it_does_not_know_and_what_is_repeated(city: Assembled) -> None:
    """With 422, and a pointer to each: on the API, on pages, on the public ones, and where something is sent."""
    visited_routes = routes(city)
    assert {path for _, path, _ in visited_routes} >= {
        *PAGES,
        "/v1/dinas",
        "/v1/events",
        "/healthz",
        "/openapi.json",
        "/docs",
    }
    for method, path, route in visited_routes:
        address = path.format(**BLANKS)
        for name in UNKNOWN:
            refusal = city.ask(method, f"{address}?{name.replace('/', '%2F')}=2", content=b"")
            pointer = "/" + name.replace("/", "~1")
            assert refusal.status_code == 422, (method, path, name)
            assert [fault["pointer"] for fault in refusal.json()["errors"]] == [pointer], (method, path, name)
            assert refusal.json()["type"] == "urn:neraca:problem:invalid-query"
        for name in sorted(known_to(route, PARAMETERS)):
            twice = city.ask(method, f"{address}?{name}=1&{name}=1", content=b"")
            assert twice.status_code == 422, (method, path, name)
            assert "more than once" in twice.json()["detail"], (method, path, name)


def test_files_know_their_version_alone(city: Assembled) -> None:
    for query, status in (("", 200), ("?v=1", 200), ("?v=1&v=1", 422), ("?w=1", 422), ("?V=1", 422)):
        for path in ("/static/live.js", "/static/neraca.css", "/static/loket/steps.js"):
            assert city.get(path + query).status_code == status, path + query


def test_all_faults_of_a_query_are_named_at_once(city: Assembled) -> None:
    problem = city.get("/v1/dinas?periode=2026-10&limit=1&limit=2&page=2").json()
    assert [fault["pointer"] for fault in problem["errors"]] == ["/periode", "/limit", "/page"]
    assert "cursor, limit, period" in problem["errors"][0]["detail"]


def test_a_browser_is_told_the_names_on_a_page(city: Assembled) -> None:
    answer = city.get("/dinas/d?periode=2026-10&period=2026-11&period=2026-10", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert "periode, period." in answer.text


def test_the_document_of_the_api_lists_the_parameters_that_are_taken(city: Assembled) -> None:
    """OpenAPI tells the truth: no route takes one that it does not list, and each that lists any says that it may refuse."""
    paths = city.get("/openapi.json").json()["paths"]
    for method, path, route in routes(city):
        if path not in paths:
            continue
        operation = paths[path][method.lower()]
        rows = {part["name"] for part in operation.get("parameters", []) if part["in"] == "query"}
        assert rows == known_to(route, PARAMETERS), path
        assert "422" in operation["responses"], path


def test_every_route_outside_the_api_has_its_parameters_in_the_table(city: Assembled) -> None:
    """And the table has no route that is not there."""
    outside = {path for _, path, _ in routes(city)} - city.get("/openapi.json").json()["paths"].keys()
    assert outside - {"/docs", "/openapi.json", "/static/neraca.css", "/loket-sw.js"} == set(PARAMETERS)


def test_every_address_on_a_page_has_parameters_that_its_route_knows(city: Assembled) -> None:
    """Links, forms and streams of every page, in both languages."""
    known_names = {path: known_to(route, PARAMETERS) for _, path, route in routes(city)}
    patterns = {re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$"): path for path in known_names}
    visits = 0
    for page in (
        *(address.replace("cepat", "d").replace("a-sibuk", "a-1") for address in ADDRESSES.values()),
        "/latihan",
    ):
        for language in ("id", "en"):
            text = city.get(f"{page}{'&' if '?' in page else '?'}lang={language}").text
            for link in re.findall(r'(?:href|action|src|hx-sse:connect)="(/[^"]*)"', text.replace("&amp;", "&")):
                address = urlsplit(link)
                if address.path.startswith("/static/"):
                    continue
                path = next((path for pattern, path in patterns.items() if pattern.match(address.path)), None)
                assert path is not None, link
                names = {name for name, _ in parse_qsl(address.query, keep_blank_values=True)}
                assert names <= known_names[path], f"{link} on {page}"
                visits += 1
            for start, content in re.findall(r"<form([^>]*)>(.*?)</form>", text, re.DOTALL):
                action = re.search(r'action="([^"?#]*)', start)
                target = action[1] if action else page.partition("?")[0]
                path = next(path for pattern, path in patterns.items() if pattern.match(target))
                if 'method="get"' in start:
                    assert set(re.findall(r'name="([^"]+)"', content)) <= known_names[path], (
                        f"form to {target} on {page}"
                    )
                visits += 1
    assert visits > 100
