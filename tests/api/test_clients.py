"""Clients written by others: the CloudEvents SDK, the Prometheus parser and an SSE reader understand the real process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from httpx_sse import ServerSentEvent, connect_sse
from prometheus_client.parser import text_string_to_metric_families

from tests.process import Process
from tests.serving import BATCH, Assembled, Listening, event, ndjson, until

TASK: Final = {"dinas": "dishub", "asn": "a-1", "completed_at": "2026-11-20T10:00:00+07:00"}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The real process, shared by the tests that do not end it."""
    with Process(tmp_path_factory.mktemp("clients") / "data") as running:
        yield running


def cloud_event(event_id: str, **data: str) -> CloudEvent:
    """An event as the SDK makes it."""
    attributes = {
        "id": event_id,
        "source": "/sdk",
        "type": "neraca.task-completed.v1",
        "specversion": "1.0",
        "time": datetime(2026, 11, 20, 3, 0, 1, 250_000, tzinfo=UTC),
        "datacontenttype": "application/json",
    }
    return CloudEvent(attributes, {**TASK, "task": event_id, **data})


def send(url: str, message: HTTPMessage) -> httpx.Response:
    """An SDK's message over HTTP."""
    return httpx.post(f"{url}/v1/events", content=message.body, headers=message.headers)


def post(url: str, *task_ids: str, dinas: str = "dishub") -> None:
    """Record tasks, one a line."""
    lines = ndjson(event("task-completed", task_id, {**TASK, "task": task_id, "dinas": dinas}) for task_id in task_ids)
    tally = httpx.post(f"{url}/v1/events", content=lines, headers={"content-type": "application/x-ndjson"}).json()
    assert (tally["accepted"], tally["rejected"]) == (len(task_ids), [])


def test_the_cloudevents_sdk_is_understood_in_every_mode(process: Process) -> None:
    """Structured, binary and batched by the SDK are one event: 201, then repeats with the same receipt."""
    first = send(process.url, to_structured_event(cloud_event("sdk-1")))
    assert first.status_code == 201, first.text
    again = send(process.url, to_binary_event(cloud_event("sdk-1")))
    assert (again.status_code, again.json()) == (200, first.json())
    batch = b"[" + b",".join(JSONFormat().write(cloud_event(name)) for name in ("sdk-1", "sdk-2")) + b"]"
    tally = httpx.post(f"{process.url}/v1/events", content=batch, headers={"content-type": BATCH}).json()
    assert tally == {"accepted": 1, "duplicates": 1, "rejected": []}
    binary_first = send(process.url, to_binary_event(cloud_event("sdk é 3")))
    assert binary_first.status_code == 201, binary_first.text
    assert send(process.url, to_structured_event(cloud_event("sdk é 3"))).json() == binary_first.json()


def metrics(url: str) -> dict[tuple[str, str], float]:
    """Every sample of ``/metrics``, by name and outcome."""
    answer = httpx.get(f"{url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, sample.labels.get("outcome", "")): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_count_what_became_of_each_event(tmp_path: Path) -> None:
    """Each event submitted is counted once by its outcome, alone or among others; gauges say how far the fold is."""
    with Process(tmp_path / "data") as running:
        url = f"{running.url}/v1/events"
        good, other = (event("task-completed", "t1", {**TASK, "task": task}) for task in ("t1", "other"))
        lone: list[tuple[dict[str, Any], int]] = [
            (good, 201),
            (good, 200),
            (other, 409),
            ({}, 422),
            (event("lost", "l", {}), 422),
        ]
        for body, status in lone:
            answer = httpx.post(url, json=body, headers={"content-type": "application/cloudevents+json"})
            assert answer.status_code == status
        httpx.post(
            url, json=[good, {}, event("task-completed", "t2", {**TASK, "task": "t2"})], headers={"content-type": BATCH}
        )
        running.settle()
        samples = metrics(running.url)
        outcomes = {outcome: value for (name, outcome), value in samples.items() if name == "neraca_events_total"}
        assert outcomes == {"accepted": 2, "duplicate": 2, "content-conflict": 1, "invalid-event": 2, "unknown-type": 1}
        assert {
            name: samples[name, ""]
            for name in (
                "neraca_journal_head",
                "neraca_position",
                "neraca_lag_events",
                "neraca_fold_stopped",
                "neraca_stream_clients",
            )
        } == {
            "neraca_journal_head": 3,
            "neraca_position": 3,
            "neraca_lag_events": 0,
            "neraca_fold_stopped": 0,
            "neraca_stream_clients": 0,
        }


@contextmanager
def following(url: str, last_id: str | None = None) -> Iterator[Iterator[ServerSentEvent]]:
    """The stream, as an SSE client reads it."""
    headers = {} if last_id is None else {"last-event-id": last_id}
    with httpx.Client(timeout=20) as client, connect_sse(client, "GET", f"{url}/v1/stream", headers=headers) as source:
        yield source.iter_sse()


def moved_up_to(stream: Iterator[ServerSentEvent], position: int) -> tuple[set[str], str]:
    """The dinas reported as moved until a position is reached, and the id there."""
    dinas: set[str] = set()
    for notice in stream:
        assert notice.event == "moved", notice
        dinas |= set(notice.json()["dinas"])
        if notice.json()["position"] >= position:
            assert notice.json()["position"] == position
            return dinas, notice.id
    message = "the stream ended early"
    raise AssertionError(message)


def position_of(url: str) -> int:
    """Wait until the balances are folded to the journal's head; return its position."""

    def ready() -> httpx.Response | None:
        answer = httpx.get(f"{url}/readyz")
        return answer if answer.status_code == httpx.codes.OK else None

    return int(until(ready, "ready").json()["position"])


def test_the_stream_says_the_position_then_what_moves(process: Process) -> None:
    """First the position; then each movement with its position, the dinas moved, and whether the rulebook did."""
    at = position_of(process.url)
    with following(process.url) as stream:
        first = next(stream)
        assert (first.event, first.json()) == ("position", {"position": at})
        post(process.url, "s-1", dinas="dinkes")
        assert moved_up_to(stream, at + 1)[0] == {"dinkes"}
        rule = event("dinas-registered", "n", {"dinas": "dinsos", "name": "Dinas Sosial"})
        httpx.post(f"{process.url}/v1/events", json=rule, headers={"content-type": "application/cloudevents+json"})
        second = next(stream)
        assert (second.event, second.json()["position"], second.json()["rulebook"]) == ("moved", at + 2, True)


@pytest.mark.parametrize("cut", ["at once", "after the position"])
def test_a_reader_that_comes_back_has_missed_nothing(process: Process, cut: str) -> None:
    """With its last id a reader gets all that moved meanwhile, even if it is cut off again before that arrives."""
    with following(process.url) as stream:
        last_id = next(stream).id
    post(process.url, f"m-1-{cut}", dinas="a")
    post(process.url, f"m-2-{cut}", dinas="b")
    head = position_of(process.url)
    if cut == "after the position":
        with following(process.url, last_id) as stream:
            last_id = next(stream).id
    with following(process.url, last_id) as stream:
        first = next(stream)
        assert (first.event, first.id, first.json()["position"]) == ("position", last_id, head - 2)
        assert moved_up_to(stream, head)[0] >= {"a", "b"}


@pytest.mark.parametrize(
    "last_id",
    [
        "x",
        "",
        ":",
        ":1",
        "other:1",
        "{journal}:",
        "{journal}:-1",
        "{journal}:999999",
        "{journal}:1x",
        "{journal}:" + "9" * 30,
    ],
)
def test_an_id_not_known_here_is_told_to_reset(process: Process, last_id: str) -> None:
    """An id of another journal, of the future or of no form means: read everything anew."""
    with following(process.url) as stream:
        journal = next(stream).id.rpartition(":")[0]
    with following(process.url, last_id.replace("{journal}", journal)) as stream:
        first = next(stream)
        assert (first.event, first.json()) == ("reset", {"position": position_of(process.url)})


@pytest.mark.parametrize(
    ("ending", "meanwhile"),
    [
        ("stopped", 0),
        ("killed", 1),
        pytest.param("stopped", 1, marks=pytest.mark.speed("all")),
        pytest.param("killed", 0, marks=pytest.mark.speed("all")),
    ],
)
def test_a_reader_survives_a_restart(tmp_path: Path, ending: str, meanwhile: int) -> None:
    """After a restart the last id resumes the stream if nothing was missed; otherwise the reader is asked to reset."""
    data = tmp_path / "data"
    with Process(data) as before, following(before.url) as stream:
        assert next(stream).json() == {"position": 1}
        post(before.url, "t-1")
        dinas, last_id = moved_up_to(stream, 2)
        assert dinas == {"dishub"}
        if ending == "killed":
            before.kill()
        else:
            before.stop()
    with Process(data) as between:
        post(between.url, *(f"u-{index}" for index in range(meanwhile)))
        between.settle()
    with Process(data) as after, following(after.url, last_id) as stream:
        first = next(stream)
        assert (first.event, first.json()) == ("reset" if meanwhile else "position", {"position": 2 + meanwhile})
        assert first.id.rpartition(":")[0] == last_id.rpartition(":")[0]
        post(after.url, "v-1", dinas="dinkes")
        assert moved_up_to(stream, 3 + meanwhile)[0] == {"dinkes"}


def test_what_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    """An event answered 201 is there after SIGKILL, under the same receipt."""
    with Process(tmp_path / "data") as before:
        receipts = [send(before.url, to_structured_event(cloud_event(f"k-{index}"))).json() for index in range(5)]
        before.kill()
    with Process(tmp_path / "data") as after:
        again = [send(after.url, to_structured_event(cloud_event(f"k-{index}"))) for index in range(5)]
        assert [(answer.status_code, answer.json()) for answer in again] == [(200, receipt) for receipt in receipts]
        assert httpx.get(f"{after.url}/v1/dinas/dishub?period=2026-11").json()["counts"]["tasks"] == 5


def test_stopping_ends_streams_and_takes_no_waiting(tmp_path: Path) -> None:
    """SIGTERM ends the process in order, and soon, though a reader follows the stream."""
    ends: list[ServerSentEvent] = []
    with Process(tmp_path / "data") as running:
        with following(running.url) as stream:
            next(stream)
            reader = threading.Thread(target=lambda: ends.extend(stream))
            reader.start()
            assert running.stop(within_s=4.0) == 0
            reader.join(5)
            assert not reader.is_alive()
        assert ends == []
        assert "Traceback" not in running.output()


def test_head_of_the_stream_ends(process: Process) -> None:
    """HEAD of the stream is its headers; the connection is free for the next request."""
    with httpx.Client(timeout=5) as client:
        answer = client.head(f"{process.url}/v1/stream")
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        assert client.get(f"{process.url}/healthz").status_code == 200
    until(lambda: metrics(process.url)["neraca_stream_clients", ""] == 0, "no reader is left of it")


def test_a_listening_app_is_the_same_app(neraca: Assembled) -> None:
    """Requests through ASGI and through a port reach the same Neraca."""
    with Listening(neraca) as listening:
        post(listening.url, "t-1")
        neraca.settle()
        assert httpx.get(f"{listening.url}/v1/dinas").json() == neraca.get("/v1/dinas").json()
