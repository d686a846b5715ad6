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
    ended = threading.Event()

    def read() -> None:
        with httpx.stream("GET", f"{url}/live/board", timeout=120) as stream:
            for line in stream.iter_lines():
                if line == "event: alive":
                    alive.append(time.monotonic())
                if ended.is_set():
                    return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        until(lambda: alive, "the board is told to be alive")
        yield alive
    finally:
        ended.set()
        reader.join()


@pytest.mark.faults
def test_while_the_database_is_away_nothing_fails_and_nothing_is_acknowledged(
    scaled: Scaled, postgres: LocalPostgres
) -> None:
    """Every read is answered with 503 and when to come again; afterwards all of it goes on by itself."""
    scaled.start("intake", "api", "relay", "worker")
    done = {"dinas": "disdukcapil", "asn": "a-1", "completed_at": "2026-11-24T10:00:00+07:00", "task": "t1"}
    scaled.post([event("task-completed", "t1", done)])
    head = scaled.settle()
    with watching(scaled.url("api")) as alive:
        postgres.stop()
        gone = time.monotonic()
        try:
            for path in PATHS:
                said = httpx.get(f"{scaled.url('api')}{path}", timeout=ANSWERED_WITHIN_S)
                assert (said.status_code, said.headers.get("retry-after")) == (HTTPStatus.SERVICE_UNAVAILABLE, "1"), (
                    path
                )
                assert said.json()["type"] == "urn:neraca:problem:unavailable", path
            for path in ("/readyz", "/metrics"):
                said = httpx.get(f"{scaled.url('intake')}{path}", timeout=ANSWERED_WITHIN_S)
                assert said.status_code == HTTPStatus.SERVICE_UNAVAILABLE, path
            assert httpx.get(f"{scaled.url('api')}/healthz", timeout=ANSWERED_WITHIN_S).status_code == HTTPStatus.OK
            posted = httpx.post(
                f"{scaled.url('intake')}/v1/events",
                content=ndjson([event("task-completed", "t2", done)]),
                headers={"content-type": NDJSON},
                timeout=60,
            )
            assert posted.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        finally:
            back = time.monotonic()
            postgres.start()
        until(lambda: scaled.get("/readyz").get("status") == "ready", "it is ready again", within_s=60)
        until(lambda: alive[-1] > back, "the board is told to be alive again")
    assert not [at for at in alive if gone + NOTICED_S < at < back], "nobody could know"
    assert back - gone > NOTICED_S + ALIVE_S, "it was away long enough to tell"
    assert scaled.prove() == head
    for name in ("intake", "api"):
        assert "Traceback" not in scaled.said(name), scaled.said(name)[-3000:]
