"""For whoever runs it: liveness, readiness, metrics, and API documentation that opens without the internet."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from domain.refusal import Refusal
from domain.wire import Submission
from projections.live import Live
from projections.ports import Accepted, Grant, Intake, Lines, Outcome

SWAGGER: Final = "/static/swagger-ui"


class _State(Collector):
    """Gauges read when they are asked for: how far the journal is, how far the fold, whether it has stopped."""

    def __init__(self, live: Live, lines: Lines) -> None:
        self._live = live
        self._lines = lines

    def collect(self) -> Iterable[Metric]:
        """The state now."""
        head, live = self._lines.head(), self._live
        for name, text, value in (
            ("neraca_journal_head", "Position of the journal's last entry", head),
            ("neraca_position", "Position up to which balances are folded", live.position),
            ("neraca_lag_events", "Entries recorded and not yet folded", max(head - live.position, 0)),
            ("neraca_generation", "Generation of balances served", live.generation),
            (
                "neraca_fold_stopped",
                "1 when the fold has stopped at an entry it cannot apply",
                int(live.stopped is not None),
            ),
        ):
            yield GaugeMetricFamily(name, text, value=float(value))


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self, live: Live, lines: Lines) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_State(live, lines))
        self.events = Counter(
            "neraca_events_total", "Events submitted, by what became of them", ["outcome"], registry=self.registry
        )
        self.listeners = Gauge("neraca_stream_clients", "Clients following the stream", registry=self.registry)

    def text(self) -> bytes:
        """The Prometheus exposition."""
        return generate_latest(self.registry)


class CountedIntake:
    """An intake whose outcomes are counted."""

    def __init__(self, intake: Intake, metrics: Metrics) -> None:
        self._intake = intake
        self._metrics = metrics

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """Pass on, and count what became of each."""
        outcomes = self._intake.submit(events, grant)
        for outcome in outcomes:
            name = ("duplicate" if outcome.repeated else "accepted") if isinstance(outcome, Accepted) else outcome.slug
            self._metrics.events.labels(name).inc()
        return outcomes


def operations_router(live: Live, lines: Lines, metrics: Metrics) -> APIRouter:
    """Health, readiness and metrics."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="The process answers")
    async def healthz() -> Response:
        return _json({"status": "ok"}, 200)

    @router.get(
        "/readyz", summary="Balances have reached the journal's head", responses={503: {"description": "Not yet"}}
    )
    def readyz() -> Response:
        head = lines.head()
        ready = live.stopped is None and live.position >= head
        state: dict[str, Any] = {"status": "ready" if ready else "stopped" if live.stopped else "catching up"}
        reason = live.stopped or live.waiting
        if reason and not ready:
            state["reason"] = reason
        return _json(state | {"position": live.position, "head": head}, 200 if ready else 503)

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    def read_metrics() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json", title="Neraca API", swagger_js_url=f"{SWAGGER}/swagger-ui-bundle.js",
            swagger_css_url=f"{SWAGGER}/swagger-ui.css", swagger_favicon_url="data:,",
        )  # fmt: skip

    return router


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
