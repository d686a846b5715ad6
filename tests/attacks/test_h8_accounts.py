"""H8: under `--open` another account of the machine is nobody, however it calls."""

from __future__ import annotations

import asyncio
import os
import pwd
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from api.http.peers import Peer
from tests.attacks.between import CHUNK
from tests.process import Process
from tests.serving import Assembled, Listening, event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.speed("all")

READ: Final = b"GET /v1/journal HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
BODY: Final = (
    b'[{"specversion":"1.0","type":"neraca.task-completed.v1","source":"/x","id":"1","time":"2026-11-24T11:00:00Z",'
    b'"data":{"dinas":"d","asn":"a","task":"t","completed_at":"2026-11-24T10:00:00Z"}}]'
)
WRITE: Final = (
    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents-batch+json\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


def read(port: int, *, half: bool = False) -> bytes:
    """The status of an answer; of a connection that is ``half`` closed before it is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(READ)
        if half:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := connection.recv(CHUNK):
            answer += chunk
    return answer[9:12]


def write_and_go(port: int) -> bytes:
    """Send an event, and be gone before anybody can look who it was."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(WRITE)
    connection.close()
    return b"gone"


def run_as(account: int, work: Callable[[], bytes]) -> bytes:
    """The result of work that a process of another account does; this interpreter may be no file that it can start."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        result = b""
        try:
            os.setgroups([])
            os.setgid(account)
            os.setuid(account)
            result = work()
        except BaseException as error:  # noqa: BLE001 - told to the process that waits
            result = repr(error).encode()
        finally:
            os.write(writing, result)
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a pipe, not a path
        result = pipe.read()
    os.waitpid(child, 0)
    return result


@pytest.fixture
def stranger() -> int:
    """The number of another account."""
    if os.geteuid() != 0:
        pytest.skip("needs the superuser: only it can start a process under another account")
    return pwd.getpwnam("nobody").pw_uid


def test_another_account_of_the_machine_is_nobody(tmp_path: Path, stranger: int) -> None:
    """Also one that has half closed its connection, or is gone before it is looked up."""
    with Process(tmp_path / "var") as process:
        port = process.port
        assert run_as(os.geteuid(), lambda: read(port)) == b"200"
        assert run_as(stranger, lambda: read(port)) == b"401"
        assert run_as(stranger, lambda: read(port, half=True)) in (b"401", b"")
        head = process.head()
        for _ in range(20):
            assert run_as(stranger, lambda: write_and_go(port)) == b"gone"
        assert process.head() == head, "a caller who has gone is not the superuser"


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_system_tells_the_account_of_each_end(name: str) -> None:
    """Of both families of addresses, and of one address written in the other's form; an end that is nowhere is nobody's."""
    family = socket.AF_INET6 if ":" in name else socket.AF_INET
    own = "::" if name.startswith("::ffff") else name
    with socket.create_server((own, 0), family=family, dualstack_ipv6=own == "::") as listener:
        with socket.create_connection((name, listener.getsockname()[1])) as client:
            accepting, end = listener.accept()
            here = accepting.getsockname()[:2]
            assert Peer(end[:2], here).is_own_account
            assert not Peer((end[0], client.getsockname()[1] ^ 1), here).is_own_account
        accepting.close()
        assert not Peer(end[:2], here).is_own_account


def test_the_account_of_a_connection_is_looked_up_beside_the_event_loop(tmp_path: Path) -> None:
    """On each kind of address, for one answer that is made and for one that is remembered: the tables are long in a big city."""
    looks: list[tuple[str, bool]] = []
    paths = (
        "/",
        "/publik",
        "/asn",
        "/dinas/dishub",
        "/v1/dinas",
        "/v1/digest",
        "/v1/journal",
        "/readyz",
        "/nowhere",
        "/docs",
    )
    with Assembled(tmp_path / "data") as neraca, Listening(neraca) as server:
        neraca.record(event("dinas-registered", "dn", {"dinas": "dishub", "name": "Dinas Perhubungan"}))
        with opened_files(lambda name: looks.append((name, is_in_loop()))):
            for path in paths * 2:
                assert httpx.get(f"{server.url}{path}").status_code in (200, 404), path
    tables = [in_loop for name, in_loop in looks if name.startswith("/proc/net/tcp")]
    assert tables
    assert not any(tables)


def is_in_loop() -> bool:
    """True if an event loop waits for what is done in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@contextmanager
def opened_files(see: Callable[[str], None]) -> Iterator[None]:
    """Tell of each file that this process opens; Python never lets go of a hook, so it falls silent."""
    is_on = True

    def hook(name: str, values: tuple[object, ...]) -> None:
        if is_on and name == "open":
            see(str(values[0]))

    sys.addaudithook(hook)
    try:
        yield
    finally:
        is_on = False
