"""A worker's metrics: partitions, lag, the time from recorded to folded, restarts, stopped partitions."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from domain.clock import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from streams.worker.fold import Counts

BUCKETS_S: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0)


class WorkerMetrics:
    """The metrics of one worker's process. The watchdog reads its partitions here."""

    def __init__(self, epoch: int) -> None:
        self.registry = CollectorRegistry()
        self._mine: frozenset[int] = frozenset()
        self._lock = threading.Lock()
        to = self.registry
        Gauge("neraca_worker_starts", "How often a process of this worker's name has started", registry=to).set(epoch)
        self._rebalances = Counter(
            "neraca_rebalances", "How often partitions were assigned to this process", registry=to
        )
        self._entries = Counter("neraca_folded_entries", "Entries folded", ["fate"], registry=to)
        self._latency = Histogram(
            "neraca_end_to_end_seconds", "From recorded in the journal to folded", buckets=BUCKETS_S, registry=to
        )
        self._position = Gauge(
            "neraca_partition_position", "Position a partition is folded to", ["partition"], registry=to
        )
        self._lag = Gauge(
            "neraca_partition_lag_records", "Records of a partition not yet applied", ["partition"], registry=to
        )
        self._stopped = Gauge("neraca_partition_stopped", "1 while a partition is stopped", ["partition"], registry=to)
        self._assigned = Gauge("neraca_partitions_assigned", "Partitions this process folds", registry=to)

    def serve(self, host: str, port: int) -> None:
        """Serve the metrics on an address."""
        start_http_server(port, host, registry=self.registry)

    def note_assignment(self, partitions: Iterable[int]) -> None:
        """Note the partitions that were assigned to this process."""
        self._mine = frozenset(partitions)
        self._assigned.set(len(self._mine))
        self._rebalances.inc()
        self._lag.clear()
        self._position.clear()

    @property
    def mine(self) -> frozenset[int]:
        """The partitions assigned to this process."""
        return self._mine

    def note_fold(self, counts: Counts, stops: Mapping[int, str]) -> None:
        """Note one committed transaction."""
        self._entries.labels("applied").inc(counts.applied)
        self._entries.labels("dropped").inc(counts.dropped)
        now_us = time.time_ns() // 1000
        for partition, to in counts.moved.items():
            self._position.labels(str(partition)).set(to.position)
            if to.recorded:
                self._latency.observe(max(0, now_us - parse_instant(to.recorded)) / 1e6)
        for partition in stops:
            self._stopped.labels(str(partition)).set(1)

    def lag(self, lags: Mapping[int, int]) -> None:
        """Note the number of records of each partition that are not yet applied."""
        for partition, lag in lags.items():
            self._lag.labels(str(partition)).set(lag)
