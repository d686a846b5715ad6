"""The OpenAPI document is true: it names every route and kind, nothing drawn from it makes the server fail."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import AppParts, build
from domain.events.kinds import KINDS
from domain.events.names import type_of
from tests.serving import BATCH, Assembled, Listening, event

UNSTREAMED: Final = (
    ("POST", "/v1/events"),
    ("GET", "/v1/dinas"),
    ("GET", "/v1/dinas/{dinas}"),
    ("GET", "/v1/dinas/{dinas}/asn"),
    ("GET", "/v1/dinas/{dinas}/why"),
    ("GET", "/v1/asn/{asn}"),
    ("GET", "/v1/asn/{asn}/why"),
    ("GET", "/v1/rankings/dinas"),
    ("GET", "/v1/rankings/asn"),
    ("GET", "/v1/method"),
    ("GET", "/v1/digest"),
    ("GET", "/v1/dinas/{dinas}/series"),
    ("GET", "/v1/asn/{asn}/series"),
    ("GET", "/v1/dinas/{dinas}/files"),
    ("GET", "/v1/dinas/{dinas}/events"),
    ("GET", "/v1/asn/{asn}/events"),
    ("GET", "/v1/journal"),
    ("GET", "/v1/dinas/{dinas}/file"),
    ("GET", "/v1/dinas/{dinas}/late/permits"),
    ("GET", "/v1/dinas/{dinas}/late/tasks"),
    ("GET", "/v1/asn/{asn}/late/permits"),
    ("GET", "/v1/asn/{asn}/late/tasks"),
)
DRAWN: Final = [
    (method, path, mode)
    for method, path in UNSTREAMED
    for mode in GenerationMode
    if mode != GenerationMode.NEGATIVE or path not in ("/v1/digest", "/v1/method")  # these take nothing to be wrong
]
EXAMPLES: Final = 25


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembled]:
    """A Neraca that knows one dinas, ``0``, and one ASN of the same id: generated ids meet them now and then."""
    data = {"dinas": "0", "asn": "0", "task": "T", "completed_at": "2026-11-20T10:00:00+07:00"}
    with Assembled(tmp_path_factory.mktemp("openapi") / "data") as neraca:
        neraca.record(event("task-completed", "t", data))
        yield neraca


@pytest.fixture(scope="module")
def url(city: Assembled) -> Iterator[str]:
    """The same on a port."""
    with Listening(city) as listening:
        yield listening.url


@pytest.fixture(scope="module")
def document(city: Assembled) -> dict[str, Any]:
    """The document as it is served."""
    document: dict[str, Any] = city.get("/openapi.json").json()
    return document


@pytest.mark.parametrize(("method", "path", "mode"), DRAWN, ids=str)
def test_nothing_drawn_from_the_document_makes_the_server_fail(
    city: Assembled, url: str, document: dict[str, Any], method: str, path: str, mode: GenerationMode
) -> None:
    """No request, allowed or forbidden, gets a 5xx; every answer has a status, type and body the document names."""
    operation = schemathesis.openapi.from_dict(document)[path][method]
    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

    @seed(20261124)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def drawn(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(base_url=url, checks=checks, timeout=20)

    drawn()
    city.settle()


JSON_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
INTERESTING: Final = st.sampled_from(
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-20T10:00:00Z",
        "0001-01-01",
        "9999-12-01",
        "1/9",
        "0",
        10**30,
        -1,
        2**63,
        1e308,
        -0.0,
        "\u0000",
        "/",
        "\U0001f600",
        {},
        [],
        {"source": "/loket", "id": "t"},
    ]
)


@st.composite
def bent(draw: st.DrawFn) -> dict[str, Any]:
    """An event whose data has each field of its kind, most of them nearly right."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    fields = KINDS[kind].submitted.__struct_encode_fields__
    value = JSON_VALUES | INTERESTING
    data = {name: draw(value) for name in fields if draw(st.integers(0, 9)) or name == fields[0]}
    time = draw(st.sampled_from(["2026-11-24T11:00:00+07:00", "0001-01-01T00:00:00+14:00"]))
    return event(kind, draw(st.text(min_size=1, max_size=8)), data, time=time)


@seed(20261124)
@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(bent(), min_size=1, max_size=20))
def test_no_event_however_bent_makes_the_server_fail(city: Assembled, events: list[dict[str, Any]]) -> None:
    """Events of right kinds with wrong values are rejected one by one, and what is accepted can be folded."""
    answer = city.post(events, BATCH)
    assert answer.status_code in (200, 400), answer.text
    city.settle()


def test_documentation_needs_no_internet(city: Assembled) -> None:
    """The page of the API documentation loads nothing from elsewhere, and what it loads is there."""
    page = city.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    script = city.get("/static/docs.js").text
    addresses = re.findall(r"""(?:src|href)\s*=\s*["']([^"']+)""", page.text) + re.findall(
        r"""url:\s*["']([^"']+)""", script
    )
    assert {
        "/openapi.json",
        "/static/docs.js",
        "/static/swagger-ui/swagger-ui.css",
        "/static/swagger-ui/swagger-ui-bundle.js",
    } <= set(addresses)
    for address in addresses:
        if not address.startswith("data:"):
            assert re.match(r"/[^/]", address), address
            assert city.get(address).status_code == 200, address
    assert not re.search(r"""https?://""", page.text + script)
    assert not re.search(r"@import|url\(\s*['\"]?https?:", city.get("/static/swagger-ui/swagger-ui.css").text)


def test_every_route_of_the_contract_is_documented(city: Assembled, document: dict[str, Any]) -> None:
    """The document has exactly the operations the app answers under /v1, and health, readiness and metrics."""
    routes = {
        (method, str(route.path))
        for route in iter_route_contexts(city.framework.routes)
        for method in route.methods or ()
        if str(route.path).startswith("/v1/") or route.path in ("/healthz", "/readyz", "/metrics")
    }
    assert len(routes) >= len(UNSTREAMED)
    pairs = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    assert routes <= pairs
    assert {(method, path) for method, path in pairs if path.startswith("/v1/")} == {
        *UNSTREAMED,
        ("GET", "/v1/stream"),
    }
    assert document["openapi"].startswith("3.1")


def test_the_read_app_takes_no_events(city: Assembled) -> None:
    """Without an intake the app answers GET and HEAD only: posting is 404, and the document does not offer it."""
    alone = build(AppParts(city.live, city.reader, city.journal, city.tokens))
    assert "/v1/events" not in alone.framework.openapi()["paths"]
    methods = {method for operations in alone.framework.openapi()["paths"].values() for method in operations}
    assert methods == {"get"}


def test_every_kind_is_documented(document: dict[str, Any]) -> None:
    """The document lists exactly the kinds that are read, each with its required fields and no other."""
    schemas = document["components"]["schemas"]
    schema_of = {
        branch["properties"]["type"]["const"]: branch["properties"]["data"]["$ref"]
        for branch in schemas["CloudEvent"]["oneOf"]
    }
    assert set(schema_of) == {type_of(kind) for kind in KINDS}
    for kind, row in KINDS.items():
        schema = schemas[schema_of[type_of(kind)].rpartition("/")[2]]
        assert set(schema["properties"]) == set(row.submitted.__struct_encode_fields__)
        assert schema["additionalProperties"] is False


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    """Every `$ref` of the document names a schema that is in it."""
    for name in re.findall(r"#/components/schemas/([^'\"]+)", str(document)):
        assert name in document["components"]["schemas"]
