"""Every answer has the same guards, and what rests on its caller's rights stays in no browser."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from api.http.guards import FOR_ONE, GUARDS
from tests.serving import ELSEWHERE, Listening, event

if TYPE_CHECKING:
    from tests.serving import Assembled

TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}
ANSWERS: Final = (
    ("GET", "/", 200),
    ("GET", "/publik", 200),
    ("GET", "/docs", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/healthz", 200),
    ("GET", "/static/live.js", 200),
    ("GET", "/static/neraca.css", 200),
    ("GET", "/static/nothing.js", 404),
    ("GET", "/v1/dinas", 200),
    ("HEAD", "/v1/dinas", 200),
    ("GET", "/v1/dinas?x=1", 422),
    ("GET", "/v1/dinas/d/asn", 401),
    ("GET", "/dinas/d/events", 401),
    ("GET", "/nothing", 404),
    ("GET", "/v1/%2F", 404),
    ("POST", "/v1/events", 401),
    ("POST", "/masuk", 401),
    ("DELETE", "/v1/dinas", 405),
)


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_the_guards(neraca: Assembled, method: str, path: str, status: int) -> None:
    answer = neraca.ask(method, path, caller=ELSEWHERE, content=b"token=x" if method == "POST" else None)
    assert answer.status_code == status, answer.text
    assert {name: answer.headers.get_list(name) for name in GUARDS} == {name: [text] for name, text in GUARDS.items()}
    assert "server" not in answer.headers


def test_a_kept_answer_has_them_too(neraca: Assembled) -> None:
    neraca.settle()
    for _ in range(2):
        answer = neraca.get("/v1/dinas", caller=ELSEWHERE)
        again = neraca.get("/v1/dinas", caller=ELSEWHERE, headers={"if-none-match": answer.headers["etag"]})
        assert (answer.status_code, again.status_code) == (200, 304)
        for each in (answer, again):
            assert each.headers["cross-origin-resource-policy"] == "same-origin"
            assert each.headers["cache-control"] == "no-cache", "the figures are the same for all"


def test_what_rests_on_rights_stays_in_no_browser(neraca: Assembled) -> None:
    neraca.record(event("task-completed", "t1", TASK))
    headers = {"authorization": neraca.token("personnel-1", "personnel")}
    for path in ("/v1/dinas/d/asn", "/v1/asn/a-1", "/asn/a-1", "/dinas/d", "/dinas/d/events?csv=entries", "/"):
        answer = neraca.get(path, caller=ELSEWHERE, headers=headers)
        assert answer.headers["cache-control"] == FOR_ONE, path
    assert neraca.get("/v1/dinas/d/asn", caller=ELSEWHERE).headers["cache-control"] == FOR_ONE
    for path in ("/dinas/d", "/"):
        assert neraca.get(path, caller=ELSEWHERE).headers["cache-control"] == "private, no-cache", path


def test_exact_figures_stay_in_no_browser(neraca: Assembled) -> None:
    """Those of auditors and of the operator, made or kept, whole or as what has not changed; and the state of the process."""
    neraca.record(event("task-completed", "t1", TASK))
    auditor: dict[str, Any] = {"caller": ELSEWHERE, "headers": {"authorization": neraca.token("auditor-1", "auditor")}}
    operator: dict[str, Any] = {"headers": {}}
    for caller in (auditor, operator):
        for path in (
            "/v1/dinas",
            "/v1/dinas",
            "/v1/dinas/d",
            "/v1/rankings/dinas",
            "/v1/dinas/d/series",
            "/readyz",
            "/publik",
        ):
            answer = neraca.get(path, **caller)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, FOR_ONE), path
        tag = neraca.get("/v1/dinas", **caller).headers["etag"]
        same = neraca.get("/v1/dinas", **caller | {"headers": {**caller["headers"], "if-none-match": tag}})
        assert (same.status_code, same.headers["cache-control"]) == (304, FOR_ONE)
        for path in ("/v1/stream", "/live/board"):
            assert neraca.ask("HEAD", path, **caller).headers["cache-control"] == FOR_ONE, path
    leader = {"authorization": neraca.token("leader-1", "leader", dinas=["d"])}
    for _ in range(2):  # who is shown small cells of the own dinas
        assert neraca.get("/v1/dinas", caller=ELSEWHERE, headers=leader).headers["cache-control"] == FOR_ONE
    assert neraca.get("/static/live.js").headers["cache-control"] == "no-cache", "a file is the same for all"
    assert neraca.ask("HEAD", "/v1/stream", caller=ELSEWHERE).headers["cache-control"] != FOR_ONE
    assert neraca.get("/readyz", caller=ELSEWHERE).headers.get("cache-control") is None, "yes or no"


@pytest.mark.parametrize("path", ["/v1/dinas/", "/publik/", "/healthz/", "/dinas/d/", "//v1/dinas", "/static"])
def test_no_slash_redirects(neraca: Assembled, path: str) -> None:
    """A redirect to an address made of the Host would lead wherever a caller says."""
    answer = neraca.get(path, headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers.get("location")) == (404, None)


def test_no_answer_names_its_server_even_one_to_bytes_that_are_no_request(neraca: Assembled) -> None:
    with Listening(neraca) as server:
        host, port = "127.0.0.1", server.port
        for sending in (
            b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            b"\x16\x03\x01 no request\r\n\r\n",
        ):
            with socket.create_connection((host, port), timeout=20) as connection:
                connection.sendall(sending)
                answer = b""
                with suppress(OSError):
                    while part := connection.recv(4096):
                        answer += part
            assert answer.startswith(b"HTTP/1.1 ")
            assert b"server:" not in answer.lower()
            assert b"uvicorn" not in answer.lower()
