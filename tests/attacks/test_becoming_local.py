"""No header, name or version of a call makes a stranger the operator: 200 variants over a real port, each refused."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import pytest

from api.http.doors import CLOSED
from tests.attacks.between import raw, status_of
from tests.serving import Assembled, Listening

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOSTS: Final = (
    "neraca.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:8000",
    "127.0.0.1@evil.example",
    "evil.example#127.0.0.1",
    "evil.example/127.0.0.1",
    "localhost, evil.example",
    "localhost evil.example",
    "localhost:evil",
    "localhost:",
    "localhost:999999",
    "local.host",
    "localhosts",
    "0.0.0.0",  # noqa: S104 - a name in a header
    "0",
    "2130706433",
    "0x7f.1",
    "127.1.evil.example",
    "[::2]",
    "[::ffff:192.0.2.7]",
    "[evil",
    "[::1].evil.example",
    "::1",
    "10.0.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "localhost%00.evil.example",
    "localhost\\evil.example",
    "",
)
ADDED: Final = (
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-forwarded-user",
    "x-forwarded-prefix",
    "x-forwarded",
    "forwarded-for",
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-host",
    "x-original-url",
    "x-original-forwarded-for",
    "x-rewrite-url",
    "x-remote-ip",
    "x-remote-addr",
    "x-remote-user",
    "x-host",
    "x-envoy-external-address",
    "x-envoy-attempt-count",
    "x-request-id",
    "x-b3-traceid",
    "x-amzn-trace-id",
    "x-azure-clientip",
    "x-arr-ssl",
    "x-varnish",
    "x-scheme",
    "x-proxy-user",
    "proxy",
    "proxy-authorization",
    "proxy-connection",
    "cf-connecting-ip",
    "cf-ray",
    "cdn-loop",
    "true-client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "incap-client-ip",
    "client-ip",
    "ali-cdn-real-ip",
    "remote-user",
    "surrogate-capability",
    "max-forwards",
    "front-end-https",
    "x-localhost",
    "x-operator",
    "x-neraca-local",
)
VALUES: Final = ("127.0.0.1", "localhost", "")
ELSEWHERE: Final = (
    "Origin: http://evil.example",
    "Origin: null",
    "Origin: http://127.0.0.1.evil.example",
    "Origin: http://127.0.0.1:1",
    "Origin: file://",
    "Origin: http://127.0.0.1\r\nOrigin: http://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-site",
    "Origin: http://evil.example\r\nSec-Fetch-Site: same-origin",
    "Host: evil.example",
    "Host: 127.0.0.1",
)
OWN: Final = "127.0.0.1"


def request_of(*lines: str, version: str = "1.1") -> bytes:
    return "\r\n".join((f"GET /v1/journal?limit=1 HTTP/{version}", *lines, "", "")).encode("latin-1")


def variants() -> Iterator[bytes]:
    """Calls of which each has one sign of somebody else."""
    for host in HOSTS:
        yield request_of(f"Host: {host}")
    yield request_of()
    for name, value in product(ADDED, VALUES):
        yield request_of(f"Host: {OWN}", f"{name}: {value}")
    for line in ELSEWHERE:
        yield request_of(f"Host: {OWN}", *line.split("\r\n"))
    for lines in ((), (f"Host: {OWN}",), ("Host: localhost", "Connection: keep-alive")):
        yield request_of(*lines, version="1.0")
    for authorization in ("Bearer local", "Bearer ", "Basic bG9jYWw6", "local"):
        yield request_of(f"Host: {OWN}", f"Authorization: {authorization}")
    for cookie in ("neraca=local", "__Host-neraca=local", "neraca="):
        yield request_of("Host: evil.example", f"Cookie: {cookie}")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("local")
    with Assembled(folder / "data") as neraca, Listening(neraca) as listening:
        yield listening.port


def test_no_variant_of_a_call_becomes_local(port: int) -> None:
    calls = list(variants())
    assert len(calls) >= 200
    survivors = [call for call in calls if status_of(raw(port, call)) not in (400, 401)]
    assert survivors == []


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: 127.0.0.1",),
        ("Host: localhost:8000",),
        ("Host: LOCALHOST",),
        ("Host: [::1]:8000",),
        ("Host: 127.8.8.8",),
        ("Host: localhost:8000", "Origin: http://localhost:8000", "Sec-Fetch-Site: same-origin"),
        ("Host: localhost", "Sec-Fetch-Site: none", "Sec-Ch-Ua: x", "Hx-Request: true", "Ce-Id: 1"),
        ("Host: localhost", "User-Agent: curl/8", "Accept: */*", "Accept-Encoding: gzip", "TE: trailers"),
    ],
    ids=repr,
)
def test_the_operators_own_programs_are_the_operator(port: int, lines: tuple[str, ...]) -> None:
    assert status_of(raw(port, request_of(*lines))) == 200


def test_without_open_nobody_is_the_operator(tmp_path: Path) -> None:
    with Assembled(tmp_path / "data", doors=CLOSED) as neraca, Listening(neraca) as listening:
        call = request_of(f"Host: {OWN}")
        assert status_of(raw(listening.port, call)) == 401
