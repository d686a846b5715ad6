"""Operations: liveness, readiness, metrics, and API documentation that opens without the internet."""

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.watching import Security
from domain.events.kinds import BY_TYPE
from domain.intake.wire import Submission
from domain.refusal import Refusal
from projections.live import Live
from projections.ports import Accepted, Grant, Intake, Lines, Outcome
from projections.reading.backlog import is_new_after

SWAGGER: Final = "/static/swagger-ui"


class _State(Collector):
    """Gauges that are read on request: the head of the journal, the position of the fold, and whether it has stopped."""

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
        if live.at.partitions:
            yield from self._partitions(head)

    def _partitions(self, head: int) -> Iterable[Metric]:
        live = self._live
        positions = GaugeMetricFamily(
            "neraca_partition_position", "Position a partition is folded to", labels=["partition"]
        )
        lag = GaugeMetricFamily(
            "neraca_partition_lag_entries", "Entries up to the journal's head", labels=["partition"]
        )
        stands = GaugeMetricFamily("neraca_partition_stopped", "1 while a partition stands still", labels=["partition"])
        for partition, position in enumerate(live.at.partitions):
            positions.add_metric([str(partition)], position)
            lag.add_metric([str(partition)], max(0, head - position))
            stands.add_metric([str(partition)], int(partition in live.standing))
        yield from (positions, lag, stands)


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self, live: Live, lines: Lines) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_State(live, lines))
        self.events = Counter(
            "neraca_events_total", "Events submitted, by what became of them", ["outcome"], registry=self.registry
        )
        self._security = Counter(
            "neraca_security_events_total", "Entries of the security log, by kind", ["what"], registry=self.registry
        )
        self.listeners = Gauge("neraca_stream_clients", "Clients following the stream", registry=self.registry)

    def noted(self, what: str, number: int) -> None:
        """Count entries of the security log."""
        self._security.labels(what).inc(number)

    def text(self) -> bytes:
        """The Prometheus exposition."""
        return generate_latest(self.registry)


class CountedIntake:
    """An intake that counts its outcomes, and has rules and reversals noted in the security log."""

    def __init__(self, intake: Intake, metrics: Metrics, security: Security) -> None:
        self._intake = intake
        self._metrics = metrics
        self._security = security

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """Pass events on, and count the outcome of each."""
        outcomes = self._intake.submit(events, grant)
        for outcome in outcomes:
            name = ("duplicate" if outcome.repeated else "accepted") if isinstance(outcome, Accepted) else outcome.slug
            self._metrics.events.labels(name).inc()
        for event, outcome in zip(events, outcomes, strict=True):
            if isinstance(event, Submission) and isinstance(outcome, Accepted) and not outcome.repeated:
                self._note(event, outcome, grant)
        return outcomes

    def _note(self, event: Submission, outcome: Accepted, grant: Grant) -> None:
        role = BY_TYPE[event.type].role
        if role in ("rule", "reversal"):
            whose = str(event.data.get("asn") or event.data.get("dinas") or "")
            self._security.done(role, grant.id, whose, f"{event.type} at {outcome.receipt.position}")


def _reached(live: Live, lines: Lines, head: int, now_us: int) -> bool:
    """True if balances have reached the head of the journal; for partitions, the head of a moment ago."""
    if live.position >= head or not live.at.partitions:
        return live.position >= head
    return is_new_after(lines, live.position, now_us)


def operations_router(live: Live, lines: Lines, metrics: Metrics, *, reads: bool = True) -> APIRouter:
    """Health, readiness and metrics; an intake that serves no reads is ready when its journal answers."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="The process answers")
    async def healthz() -> Response:
        return _json({"status": "ok"}, 200)

    @router.get(
        "/readyz", summary="Balances have reached the journal's head", responses={503: {"description": "Not yet"}}
    )
    def readyz() -> Response:
        head = lines.head()
        ready = not reads or (live.stopped is None and _reached(live, lines, head, time.time_ns() // 1000))
        stop_reason = live.stopped or "; ".join(why for _, why in sorted(live.standing.items()))
        state: dict[str, Any] = {"status": "ready" if ready else "stopped" if stop_reason else "catching up"}
        reason = stop_reason or live.waiting
        if reason and not ready:
            state["reason"] = reason
        return _json(state | {"position": live.position, "head": head}, 200 if ready else 503)

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    def read_metrics() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="Neraca API",
            swagger_js_url=f"{SWAGGER}/swagger-ui-bundle.js",
            swagger_css_url=f"{SWAGGER}/swagger-ui.css",
            swagger_favicon_url="data:,",
        )

    return router


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
