"""While the database is away readers are told to ask again, soon enough for a load balancer, and intake acknowledges nothing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import httpx
import pytest

from api.pages.board.live import ALIVE_S
from local.local_postgres import LocalPostgres
from tests.kafka.serving import Scaled
from tests.serving import NDJSON, event, ndjson, until

PATHS = (
    "/readyz",
    "/metrics",
    "/v1/digest",
    "/v1/rankings/dinas?period=2026-11",
    "/v1/dinas/disdukcapil?period=2026-11",
)
ANSWERED_WITHIN_S = 20.0
NOTICED_S = 1.5


@contextmanager
def watching(url: str) -> Iterator[list[float]]:
    """The times at which a reader of the board got the sign that it is alive."""
    alive: list[float] = []
    ending = threading.Event()

    def read() -> None:
        with httpx.stream("GET", f"{url}/live/board", timeout=120) as stream:
            for line in stream.iter_lines():
                if line == "event: alive":
                    alive.append(time.monotonic())
                if ending.is_set():
                    return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        until(lambda: alive, "the board is told to be alive")
        yield alive
    finally:
        ending.set()
        reader.join()


@pytest.mark.faults
def test_while_the_database_is_away_nothing_fails_and_nothing_is_acknowledged(
    cluster: Scaled, postgres: LocalPostgres
) -> None:
    """Every read is answered with 503 and when to come again; afterwards all of it goes on by itself."""
    cluster.start("intake", "api", "relay", "worker")
    data = {"dinas": "disdukcapil", "asn": "a-1", "completed_at": "2026-11-24T10:00:00+07:00", "task": "t1"}
    cluster.post([event("task-completed", "t1", data)])
    head = cluster.settle()
    with watching(cluster.url("api")) as alive:
        postgres.stop()
        began = time.monotonic()
        try:
            for path in PATHS:
                answer = httpx.get(f"{cluster.url('api')}{path}", timeout=ANSWERED_WITHIN_S)
                assert (answer.status_code, answer.headers.get("retry-after")) == (
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "1",
                ), path
                assert answer.json()["type"] == "urn:neraca:problem:unavailable", path
            for path in ("/readyz", "/metrics"):
                answer = httpx.get(f"{cluster.url('intake')}{path}", timeout=ANSWERED_WITHIN_S)
                assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, path
            assert httpx.get(f"{cluster.url('api')}/healthz", timeout=ANSWERED_WITHIN_S).status_code == HTTPStatus.OK
            receipt = httpx.post(
                f"{cluster.url('intake')}/v1/events",
                content=ndjson([event("task-completed", "t2", data)]),
                headers={"content-type": NDJSON},
                timeout=60,
            )
            assert receipt.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        finally:
            back = time.monotonic()
            postgres.start()
        until(lambda: cluster.get("/readyz").get("status") == "ready", "it is ready again", within_s=60)
        until(lambda: alive[-1] > back, "the board is told to be alive again")
    assert not [at for at in alive if began + NOTICED_S < at < back], "nobody could know"
    assert back - began > NOTICED_S + ALIVE_S, "it was away long enough to tell"
    assert cluster.prove() == head
    for name in ("intake", "api"):
        assert "Traceback" not in cluster.output(name), cluster.output(name)[-3000:]
