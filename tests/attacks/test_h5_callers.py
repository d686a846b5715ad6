"""H5: callers without a token who take all connections, threads or time. Intake goes on, and a right token always comes in."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from api.http.connections import BEYOND_MOST, HEAD_MOST, Connection, Connections
from api.http.rates import ADDRESSES_MOST, Meter, TooMany, WrongTokens
from domain.access.limits import Limits
from domain.refusal import Refusal, attempt
from projections.ports import LOCAL, Grant
from tests.process import Process
from tests.serving import ELSEWHERE, Assembled, Listening, event, until

if TYPE_CHECKING:
    from pathlib import Path

UNENDED: Final = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "
PAGES: Final = ("/", "/publik", "/v1/digest", "/v1/rankings/dinas", "/v1/dinas")
CALLERS: Final = 150
HEADS: Final = 380


def task(number: int) -> dict[str, object]:
    """An event of its own."""
    data = {"dinas": "d", "asn": "a-1", "task": f"T-{number}", "completed_at": "2026-11-24T10:00:00+07:00"}
    return event("task-completed", f"t{number}", data)


def test_an_address_has_64_connections_and_all_have_256_together() -> None:
    connections = Connections()
    first = [connections.open("a") for _ in range(65)]
    assert [connection.beyond for connection in first] == [False] * 64 + [True]
    others = [connections.open(f"b{number}") for number in range(193)]
    assert [connection.beyond for connection in others] == [False] * 192 + [True]
    connections.leave(first[0])
    assert first[64].enters(), "there is room by now"
    assert not others[192].enters(), "all are 256 again"


def test_a_caller_with_a_token_takes_no_room() -> None:
    connections = Connections(1)
    first, second = connections.open("a"), connections.open("a")
    second.vouch()
    assert not second.beyond
    first.vouch()
    assert not connections.open("a").beyond


def test_beyond_the_bounds_the_oldest_that_only_waits_gives_way() -> None:
    """One whose head is there is being looked at, and stays."""
    ends, connections = list[int](), Connections(1)
    connections.open("a")

    def beyond(number: int) -> Connection:
        return connections.open("a", lambda: ends.append(number))

    first = beyond(0)
    first.head_is_here()
    for number in range(1, BEYOND_MOST + 2):
        beyond(number)
    assert ends == [1, 2]


def test_five_wrong_tokens_a_minute_then_one_a_second_and_a_right_one_at_once(neraca: Assembled) -> None:
    right = neraca.token("leader-1", "leader", dinas=["d"])

    def ask(token: str, caller: str = ELSEWHERE) -> httpx.Response:
        return neraca.get("/v1/dinas/d/asn", caller=caller, headers={"authorization": token})

    statuses = [ask(f"Bearer wrong-{number}").status_code for number in range(7)]
    assert statuses == [401] * 5 + [429] * 2
    late = ask("Bearer wrong-again")
    assert (late.headers["retry-after"], late.json()["type"]) == ("1", "urn:neraca:problem:too-many")
    assert ask(right).status_code == 404, "no dinas is known, but the token is"
    assert ask("Bearer wrong", caller="203.0.113.10").status_code == 401
    form = neraca.ask("POST", "/masuk", content=b"token=wrong", caller=ELSEWHERE)
    assert form.status_code == 429


def test_a_wrong_token_counts_once_however_often_a_page_asks_for_its_caller(neraca: Assembled) -> None:
    pages = [neraca.get("/", caller=ELSEWHERE, headers={"authorization": "Bearer wrong"}) for _ in range(6)]
    assert [page.status_code for page in pages] == [401] * 5 + [429]


def test_wrong_tokens_are_looked_at_again_with_time() -> None:
    now = [0.0]
    wrong = WrongTokens(lambda: now[0])

    def met(at_s: float) -> bool:
        now[0] = at_s
        return not isinstance(attempt(wrong.met, "a"), TooMany)

    answers = [met(at_s) for at_s in (0, 1, 2, 3, 4, 4.5, 5.5, 6, 6.5, 7.0, 60, 60.1, 60.2, 60.3, 60.4, 60.5)]
    assert answers == [True] * 5 + [False, True, False, True, False] + [True] * 5 + [False]
    for number in range(ADDRESSES_MOST):
        wrong.met(f"b{number}")
    assert met(60.6), "an address is forgotten when too many others came after it"


def test_a_token_sends_its_events_an_hour_and_what_is_too_many_at_once_is_refused_for_good() -> None:
    now = [0.0]
    meter, grant = Meter(lambda: now[0]), Grant("loket-1", LOCAL.roles, events_hour=60)
    for _ in range(60):
        meter.take(grant, 1, 100)
    refusal = attempt(meter.take, grant, 2, 100)
    assert isinstance(refusal, TooMany)
    assert refusal.retry_after_s == 120
    now[0] = 120.0
    meter.take(grant, 2, 100)
    never = attempt(meter.take, grant, 61, 100)
    assert isinstance(never, Refusal)
    assert never.slug == "too-large", "its sender halves it"
    meter.take(Grant("loket-2", LOCAL.roles), 1_000_000, 100)


def test_a_token_sends_its_bytes_a_day() -> None:
    now = [0.0]
    meter, grant = Meter(lambda: now[0]), Grant("loket-1", LOCAL.roles, events_hour=10)
    meter.take(grant, 1, 240 * 16 * 1024)
    assert isinstance(attempt(meter.take, grant, 1, 1), TooMany)
    now[0] = 3_600.0
    meter.take(grant, 1, 10 * 16 * 1024)


@pytest.mark.parametrize(
    ("sending", "answer"), [(UNENDED, b"408"), (b"", b"408"), (UNENDED + b"x" * 2 * HEAD_MOST, b"431")]
)
def test_a_head_that_does_not_end_is_ended(neraca: Assembled, sending: bytes, answer: bytes) -> None:
    """Within ten seconds, unless a test has less patience; a second head on the same connection has its own time."""
    connections = neraca.built.connections
    assert connections.head_s == 10.0
    connections.head_s = 0.2
    with Listening(neraca) as server:
        address = ("127.0.0.1", server.port)
        with socket.create_connection(address, timeout=20) as connection:
            with suppress(OSError):
                connection.sendall(sending)
            assert answer in connection.recv(100)
        connections.head_s = 5.0
        with socket.create_connection(address, timeout=20) as connection:
            for head_s in (5.0, 5.0, 0.2):
                connections.head_s = head_s
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert read_to(connection, b"}").startswith(b"HTTP/1.1 200")
            connection.sendall(UNENDED)
            assert b"408" in connection.recv(100)


def read_to(connection: socket.socket, end: bytes) -> bytes:
    """What comes on a connection, up to some bytes at the end of it."""
    answer = b""
    while not answer.endswith(end):
        part = connection.recv(4096)
        assert part, answer
        answer += part
    return answer


def test_beyond_the_bounds_a_guest_is_told_so_and_a_token_comes_in(tmp_path: Path) -> None:
    environment = {"NERACA_ADDRESS_MOST": "2"}
    with (
        Process(tmp_path / "data", environment=environment, is_open=False) as process,
        ExitStack() as ending,
    ):
        from streams.places.directory import DataDirectory  # noqa: PLC0415 - beside the process

        secret = DataDirectory(tmp_path / "data").token_store().make("a", ["personnel"], "2026-11-24T05:00:00Z")
        host, port = "127.0.0.1", process.port
        for _ in range(2):
            ending.enter_context(socket.create_connection((host, port))).sendall(UNENDED)
        with httpx.Client(base_url=process.url) as guest:
            busy = until(lambda: _unless_there(guest), "the bounds are reached")
        assert (busy.headers["retry-after"], busy.headers["connection"]) == ("5", "close")
        with httpx.Client(base_url=process.url, headers={"authorization": f"Bearer {secret}"}) as holder:
            assert holder.get("/v1/dinas").status_code == 200


def _unless_there(guest: httpx.Client) -> httpx.Response | None:
    answer = guest.get("/v1/dinas")
    return answer if answer.status_code == 503 else None


async def ask_on(page: str, port: int, number: int, ending: asyncio.Event) -> int:
    """Ask for a page again and again until the end; the number of answers."""
    answers = 0
    while not ending.is_set():
        with suppress(OSError):
            local = (f"127.0.1.{1 + number % 5}", 0)
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=local)
            writer.write(f"GET {page} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            answers += bool(await reader.read(-1))
            writer.close()
    return answers


@pytest.mark.speed("all")
def test_intake_goes_on_while_a_crowd_asks_for_what_costs_most(tmp_path: Path) -> None:
    """150 connections on each expensive page, and 380 heads that never end; each event is recorded."""

    async def attack(port: int, token: str) -> None:
        heads = [await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.2.1", 0)) for _ in range(HEADS)]
        for _, writer in heads:
            writer.write(UNENDED)
        number = 0
        headers = {"authorization": f"Bearer {token}", "content-type": "application/cloudevents+json"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60) as counter:
            for page in PAGES:
                ending = asyncio.Event()
                crowd = [asyncio.create_task(ask_on(page, port, caller, ending)) for caller in range(CALLERS)]
                for _ in range(10):
                    number += 1
                    answer = await counter.post("/v1/events", json=task(number))
                    assert answer.status_code == 201, (page, answer.text)
                ending.set()
                assert sum(await asyncio.gather(*crowd)) >= CALLERS
        for _, writer in heads:
            writer.close()

    with Process(tmp_path / "data", is_open=False) as process:
        from streams.places.directory import DataDirectory  # noqa: PLC0415 - beside the process

        store = DataDirectory(tmp_path / "data").token_store()
        token = store.make(
            "loket-1", ["counter"], "2026-11-24T05:00:00Z", Limits(frozenset({"d"}), frozenset({"/loket"}))
        )
        asyncio.run(attack(process.port, token))
