"""Operations: liveness, readiness, metrics, and API documentation that opens without the internet."""

import time
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.http.access import Access
from api.http.doors import is_plain_beyond
from domain.intake.wire import Submission
from domain.refusal import Refusal
from projections.live import Live
from projections.ports import Accepted, Grant, Intake, Lines, Outcome
from projections.reading.backlog import is_new_after
from projections.security import noted_as

SWAGGER: Final = "/static/swagger-ui"
DOCS: Final = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Neraca API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{SWAGGER}/swagger-ui.css">
</head>
<body>
{{plain}}
<div id="swagger-ui"></div>
<script src="{SWAGGER}/swagger-ui-bundle.js"></script>
<script src="/static/docs.js"></script>
</body>
</html>
"""
"""The page of the API's documentation; it has no script of its own, which the policy of all answers would forbid."""
PLAIN: Final = (
    '<div class="swagger-ui"><p class="errors-wrapper plain">▲ This page was sent without encryption (plain HTTP): '
    "anyone on this network can read and change it.</p></div>"
)
"""The red line of a page that crossed a network in plain text."""


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
    """An intake that counts its outcomes, and the notes that rules and reversals leave in the security log."""

    def __init__(self, intake: Intake, metrics: Metrics) -> None:
        self._intake = intake
        self._metrics = metrics

    def submit(self, events: Sequence[Submission | Refusal], grant: Grant) -> list[Outcome]:
        """Pass events on, and count the outcome of each."""
        outcomes = self._intake.submit(events, grant)
        for event, outcome in zip(events, outcomes, strict=True):
            name = ("duplicate" if outcome.repeated else "accepted") if isinstance(outcome, Accepted) else outcome.slug
            self._metrics.events.labels(name).inc()
            if what := noted_as(event, outcome):
                self._metrics.noted(what, 1)
        return outcomes


def _reached(live: Live, lines: Lines, head: int, now_us: int) -> bool:
    """True if balances have reached the head of the journal; for partitions, the head of a moment ago."""
    if live.position >= head or not live.at.partitions:
        return live.position >= head
    return is_new_after(lines, live.position, now_us)


class Readiness:
    """Whether a process may be asked; one that serves no reads may be as soon as its journal answers."""

    def __init__(self, live: Live, lines: Lines, *, reads: bool = True) -> None:
        self._live = live
        self._lines = lines
        self._reads = reads

    def state(self) -> tuple[bool, dict[str, Any]]:
        """Whether it is ready, and the positions and the reason behind that."""
        live, head = self._live, self._lines.head()
        ready = not self._reads or (live.stopped is None and _reached(live, self._lines, head, time.time_ns() // 1000))
        stop_reason = live.stopped or "; ".join(why for _, why in sorted(live.standing.items()))
        state: dict[str, Any] = {"status": "ready" if ready else "stopped" if stop_reason else "catching up"}
        reason = stop_reason or live.waiting
        if reason and not ready:
            state["reason"] = reason
        partitions = live.at.vector
        return ready, state | {"position": live.position, "head": head} | ({} if partitions is None else partitions)

    def answer(self, *, in_full: bool) -> Response:
        """Yes or no to everybody; in full to those who may see the state of the process."""
        ready, state = self.state()
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return _json(state if in_full else {"status": "ready" if ready else "not ready"}, status)


def operations_router(readiness: Readiness, access: Access) -> APIRouter:
    """Health and readiness on the port of the service, and the documentation of the API."""
    router = APIRouter(tags=["operations"])

    @router.get("/healthz", summary="The process answers")
    async def healthz() -> Response:
        return _json({"status": "ok"}, HTTPStatus.OK)

    @router.get(
        "/readyz", summary="Balances have reached the journal's head", responses={503: {"description": "Not yet"}}
    )
    def readyz(request: Request) -> Response:
        return readiness.answer(in_full=access.sees_operations(request))

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> Response:
        return HTMLResponse(DOCS.format(plain=PLAIN if is_plain_beyond(request) else ""))

    return router


def metrics_router(metrics: Metrics) -> APIRouter:
    """The metrics of a process."""
    router = APIRouter(tags=["operations"])

    @router.get("/metrics", summary="Prometheus metrics", response_class=Response)
    def read_metrics() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return router


def full_router(readiness: Readiness, metrics: Metrics) -> APIRouter:
    """Health, readiness and metrics in full, for a port that is the operator's own."""
    router = APIRouter(tags=["operations"])
    router.include_router(metrics_router(metrics))

    @router.get("/healthz")
    async def healthz() -> Response:
        return _json({"status": "ok"}, HTTPStatus.OK)

    @router.get("/readyz")
    def readyz() -> Response:
        return readiness.answer(in_full=True)

    return router


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
