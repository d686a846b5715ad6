"""A relay's metrics: whether it is elected, its position and lag, its segments, entries and failures."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from streams.journal.journal import PersistenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from streams.relay.layout_relay import RelayState


class _RelayCollector(Collector):
    def __init__(self, state: RelayState, head: Callable[[], int]) -> None:
        self._state = state
        self._head = head

    def collect(self) -> Iterable[Metric]:
        """The metrics now. A relay that waits does not know how far the journal is relayed."""
        state = self._state
        gauges = [("neraca_relay_active", "1 while this relay is elected", int(state.active))]
        if state.active:
            gauges += [
                ("neraca_relay_layout", "Layout being relayed", state.layout),
                ("neraca_relay_position", "Position up to which the journal is relayed", state.scanned),
            ]
            with suppress(PersistenceError):  # the lag is unknown while the database is away
                lag = max(0, self._head() - state.scanned)
                gauges.append(("neraca_relay_lag_entries", "Entries recorded and not yet relayed", lag))
        for name, text, value in gauges:
            yield GaugeMetricFamily(name, text, value=float(value))
        for name, text, value in (
            ("neraca_relay_segments", "Segments acknowledged by the broker", state.segments),
            ("neraca_relay_entries", "Entries relayed", state.entries),
            ("neraca_relay_failures", "How often relaying had to begin again", state.failures),
        ):
            yield CounterMetricFamily(name, text, value=float(value))


def serve_relay_metrics(state: RelayState, head: Callable[[], int], host: str, port: int) -> None:
    """Serve a relay's metrics on an address."""
    registry = CollectorRegistry()
    registry.register(_RelayCollector(state, head))
    start_http_server(port, host, registry=registry)
