"""The apps: the read app (GET only) and the intake app (POST), served together or apart."""

from collections.abc import Callable, Collection, Sequence
from importlib.resources import files
from secrets import token_bytes
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from msgspec import Struct, field
from starlette.types import ASGIApp

from api.http import problems
from api.http.access import Access
from api.http.admission import Admission
from api.http.arrival import Arrivals
from api.http.cache import Answers, FreshAnswers
from api.http.coding import Compressed
from api.http.connections import ADDRESS_MOST, Connections
from api.http.doors import CLOSED, Doors
from api.http.guards import Guarded
from api.http.heads import Heads
from api.http.parameters import checking
from api.http.past import PAST, Past
from api.http.paths import RawPaths
from api.http.proofs import Proofs
from api.http.static import Static
from api.http.threads import Threads
from api.http.tickets import TICKET_US, Tickets
from api.http.watching import Nowhere, Security, Watched
from api.pages.counter.counter import Scripts
from api.pages.frame import Forms, PageServices
from api.pages.method import method_router
from api.pages.router import ACTIONS as PAGE_ACTIONS
from api.pages.router import PARAMETERS, pages_router
from api.pages.site import Site
from api.v1.cases import cases_router
from api.v1.forms import forms_router
from api.v1.histories import journal_router
from api.v1.intake import intake_router
from api.v1.operations import CountedIntake, Metrics, Readiness, full_router, metrics_router, operations_router
from api.v1.reads import Reads
from api.v1.routes import ACTIONS, reads_router
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
    forms: Intake | None = None
    """The intake of the forms of pages where it is another process; by default ``intake``. Without any, no form records."""
    reads: bool = True
    simulated: bool = False
    notice: Callable[[], str | None] = lambda: None
    away: tuple[type[Exception], ...] = ()
    """The errors of the ports while the database does not answer."""
    reset: Callable[[], None] | None = None
    """In practice alone: throws away all that was practised, and begins anew."""
    replays: Replays | None = None
    secret: bytes = field(default_factory=lambda: token_bytes(32))
    """The secret of the installation; one for this process alone where none is handed over."""
    ticket_us: int = TICKET_US
    doors: Doors = CLOSED
    log: SecurityLog = Nowhere()
    link_spent: Callable[[], None] = lambda: None
    """Called once the sign-in link has been spent."""
    extensions: Collection[str] = ()
    """The extension attributes that the intake takes beside those of the list."""
    address_most: int = ADDRESS_MOST
    """The most connections from one address without a standing token or session."""


class Built(Struct, frozen=True):
    """An app to serve, the framework's object inside it, the call that ends its streams, and the one that ends the app."""

    app: ASGIApp
    framework: FastAPI
    end_streams: Callable[[], None]
    close: Callable[[], None]
    connections: Connections
    is_front: Callable[[str], bool]
    """True of the address of a web server in front."""
    operations: ASGIApp
    """Health, readiness and metrics in full, for a port that is the operator's own."""


def build(parts: AppParts) -> Built:
    """The read app; with an intake, the intake app in the same process, or alone."""
    tickets = Tickets(parts.tokens, parts.reader.now_us, parts.secret, parts.ticket_us)
    proofs = Proofs(parts.tokens, parts.reader.now_us, parts.secret, tickets.grant_under)
    access = Access(parts.tokens, parts.reader.now_us, tickets.grant_of_header, proofs.grant_of)
    answers, threads, connections = Answers(parts.reader), Threads(), Connections(parts.address_most)
    reads, metrics = Reads(parts.reader, parts.lines, access, answers), Metrics(parts.live, parts.lines)
    ending = Ending()
    security = Security(parts.log, parts.reader.now_us, parts.reader.zone, metrics.noted)
    intake = None if parts.intake is None else CountedIntake(parts.intake, metrics)
    readiness = Readiness(parts.live, parts.lines, reads=parts.reads)
    routers = [operations_router(readiness, access)]
    if parts.doors.is_open:
        routers.append(metrics_router(metrics))
    marks = (parts.simulated, parts.notice, parts.reset, parts.replays)
    taking = (
        parts.forms if parts.forms is not None else intake
    )  # of events that went elsewhere, the intake there counts the outcomes
    forms = None if taking is None else Forms(taking, tickets, threads)
    services = PageServices(*marks, forms, parts.link_spent, security)
    site = Site(reads, services) if parts.reads else None
    if site is not None:
        routers += [
            stream_router(parts.live, ending, metrics.listeners, access),
            *(make(reads) for make in (reads_router, journal_router, cases_router)),
            method_router(site),
            pages_router(site, reads, services, ending, metrics.listeners),
        ]
    if intake is not None:
        routers.append(intake_router(intake, access, threads, parts.extensions))
        routers.append(forms_router(intake, access, proofs, threads, parts.extensions))
    past = Past(access, {**ACTIONS, **PAGE_ACTIONS})
    framework = _framework(routers, parts.away, site.refused if site is not None else None, past.check)
    framework.mount("/static", Static(str(files("api") / "static"), {"loket": Scripts("").tag}), name="static")
    _document(framework)
    inner = Heads(Compressed(RawPaths(FreshAnswers(Watched(framework, security), answers, access))))
    app = Guarded(Arrivals(Admission(inner, access, connections, threads), parts.doors))
    operations = _framework([full_router(readiness, metrics)], parts.away, None)
    return Built(app, framework, ending.tell, security.close, connections, parts.doors.believes, Guarded(operations))


def _framework(
    routers: Sequence[APIRouter],
    away: Sequence[type[Exception]],
    page: problems.Page | None,
    check_past: Callable[[Request], None] = lambda _: None,
) -> FastAPI:
    route_parameters = [Depends(checking(PARAMETERS, PAST, check_past))]
    app = FastAPI(
        title="Neraca",
        version="1",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=route_parameters,
    )
    problems.install(app, away, page)
    for router in routers:
        app.include_router(router)
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
