"""A request ends within bounds: a slow body holds no connection, and what is left of one that was answered is no next head."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from api.http.connections import ADDRESS_MOST, BODY_LEAST, BODY_S, HEAD_MOST
from api.http.tickets import Case
from tests.pages.counter import ticket_of
from tests.serving import ELSEWHERE, Assembled, Listening, event, until

if TYPE_CHECKING:
    from collections.abc import Iterator

GET: Final = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
FORM: Final = b"Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
EVENTS: Final = b"Content-Type: application/cloudevents-batch+json\r\n"
TASK: Final = {"dinas": "d", "asn": "a-1", "task": "T-1", "completed_at": "2026-11-24T10:00:00+07:00"}
CASE: Final = {"dinas": "dishub", "service": "kir", "case": "K-1"}


def post(path: bytes, length: int, headers: bytes = b"") -> bytes:
    """The head of a request with a body of so many bytes."""
    return b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%sContent-Length: %d\r\n\r\n" % (path, headers, length)


@contextmanager
def connected(neraca: Assembled) -> Iterator[tuple[socket.socket, Any]]:
    """A connection to the app as a process serves it, and the protocol at its other end."""
    with (
        Listening(neraca) as server,
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as connection,
    ):
        protocols = server._server.server_state.connections
        yield connection, until(lambda: next(iter(protocols), None), "the server has the connection")


def answer_of(connection: socket.socket) -> tuple[int, bytes]:
    """The status and the body of the next answer."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(1)
        assert part, head
        head += part
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return int(head[9:12]), body


def rest_of(connection: socket.socket) -> bytes:
    """All that still comes, up to the end of the connection."""
    rest = b""
    while part := connection.recv(4096):
        rest += part
    return rest


@pytest.mark.parametrize(
    "head",
    [
        post(b"/masuk", 100, FORM),
        post(b"/nilai", 100, FORM),
        post(b"/v1/events", 100, EVENTS),
        post(b"/v1/events", 100, EVENTS).replace(b"Content-Length: 100", b"Transfer-Encoding: chunked"),
        post(b"/masuk", 100, FORM + b"Expect: 100-continue\r\n"),
    ],
    ids=["sign-in", "rating", "events", "chunks", "continue"],
)
def test_a_body_that_does_not_end_is_ended(neraca: Assembled, head: bytes) -> None:
    """Within ten seconds, unless a test has less patience: whether none of it comes or a byte now and then."""
    assert (neraca.built.connections.body_s, BODY_S) == (BODY_S, 10.0)
    for drops in (b"", b"a"):
        neraca.built.connections.body_s = 0.3
        with connected(neraca) as (connection, _):
            connection.sendall(head)
            if drops and b"chunked" not in head:
                connection.sendall(drops)
            assert b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n" in rest_of(connection)
            assert neraca.built.connections._total == 0


def test_a_body_that_goes_on_has_its_time(neraca: Assembled) -> None:
    """A counter on a slow line is not cut off while enough of its events come."""
    content = b" " * 3 * BODY_LEAST + json.dumps([event("task-completed", "t1", TASK)]).encode()
    with connected(neraca) as (connection, protocol):
        connection.sendall(post(b"/v1/events", len(content), EVENTS))
        until(lambda: protocol._part.name == "BODY", "the head is there")
        for start in range(0, 3 * BODY_LEAST, BODY_LEAST):
            connection.sendall(content[start : start + BODY_LEAST])
            until(lambda: protocol._size == BODY_LEAST, "a part of the body is there")
            protocol.loop.call_soon_threadsafe(protocol._look_at_body)
            until(lambda: protocol._size == 0, "its time is over, and the next begins")
        connection.sendall(content[3 * BODY_LEAST :])
        status, body = answer_of(connection)
    assert (status, json.loads(body)["accepted"]) == (200, 1)


@pytest.mark.parametrize("size", [100, HEAD_MOST, 40 * HEAD_MOST])
def test_what_is_left_of_an_answered_body_is_no_head(neraca: Assembled, size: int) -> None:
    """A refusal comes at once; the rest is read away, and the connection goes on."""
    with connected(neraca) as (connection, _):
        connection.sendall(post(b"/v1/events", size, EVENTS + b"Authorization: Bearer wrong\r\n"))
        assert answer_of(connection)[0] == 401
        requests = GET * (size // len(GET) + 1)
        connection.sendall(requests[: size - 1])
        connection.sendall(requests[size - 1 : size] + GET)
        assert answer_of(connection) == (200, b'{"status":"ok"}')
        connection.sendall(GET)
        assert answer_of(connection)[0] == 200
        connection.shutdown(socket.SHUT_WR)
        assert rest_of(connection) == b""


def test_what_is_left_is_not_read_away_for_ever(neraca: Assembled) -> None:
    """Its time ends, without a second answer."""
    neraca.built.connections.body_s = 0.3
    with connected(neraca) as (connection, _):
        connection.sendall(post(b"/v1/events", 1000, EVENTS + b"Authorization: Bearer wrong\r\n"))
        assert answer_of(connection)[0] == 401
        connection.sendall(b"x")
        assert rest_of(connection) == b""


def test_a_next_head_ends_too_once_the_rest_was_read_away(neraca: Assembled) -> None:
    neraca.built.connections.head_s = 0.3
    with connected(neraca) as (connection, _):
        connection.sendall(post(b"/v1/events", 3, EVENTS + b"Authorization: Bearer wrong\r\n"))
        assert answer_of(connection)[0] == 401
        connection.sendall(b"xyz" + GET[:5])
        assert rest_of(connection).startswith(b"HTTP/1.1 408")


CHUNKED: Final = post(b"/v1/events", 0, EVENTS).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")


FIELDS, LETTERS = b"X-More: abcdefgh\r\n" * 500, b"x" * 9_000


@pytest.mark.parametrize(
    ("start", "more"),
    [
        (b"2\r\n[]\r\n0\r\n", FIELDS),
        (b"2\r\n[]\r\n0\r\nX-Long: ", LETTERS),
        (b"2\r\n[]\r\n2;x=", LETTERS),
        (b"2;x=1\r\n[]\r\n2;x=", LETTERS),
    ],
    ids=["fields", "a field", "an extension", "another extension"],
)
def test_what_is_no_content_of_a_body_has_a_length(neraca: Assembled, start: bytes, more: bytes) -> None:
    """Fields behind the last chunk, and a chunk's extension, fill no memory, however quickly they come."""
    with connected(neraca) as (connection, protocol):
        connection.sendall(CHUNKED + start)
        with pytest.raises(OSError, match=r"reset|[Bb]roken"):  # noqa: PT012 - whichever call meets the end
            for _ in range(2_000):
                connection.sendall(more)
        assert len(protocol.headers) < 10


def test_a_field_behind_the_last_chunk_is_no_header(neraca: Assembled) -> None:
    """A web server in front may pass it on behind its own: it would name another caller, or another token."""
    with connected(neraca) as (connection, _):
        connection.sendall(CHUNKED + b"2\r\n[]\r\n0\r\nAuthorization: Bearer wrong\r\n\r\n")
        assert answer_of(connection)[0] == 200


def test_a_head_behind_a_stream_has_its_length_too(neraca: Assembled) -> None:
    """A head that is sent while an answer still runs fills no memory."""
    with connected(neraca) as (connection, _):
        connection.sendall(GET.replace(b"/healthz", b"/v1/stream"))
        assert connection.recv(100).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        with pytest.raises(OSError, match=r"reset|[Bb]roken"):  # noqa: PT012 - whichever call meets the end
            for _ in range(200):
                connection.sendall(b"x" * HEAD_MOST)


def test_a_stream_whose_request_has_an_unfinished_body_ends(neraca: Assembled) -> None:
    neraca.built.connections.body_s = 0.3
    with connected(neraca) as (connection, _):
        connection.sendall(
            GET.replace(b"/healthz", b"/v1/stream").replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n")
        )
        until(lambda: neraca.built.connections._total == 0, "the stream has ended", within_s=10)
        assert b"HTTP/1.1 408" not in rest_of(connection)


def ticket_and_token(neraca: Assembled) -> tuple[str, str]:
    """The headers of a phone with a ticket, and of the counter that gave it."""
    permit = {**CASE, "received_at": "2026-11-19T08:00:00+07:00", "completed_at": "2026-11-20T10:00:00+07:00"}
    neraca.record(event("permit-processed", "p1", permit))
    counter = neraca.token("loket", "counter", dinas=["dishub"], sources=["/loket"])
    names = json.dumps([*CASE.values(), ticket_of(neraca, "loket", Case(**CASE))]).encode()
    return f"Ticket {base64.urlsafe_b64encode(names).decode().rstrip('=')}", counter


def test_a_ticket_is_no_standing_token(neraca: Assembled) -> None:
    """It stands for one rating: a phone that holds one is bound as any other caller without a token."""
    ticket, counter = ticket_and_token(neraca)

    def statuses() -> list[int]:
        return [
            neraca.get("/v1/dinas", headers=headers, caller=ELSEWHERE).status_code
            for headers in ({}, {"authorization": ticket}, {"authorization": counter})
        ]

    assert statuses() == [200, 200, 200]
    for _ in range(ADDRESS_MOST):
        neraca.built.connections.open(ELSEWHERE)
    assert statuses() == [503, 503, 200]


def test_a_ticket_vouches_for_no_connection(neraca: Assembled) -> None:
    with Listening(neraca) as server, httpx.Client(base_url=server.url) as phone:
        totals = []
        for header in ticket_and_token(neraca):
            assert phone.get("/v1/journal", headers={"authorization": header}).status_code == 403
            totals.append(neraca.built.connections._total)
    assert totals == [1, 0]


def test_the_port_of_operations_serves_nothing_else(neraca: Assembled) -> None:
    neraca.settle()

    async def statuses() -> list[int]:
        transport = httpx.ASGITransport(neraca.built.operations, client=("127.0.0.1", 40_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            paths = (
                "/healthz",
                "/readyz",
                "/metrics",
                "/openapi.json",
                "/static/neraca.css",
                "/static/live.js",
                "/docs",
            )
            return [(await client.get(path)).status_code for path in paths]

    assert asyncio.run(statuses()) == [200, 200, 200, 404, 404, 404, 404]
