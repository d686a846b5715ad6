"""The apps: the read app (GET only) and the intake app (POST), served together or apart."""

from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from msgspec import Struct
from starlette.types import ASGIApp

from api.http import problems
from api.http.access import Access
from api.http.arrival import Arrivals
from api.http.cache import Answers, FreshAnswers
from api.http.coding import Compressed
from api.http.doors import CLOSED, Doors
from api.http.heads import Heads
from api.http.parameters import checking
from api.http.paths import RawPaths
from api.http.static import Static
from api.http.watching import Nowhere, Security, Watched
from api.pages.counter.counter import Scripts
from api.pages.method import method_router
from api.pages.router import PARAMETERS, pages_router
from api.pages.site import PageServices, Site
from api.v1.cases import cases_router
from api.v1.histories import journal_router
from api.v1.intake import intake_router
from api.v1.operations import CountedIntake, Metrics, operations_router
from api.v1.reads import Reads
from api.v1.routes import reads_router
from api.v1.schemas import COMPONENTS, QUERY_REFUSED
from api.v1.stream import Ending, stream_router
from projections.live import Live
from projections.ports import Intake, Lines, Replays, Tokens
from projections.reading.reader import Reader
from projections.security import SecurityLog


class AppParts(Struct, frozen=True):
    """The parts that the composition root hands to an app: the ports, and the services behind them."""

    live: Live
    reader: Reader
    lines: Lines
    tokens: Tokens
    intake: Intake | None = None
    reads: bool = True
    simulated: bool = False
    notice: Callable[[], str | None] = lambda: None
    away: tuple[type[Exception], ...] = ()
    """The errors of the ports while the database does not answer."""
    reset: Callable[[], None] | None = None
    """In practice alone: throws away all that was practised, and begins anew."""
    replays: Replays | None = None
    doors: Doors = CLOSED
    log: SecurityLog = Nowhere()
    link_spent: Callable[[], None] = lambda: None
    """Called once the sign-in link has been spent."""


class Built(Struct, frozen=True):
    """An app to serve, the framework's object inside it, the call that ends its streams, and the one that ends the app."""

    app: ASGIApp
    framework: FastAPI
    end_streams: Callable[[], None]
    close: Callable[[], None]


def build(parts: AppParts) -> Built:
    """The read app; with an intake, the intake app in the same process, or alone."""
    access, answers = Access(parts.tokens, parts.reader.now_us), Answers(parts.reader)
    reads, metrics, ending = (
        Reads(parts.reader, parts.lines, access, answers),
        Metrics(parts.live, parts.lines),
        Ending(),
    )
    security = Security(parts.log, parts.reader.now_us, parts.reader.zone, metrics.noted)
    intake = None if parts.intake is None else CountedIntake(parts.intake, metrics, security)
    routers = [operations_router(parts.live, parts.lines, metrics, reads=parts.reads)]
    services = PageServices(
        parts.simulated, parts.notice, parts.reset, parts.replays, intake, parts.link_spent, security
    )
    site = Site(reads, services) if parts.reads else None
    if site is not None:
        routers += [
            stream_router(parts.live, ending, metrics.listeners, access),
            reads_router(reads),
            journal_router(reads),
            cases_router(reads),
            method_router(site),
            pages_router(site, reads, services, ending, metrics.listeners),
        ]
    if intake is not None:
        routers.append(intake_router(intake, access))
    framework = _framework(routers, parts.away, site.refused if site is not None else None)
    app = Arrivals(
        Heads(Compressed(RawPaths(FreshAnswers(Watched(framework, security), answers, access)))), parts.doors
    )
    return Built(app, framework, ending.tell, security.close)


def _framework(routers: Sequence[APIRouter], away: Sequence[type[Exception]], page: problems.Page | None) -> FastAPI:
    route_parameters = [Depends(checking(PARAMETERS))]
    app = FastAPI(
        title="Neraca", version="1", openapi_url=None, docs_url=None, redoc_url=None, dependencies=route_parameters
    )
    problems.install(app, away, page)
    for router in routers:
        app.include_router(router)
    app.mount("/static", Static(str(files("api") / "static"), {"loket": Scripts("").tag}), name="static")
    _document(app)
    return app


def _document(app: FastAPI) -> None:
    """OpenAPI drawn from the routes, with the schemas of the structs that are served."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title="Neraca",
                version="1",
                routes=app.routes,
                openapi_version="3.1.0",
                description="Live, explainable, provable scores of civil servants (ASN) and agencies (dinas).",
            )
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            for schema in ("HTTPValidationError", "ValidationError"):
                schemas.pop(schema, None)
            schemas |= COMPONENTS
            for operation in (operation for path in document["paths"].values() for operation in path.values()):
                operation["responses"].setdefault("422", QUERY_REFUSED)
            document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
            app.openapi_schema = document
        return app.openapi_schema

    @app.get("/openapi.json", include_in_schema=False)
    def document() -> Response:
        return JSONResponse(app.openapi())

    app.openapi = openapi  # type: ignore[method-assign]  # the framework's documented way to extend the document
